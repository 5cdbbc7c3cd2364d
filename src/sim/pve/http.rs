//! HTTP/1.1 as pveproxy speaks it, byte for byte where clients notice: status lines with free text, two
//! `Connection` headers, header values with their trailing blanks. A general HTTP library hides just these.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::answer::Answer;

/// A head beyond this is never answered (FACTS 10).
const LONGEST_HEAD: usize = 8 * 1024;
/// A body beyond this is refused (FACTS 10).
const LONGEST_BODY: usize = 512 * 1024;

/// One request.
#[derive(Debug, Default)]
pub struct Request {
    /// As it was sent.
    pub method: String,
    /// Path and query as they were sent, each byte as one character.
    pub target: String,
    /// Names in lower case; values each byte as one character.
    headers: Vec<(String, String)>,
    /// The body, if there was one that we take.
    pub body: Vec<u8>,
    /// Whether the body was too long to read.
    pub too_large: bool,
    /// Whether the client keeps the connection.
    pub keep_alive: bool,
}

/// What came in on a connection.
#[derive(Debug)]
pub enum Incoming {
    /// A request.
    Request(Request),
    /// A head that is too long, or not HTTP.
    Unanswerable,
    /// The client went away.
    Closed,
}

impl Request {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// Bytes that were read and not used yet.
#[derive(Default)]
pub struct Buffer(Vec<u8>);

impl Buffer {
    async fn more(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> bool {
        self.0.reserve(16 * 1024);
        matches!(stream.read_buf(&mut self.0).await, Ok(read) if read > 0)
    }
}

/// Reads the next request of a connection.
pub async fn read(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Buffer) -> Incoming {
    let end = loop {
        let end = buffer.0.windows(4).position(|window| window == b"\r\n\r\n");
        if end.unwrap_or(buffer.0.len()) > LONGEST_HEAD {
            return Incoming::Unanswerable;
        }
        if let Some(end) = end {
            break end;
        }
        if !buffer.more(stream).await {
            return Incoming::Closed;
        }
    };
    let head: Vec<u8> = buffer.0.drain(..end + 4).collect();
    let Some(mut request) = parse_head(&head[..end]) else { return Incoming::Unanswerable };
    let length = request.header("content-length").and_then(|length| length.trim().parse().ok()).unwrap_or(0);
    if length > LONGEST_BODY {
        request.too_large = true;
        return Incoming::Request(request);
    }
    while buffer.0.len() < length {
        if !buffer.more(stream).await {
            return Incoming::Closed;
        }
    }
    request.body = buffer.0.drain(..length).collect();
    Incoming::Request(request)
}

fn parse_head(head: &[u8]) -> Option<Request> {
    let text: String = head.iter().copied().map(char::from).collect();
    let mut lines = text.split("\r\n");
    let mut words = lines.next()?.splitn(2, ' ');
    let method = words.next()?.to_owned();
    let (target, version) = words.next()?.rsplit_once(' ')?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        // A blank at the end stays: it makes a token wrong (recording `auth-token`).
        .map(|(name, value)| (name.to_ascii_lowercase(), value.strip_prefix(' ').unwrap_or(value).to_owned()))
        .collect();
    let mut request = Request { method, target: target.to_owned(), headers, ..Request::default() };
    let connection = request.header("connection").unwrap_or_default().to_ascii_lowercase();
    request.keep_alive = version == "HTTP/1.1" && !connection.contains("close");
    Some(request)
}

/// Sends an answer.
///
/// # Errors
/// When the client went away.
pub async fn write(stream: &mut (impl AsyncWrite + Unpin), answer: &Answer, keep_alive: bool) -> std::io::Result<()> {
    let mut head = String::from("Cache-Control: max-age=0\r\n");
    // The root daemon's answer brings a `close` of its own (FACTS 9).
    let connection: &[&str] = match (keep_alive, answer.protected) {
        (true, true) => &["close", "Keep-Alive"],
        (true, false) => &["Keep-Alive"],
        (false, _) => &["close"],
    };
    for value in connection {
        let _ = write!(head, "Connection: {value}\r\n");
    }
    head.push_str("Pragma: no-cache\r\nServer: pve-api-daemon/3.0\r\n");
    if let Some(content_type) = answer.content_type {
        let _ = write!(head, "Content-Type: {content_type}\r\n");
    }
    let _ = write!(head, "Content-Length: {}\r\n\r\n", answer.body.len());
    let mut bytes = format!("HTTP/1.1 {} ", answer.status).into_bytes();
    bytes.extend(status_line(&answer.reason));
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(head.as_bytes());
    bytes.extend_from_slice(&answer.body);
    stream.write_all(&bytes).await?;
    stream.flush().await
}

/// Perl prints text as Latin-1 where that is possible and as UTF-8 otherwise (recording `users-bad-ids`).
fn status_line(reason: &str) -> Vec<u8> {
    let line = reason.lines().next().unwrap_or_default();
    line.chars()
        .map(|c| u8::try_from(u32::from(c)))
        .collect::<Result<Vec<u8>, _>>()
        .unwrap_or_else(|_| line.as_bytes().to_vec())
}

/// Ends a connection so that the client still gets the answer: what it is sending is read for a while.
pub async fn close(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let drain = async {
        let _ = stream.shutdown().await;
        let mut rest = vec![0; 64 * 1024];
        while matches!(stream.read(&mut rest).await, Ok(read) if read > 0) {}
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), drain).await;
}
