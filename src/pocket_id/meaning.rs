//! What Pocket ID means by its answers: by their code where they have one (2.13 on), else by status and sentence
//! (FACTS 6). Something in between may answer in its place: only what looks like its own answer is believed.

use std::borrow::Borrow;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, RETRY_AFTER};
use serde::Deserialize;

use crate::core::failure::{Failure, FailureKind};
use crate::https::exchange::{RawAnswer, lost};
use crate::https::message::Scrubber;

/// A failed request.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) failure: Failure,
    /// `None` when no answer came, or nothing was sent.
    pub(crate) meaning: Option<Meaning>,
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self { failure, meaning: None }
    }
}

impl From<Refusal> for Failure {
    fn from(Refusal { failure, meaning: _ }: Refusal) -> Self {
        failure
    }
}

impl Borrow<Failure> for Refusal {
    fn borrow(&self) -> &Failure {
        &self.failure
    }
}

/// What an answer means that is no success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The rate limit is reached; surely nothing was done. Says when to come again, or does not.
    TooMany(Option<Duration>),
    /// The path does not exist: another version, or another URL than its own. Nothing is said about any object.
    NoEndpoint,
    /// The web interface: so old versions answer unknown paths.
    WebPage,
    /// The key is wrong, expired or revoked; which one is not told.
    NotSignedIn,
    /// The key's user is disabled.
    Disabled,
    /// A user is in none of the groups that a client lets in.
    TurnedAway,
    /// The key's user is no administrator, or the object belongs to a directory.
    Forbidden,
    /// The object is not there.
    NotThere,
    /// Another object has this id or name.
    Taken,
    /// A value breaks a rule.
    Invalid,
    /// It failed.
    Broken,
    /// Not an answer of Pocket ID.
    Foreign,
}

/// Body of a failure.
#[derive(Deserialize)]
struct Said {
    error: String,
    #[serde(default)]
    code: Option<String>,
}

/// The body of a success, or what else it means. `write` says whether the request may have changed something.
pub(crate) fn judge(raw: &RawAnswer, write: bool, scrubber: &Scrubber) -> Result<Bytes, Refusal> {
    let content_type = raw.header(&CONTENT_TYPE).unwrap_or_default();
    let is = |kind: &str| content_type.split(';').next().is_some_and(|text| text.trim().eq_ignore_ascii_case(kind));
    if (matches!(raw.status, 200 | 201) && is("application/json")) || (raw.status == 204 && raw.body.is_empty()) {
        return Ok(raw.body.clone());
    }
    let said: Option<Said> = is("application/json").then(|| serde_json::from_slice(&raw.body).ok()).flatten();
    let meaning = match (raw.status, &said) {
        (429, _) => Meaning::TooMany(retry_after(raw)),
        (200, None) if is("text/html") => Meaning::WebPage,
        (status, Some(said)) => meaning(status, said),
        (_, None) => Meaning::Foreign,
    };
    let detail = match (meaning, said) {
        (Meaning::TooMany(_), None) => String::new(),
        (Meaning::Foreign | Meaning::WebPage, _) | (_, None) => foreign(raw, &content_type),
        (_, Some(Said { error, code: _ })) => error,
    };
    let failure = scrubber.failure(meaning.kind(write), meaning.sentence(write), &detail);
    Err(Refusal { failure, meaning: Some(meaning) })
}

fn meaning(status: u16, said: &Said) -> Meaning {
    match said.code.as_deref() {
        Some("not_found") => return Meaning::NotThere,
        Some("already_in_use" | "client_id_already_exists") => return Meaning::Taken,
        Some("invalid_request_body") => return Meaning::Invalid,
        Some(_) | None => {}
    }
    match (status, said.error.as_str()) {
        (400, sentence) if sentence.ends_with("already in use") => Meaning::Taken,
        (400 | 413 | 415 | 422, _) => Meaning::Invalid,
        (401, _) => Meaning::NotSignedIn,
        (403, "User account is disabled") => Meaning::Disabled,
        (403, "You're not allowed to access this service") => Meaning::TurnedAway,
        (403, _) => Meaning::Forbidden,
        (404, "API endpoint not found") => Meaning::NoEndpoint,
        (404, "Record not found") => Meaning::NotThere,
        (409, _) => Meaning::Taken,
        (404 | 500, _) => Meaning::Broken,
        _ => Meaning::Foreign,
    }
}

/// Pocket ID says seconds.
fn retry_after(raw: &RawAnswer) -> Option<Duration> {
    raw.header(&RETRY_AFTER)?.trim().parse().ok().map(Duration::from_secs)
}

fn foreign(raw: &RawAnswer, content_type: &str) -> String {
    let RawAnswer { status, reason, .. } = raw;
    match (status, content_type) {
        (300..400, _) => format!("HTTP {status} {reason} redirects, which is not followed"),
        (_, "") => format!("HTTP {status} {reason} without a content type is not an answer of its API"),
        (_, kind) => format!("HTTP {status} {reason} with {kind} is not an answer of its API"),
    }
}

impl Meaning {
    fn kind(self, write: bool) -> FailureKind {
        match self {
            Self::TooMany(_) | Self::NoEndpoint => FailureKind::Unreachable,
            Self::WebPage | Self::Foreign => lost(write),
            Self::NotSignedIn | Self::Disabled => FailureKind::Authentication,
            Self::TurnedAway | Self::Forbidden => FailureKind::Forbidden,
            Self::NotThere => FailureKind::Gone,
            Self::Taken => FailureKind::AlreadyExists,
            Self::Invalid => FailureKind::Invalid,
            Self::Broken => FailureKind::Other,
        }
    }

    /// Our own words, saying what to do.
    fn sentence(self, write: bool) -> &'static str {
        match self {
            Self::TooMany(_) => "Pocket ID's rate limit is reached; it is tried again later",
            Self::NoEndpoint => {
                "Pocket ID has no such call; check that the URL is its APP_URL and its version a supported one"
            }
            Self::WebPage | Self::Foreign if write => "the answer to a change was lost; what stands is read again",
            Self::WebPage | Self::Foreign => "what answers there is not Pocket ID",
            Self::NotSignedIn => "Pocket ID refuses the API key; check it, its expiry, and that it was not revoked",
            Self::Disabled => "the user of the API key is disabled; enable it, or use another key",
            Self::TurnedAway => "the user is in none of the groups that may sign in",
            Self::Forbidden => {
                "Pocket ID does not allow it; use an administrator's API key, and change what comes from LDAP there"
            }
            Self::NotThere => "it is not there",
            Self::Taken => "it is there already",
            Self::Invalid => "Pocket ID refuses the values; correct them",
            Self::Broken => "Pocket ID failed",
        }
    }
}
