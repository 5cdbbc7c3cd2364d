//! Who watches the calls: metrics, and the tests that stop the operator at a certain call.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::core::failure::FailureKind;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Scheme, host and port of the endpoint.
    pub endpoint: String,
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// The path with `{realm}` in place of ids: few different values, fit for a metric.
    pub path: &'static str,
    /// Whether it changes something.
    pub write: bool,
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { endpoint: _, method, path, write: _ } = self;
        write!(f, "{method} {path}")
    }
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The HTTP status, if one came.
    pub status: Option<u16>,
    /// What it means, unless it is a success.
    pub failure: Option<FailureKind>,
    /// From sending to the end of the answer.
    pub duration: Duration,
}

/// Is told of every request of one client, just before it and just after its answer, logins included.
///
/// It is waited for: an observer that never returns stops the operator at this very point.
pub trait CallObserver: Send + Sync {
    /// Nothing has been sent yet. What it answers with is handed to [`CallObserver::after`] of the same call.
    fn before<'a>(&'a self, _call: &'a Call) -> BoxFuture<'a, u64> {
        futures::future::ready(0).boxed()
    }

    /// The answer is here, or will not come.
    fn after<'a>(&'a self, _number: u64, _call: &'a Call, _outcome: &'a Outcome) -> BoxFuture<'a, ()> {
        futures::future::ready(()).boxed()
    }
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl CallObserver for Unobserved {}
