//! What a call answers, and how that looks on the wire in the formats `json` and `extjs`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// Content type of every formatted answer.
pub const JSON: &str = "application/json;charset=UTF-8";

/// Why a call did not succeed.
#[derive(Debug)]
pub enum Failure {
    /// Said in the format that was asked for. The message is complete, with its newline if it has one.
    Said {
        /// HTTP status.
        status: u16,
        /// For people.
        message: String,
        /// Bad parameters.
        errors: BTreeMap<String, String>,
    },
    /// Said before the format counts: the body is plain text, or nothing.
    Plain {
        /// HTTP status.
        status: u16,
        /// The status line.
        reason: String,
        /// The body.
        body: String,
    },
    /// A fault: what a proxy in between would say.
    Proxy(u16),
    /// A fault: the connection ends without an answer.
    Cut,
}

impl Failure {
    /// Something went wrong inside a call: 500 with this text.
    pub fn die(text: impl Into<String>) -> Self {
        Self::status(500, format!("{}\n", text.into()))
    }

    /// A status with a complete message.
    pub fn status(status: u16, message: impl Into<String>) -> Self {
        Self::Said { status, message: message.into(), errors: BTreeMap::new() }
    }

    /// Bad parameters.
    pub fn parameters(errors: BTreeMap<String, String>) -> Self {
        Self::Said { status: 400, message: "Parameter verification failed.\n".to_owned(), errors }
    }

    /// One bad parameter.
    pub fn parameter(name: &str, error: impl Into<String>) -> Self {
        Self::parameters(BTreeMap::from([(name.to_owned(), error.into())]))
    }

    /// No permission; the detail is what PVE puts in parentheses.
    pub fn forbidden(detail: &str) -> Self {
        let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
        Self::status(403, format!("Permission check failed{detail}\n"))
    }

    /// No or bad login: an empty answer.
    pub fn login(reason: &str) -> Self {
        Self::Plain { status: 401, reason: reason.to_owned(), body: String::new() }
    }

    /// A refusal of the HTTP server itself: its text is the body too.
    pub fn plain(status: u16, text: &str) -> Self {
        Self::Plain { status, reason: text.to_owned(), body: text.to_owned() }
    }

    /// What becomes of a failure inside a locked change: the text with its prefix as a 500; an inner status
    /// is text only, and the detail of bad parameters stands on the following lines (FACTS 4).
    #[must_use]
    pub fn prefixed(self, prefix: &str) -> Self {
        let Self::Said { status, message, errors } = self else { return self };
        let inner = if status == 500 { String::new() } else { format!("{status} ") };
        let mut text = format!("{prefix}{inner}{message}");
        for (name, error) in errors {
            let _ = writeln!(text, "{name}: {error}");
        }
        Self::status(500, text)
    }
}

/// The format of answers, by the path under `/api2/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Plain HTTP semantics.
    Json,
    /// Always 200, the status in the body; for the web interface.
    ExtJs,
}

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The status line; only its first line is sent.
    pub reason: String,
    /// Absent for plain text.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the root daemon handled it (FACTS 9).
    pub protected: bool,
}

impl Answer {
    /// Formats the outcome of a call; `None` when the connection is to be cut.
    pub fn new(outcome: Result<Value, Failure>, total: Option<usize>, format: Format, protected: bool) -> Option<Self> {
        let (status, reason, body) = match (outcome, format) {
            (Ok(data), Format::Json) => {
                let mut body = Map::from_iter([("data".to_owned(), data)]);
                body.extend(total.map(|total| ("total".to_owned(), json!(total))));
                (200, "OK".to_owned(), Value::Object(body))
            }
            (Ok(data), Format::ExtJs) => (200, "OK".to_owned(), json!({ "data": data, "success": 1 })),
            (Err(Failure::Said { status, message, errors }), format) => {
                let mut body = Map::from_iter([
                    ("data".to_owned(), Value::Null),
                    ("message".to_owned(), Value::from(message.as_str())),
                ]);
                if !errors.is_empty() {
                    body.insert("errors".to_owned(), json!(errors));
                }
                if format == Format::ExtJs {
                    // The root daemon's status comes through a header, so it is text (recording `auth-token`).
                    let code = if protected { json!(status.to_string()) } else { json!(status) };
                    body.extend([("success".to_owned(), json!(0)), ("status".to_owned(), code)]);
                    (200, "OK".to_owned(), Value::Object(body))
                } else {
                    (status, message, Value::Object(body))
                }
            }
            (Err(Failure::Plain { status, reason, body }), _) => {
                return Some(Self { status, reason, content_type: None, body: body.into_bytes(), protected: false });
            }
            (Err(Failure::Proxy(status)), _) => {
                let body = crate::sim::faults::proxy_page(status);
                let content_type = Some("text/html");
                let reason = "Proxy Says No".to_owned();
                return Some(Self { status, reason, content_type, body: body.into_bytes(), protected: false });
            }
            (Err(Failure::Cut), _) => return None,
        };
        let body = body.to_string().into_bytes();
        Some(Self { status, reason, content_type: Some(JSON), body, protected })
    }
}
