//! One raw HTTP/1.1 request on a fresh TLS connection: status lines, odd methods and odd headers matter here.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// An answer as it came over the wire.
#[derive(Debug, Default)]
pub struct Answer {
    /// 0 when the connection ended without an answer.
    pub status: u16,
    pub reason: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// Trusts a simulator's own authority.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    connector: TlsConnector,
}

impl Client {
    /// For the simulator at an address, with the certificate of its authority.
    pub fn new(address: SocketAddr, authority: &str) -> Self {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_slice(authority.as_bytes()).expect("a certificate");
        roots.add(authority).expect("an authority");
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("usual versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { address, connector: TlsConnector::from(Arc::new(config)) }
    }

    /// Sends a request; the headers come as they are, also their length.
    pub async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> std::io::Result<Answer> {
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::IpAddress(self.address.ip().into());
        let mut stream = self.connector.connect(name, stream).await?;
        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for (name, value) in headers {
            let _ = write!(request, "{name}: {value}\r\n");
        }
        request.push_str("\r\n");
        let mut bytes = request.into_bytes();
        bytes.extend_from_slice(body);
        stream.write_all(&bytes).await?;
        stream.flush().await?;
        receive(&mut stream, method).await
    }
}

async fn receive(stream: &mut (impl AsyncReadExt + Unpin), method: &str) -> std::io::Result<Answer> {
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        if let Some(answer) = parse(&bytes, method) {
            return Ok(answer);
        }
        match stream.read(&mut chunk).await {
            Ok(read) if read > 0 => bytes.extend_from_slice(&chunk[..read]),
            Ok(_) | Err(_) if bytes.is_empty() => return Ok(closed()),
            Ok(_) => return Err(std::io::Error::other("the answer is cut")),
            Err(error) => return Err(error),
        }
    }
}

fn closed() -> Answer {
    Answer { reason: "connection closed without an answer".to_owned(), ..Answer::default() }
}

/// The answer, once it is complete.
fn parse(bytes: &[u8], method: &str) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head: String = bytes[..end].iter().copied().map(char::from).collect();
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.splitn(3, ' ');
    let status = words.nth(1)?.parse().ok()?;
    let reason = words.next().unwrap_or_default().to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let answer = Answer { status, reason, headers, body: bytes[end + 4..].to_vec() };
    let has_body = method != "HEAD" && status != 204;
    let length: usize = if has_body { answer.header("content-length")?.parse().ok()? } else { 0 };
    (answer.body.len() >= length).then_some(answer)
}
