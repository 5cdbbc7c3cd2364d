//! Messages over a blocking connection.

use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use bytes::BytesMut;
use ldap3_proto::LdapCodec;
use ldap3_proto::proto::{LdapMsg, LdapOp};
use tokio_util::codec::{Decoder, Encoder};

/// How long the other side may be silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// One side of a connection.
pub(super) struct Wire {
    stream: TcpStream,
    codec: LdapCodec,
    received: BytesMut,
}

impl Wire {
    pub fn new(stream: TcpStream) -> std::io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, codec: LdapCodec::default(), received: BytesMut::new() })
    }

    pub fn send(&mut self, number: i32, op: LdapOp) -> std::io::Result<()> {
        let mut bytes = BytesMut::new();
        self.codec.encode(LdapMsg::new(number, op), &mut bytes)?;
        self.stream.write_all(&bytes)
    }

    /// The next message; `None` when the other side has hung up.
    pub fn receive(&mut self) -> std::io::Result<Option<LdapMsg>> {
        loop {
            if let Some(message) = self.codec.decode(&mut self.received)? {
                return Ok(Some(message));
            }
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk)? {
                0 => return Ok(None),
                count => self.received.extend_from_slice(&chunk[..count]),
            }
        }
    }
}
