//! A form with one file, as logos are sent (recording `client-logo`).

use sha2::{Digest, Sha256};

use crate::core::pocket_id::write::File;
use crate::https::exchange::Body;

/// The form with the field `file`.
pub(crate) fn of(File { name, bytes }: &File) -> Body {
    // What separates the parts must not be in the file; that it holds its own hash does not happen.
    let boundary = format!("{:x}", Sha256::digest(bytes));
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    let tail = format!("\r\n--{boundary}--\r\n");
    Body {
        content_type: format!("multipart/form-data; boundary={boundary}").into(),
        bytes: [head.as_bytes(), bytes, tail.as_bytes()].concat().into(),
    }
}
