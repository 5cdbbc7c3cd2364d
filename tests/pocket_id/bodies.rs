//! Bodies of requests and answers, as the recordings write them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::client::Answer;

/// A picture of one pixel: the one that was uploaded.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

/// Pairs as a form has them.
pub fn encode(pairs: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs = pairs.as_object().into_iter().flatten();
    Serializer::new(String::new()).extend_pairs(pairs.map(|(name, value)| (name, text(value)))).finish()
}

/// A form of files whose content is not recorded, but its size.
pub fn multipart(files: &Value) -> Vec<u8> {
    let mut body = Vec::new();
    for (field, file) in files.as_object().into_iter().flatten() {
        let name = file["filename"].as_str().unwrap_or_default();
        let size = usize::try_from(file["bytes"].as_u64().unwrap_or_default()).expect("small");
        let picture = STANDARD.decode(PNG).expect("base64");
        let head = format!("--B\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\r\n");
        body.extend(head.into_bytes());
        body.extend(if size == picture.len() { picture } else { vec![b'x'; size] });
        body.extend(b"\r\n");
    }
    body.extend(b"--B--\r\n");
    body
}

/// A body as the recordings write it.
pub fn shown(answer: &Answer) -> Value {
    let content_type = answer.header("content-type").unwrap_or_default();
    if answer.body.is_empty() {
        Value::Null
    } else if content_type.starts_with("image/") {
        json!({ "_binary": content_type, "_bytes": answer.body.len() })
    } else {
        let text = || json!({ "_text": String::from_utf8_lossy(&answer.body) });
        serde_json::from_slice(&answer.body).unwrap_or_else(|_| text())
    }
}
