//! What a call answers.

use serde_json::Value;

/// Content type of JSON, as Pocket ID writes it.
pub const JSON: &str = "application/json; charset=utf-8";
/// Content type of pages.
pub const HTML: &str = "text/html; charset=utf-8";

/// A complete answer.
#[derive(Debug, Default)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Absent where there is no body.
    pub content_type: Option<String>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// JSON with this status.
    pub fn json(status: u16, value: &Value) -> Self {
        Self::content(status, JSON, value.to_string().into_bytes())
    }

    /// JSON with status 200.
    pub fn ok(value: &Value) -> Self {
        Self::json(200, value)
    }

    /// Nothing to say.
    pub fn no_content() -> Self {
        Self { status: 204, ..Self::default() }
    }

    /// Content of any type.
    pub fn content(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self { status, content_type: Some(content_type.to_owned()), headers: Vec::new(), body }
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, header: &'static str, value: String) -> Self {
        self.headers.push((header, value));
        self
    }

    /// The redirect of a path with a slash too many (recording `idempotence-methods`): 301, or 307 for what is no GET.
    pub fn without_slash(method: &str, target: &str) -> Self {
        let answer = if method == "GET" {
            let link = format!("<a href=\"{}\">Moved Permanently</a>.\n\n", target.replace('&', "&amp;"));
            Self::content(301, HTML, link.into_bytes())
        } else {
            Self { status: 307, ..Self::default() }
        };
        answer.with("location", target.to_owned())
    }
}
