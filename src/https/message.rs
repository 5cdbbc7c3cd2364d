//! What a failure may say: one bounded line without secrets.

use std::error::Error;
use std::io;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded::byte_serialize;

use crate::core::failure::{Failure, FailureKind};
use crate::core::secret::Secret;

/// Longest message in characters.
pub(crate) const MAX_MESSAGE: usize = 300;

/// Texts that must not appear in messages, in the spellings that a server may echo.
pub(crate) struct Scrubber(Vec<String>);

impl Scrubber {
    /// Knows these secrets.
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut texts: Vec<String> = secrets.into_iter().flat_map(|secret| spellings(secret.expose())).collect();
        // The longest first: a secret may be part of another one.
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        texts.dedup();
        Self(texts)
    }

    /// `sentence: detail` as a failure, where `detail` comes from outside: secrets out, first line, bounded.
    pub(crate) fn failure(&self, kind: FailureKind, sentence: &str, detail: &str) -> Failure {
        let detail = self.line(detail);
        let text = if detail.is_empty() { sentence.to_owned() } else { format!("{sentence}: {detail}") };
        Failure { kind, message: bounded(&text) }
    }

    /// Secrets are taken out before the text is cut, so that no part of one is left at the cut.
    fn line(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            text = text.replace(secret.as_str(), "[secret]");
        }
        text.trim().lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect()
    }
}

/// The text itself, its lines (a status line shows only the first), and its encoded forms.
fn spellings(secret: &str) -> Vec<String> {
    let mut all = vec![secret.to_owned()];
    all.extend(secret.lines().map(str::trim).filter(|line| line.len() > 3).map(str::to_owned));
    all.push(utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string());
    all.push(byte_serialize(secret.as_bytes()).collect());
    all.retain(|text| !text.is_empty());
    all
}

fn bounded(text: &str) -> String {
    if text.chars().count() <= MAX_MESSAGE {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(MAX_MESSAGE - 1).collect();
    cut.push('…');
    cut
}

/// The innermost cause: the outer ones only say that something failed.
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    match cause.downcast_ref::<io::Error>().map(io::Error::kind) {
        // In the words of the TLS library this is a link to its manual.
        Some(io::ErrorKind::UnexpectedEof) => "the connection was closed".to_owned(),
        _ => cause.to_string(),
    }
}
