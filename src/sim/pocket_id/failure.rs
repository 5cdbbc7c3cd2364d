//! Why a call did not succeed, and how each release says so (FACTS 6).
//!
//! Up to 2.12 a failure is one English sentence. From 2.13 on it has a code too, and some are other failures. The codes
//! that are known are `not_found`, `already_in_use`, `client_id_already_exists` and `invalid_request_body`; the
//! others are guesses, made like these.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::release::Release;
use crate::sim::secrets::random_uuid;

/// A failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    status: u16,
    /// From 2.13 on; a path that does not exist has none.
    code: Option<&'static str>,
    /// For people.
    sentence: String,
    /// `details.property` from 2.13 on.
    property: Option<&'static str>,
    /// `Retry-After`.
    retry_after: Option<Duration>,
    /// What it is from 2.13 on, if that is another.
    later: Option<Box<Self>>,
}

impl Failure {
    /// The same in all releases.
    pub fn new(status: u16, code: &'static str, sentence: impl Into<String>) -> Self {
        let sentence = sentence.into();
        Self { status, code: Some(code), sentence, property: None, retry_after: None, later: None }
    }

    /// Another one from 2.13 on.
    #[must_use]
    pub fn later(self, later: Self) -> Self {
        Self { later: Some(Box::new(later)), ..self }
    }

    /// What was asked for is not there.
    pub fn not_found() -> Self {
        Self::new(404, "not_found", "Record not found")
    }

    /// There is no such path or method; never to be taken for [`Self::not_found`].
    pub fn no_endpoint() -> Self {
        Self { code: None, ..Self::new(404, "", "API endpoint not found") }
    }

    /// A 500, up to 2.12 also for mistakes of the caller.
    pub fn broken() -> Self {
        Self::new(500, "internal_error", "Something went wrong")
    }

    /// The body is no JSON, or a value is of the wrong type.
    pub fn unreadable() -> Self {
        Self::broken().later(Self::new(400, "invalid_request_body", "Invalid request body"))
    }

    /// A value breaks a rule.
    pub fn invalid(sentence: impl Into<String>) -> Self {
        Self::new(400, "validation_failed", sentence)
    }

    /// Another object has this value; `property` is in lower case.
    pub fn in_use(property: &'static str) -> Self {
        let (first, rest) = property.split_at(1);
        let said = |status| {
            let sentence = format!("{}{rest} is already in use", first.to_uppercase());
            Self { property: Some(property), ..Self::new(status, "already_in_use", sentence) }
        };
        said(400).later(said(409))
    }

    /// No login, or a bad one.
    pub fn not_signed_in() -> Self {
        Self::new(401, "not_signed_in", "You are not signed in")
    }

    /// Too many requests; some releases say when to come again.
    pub fn too_many_requests(retry_after: Option<Duration>) -> Self {
        Self { retry_after, ..Self::new(429, "too_many_requests", "Too many requests") }
    }

    /// What it says to people.
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// How a release says it.
    pub fn answer(self, release: Release) -> Answer {
        let Self { status, code, sentence, property, retry_after, later } = self;
        let mut body = Map::from_iter([("error".to_owned(), Value::from(sentence))]);
        let mut answer = if release.has_error_codes() {
            if let Some(later) = later {
                return later.answer(release);
            }
            let request_id = random_uuid();
            body.extend(code.map(|code| ("code".to_owned(), Value::from(code))));
            body.extend(property.map(|property| ("details".to_owned(), json!({ "property": property }))));
            body.insert("request_id".to_owned(), Value::from(request_id.as_str()));
            Answer::json(status, &Value::Object(body)).with("x-request-id", request_id)
        } else {
            Answer::json(status, &Value::Object(body))
        };
        // Whole seconds, and never too early.
        answer.headers.extend(retry_after.map(|wait| ("retry-after", wait.as_millis().div_ceil(1000).to_string())));
        answer
    }
}
