//! The one place where a request leaves for a server.

use std::borrow::{Borrow, Cow};
use std::time::Instant;

use hyper::body::Bytes;
use hyper::ext::ReasonPhrase;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use reqwest::Method;

use crate::core::failure::{Failure, FailureKind};
use crate::https::endpoint::Endpoint;
use crate::https::message::{Scrubber, root_cause};
use crate::https::observer::{Call, Outcome};
use crate::https::tls;
use crate::permit::{Permit, Room};

/// Largest answer that is read.
const MAX_ANSWER: u64 = 32 << 20;
/// Why an answer is not waited for any longer.
const TOO_LONG: &str = "it took too long";

/// A request with all that is sent. It has no `Debug`: headers and body may hold secrets.
pub(crate) struct Outgoing<'a> {
    pub(crate) method: Method,
    /// The path with `{…}` in place of ids, for whoever watches.
    pub(crate) template: &'static str,
    /// The path.
    pub(crate) path: String,
    pub(crate) query: &'a [(&'static str, String)],
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Body>,
    /// The right to send it, of a request that changes something.
    pub(crate) permit: Option<&'a Permit>,
}

/// What is sent in a request.
pub(crate) struct Body {
    pub(crate) content_type: Cow<'static, str>,
    pub(crate) bytes: Bytes,
}

/// An answer as it came in. It has no `Debug`: its body may hold secrets.
pub(crate) struct RawAnswer {
    pub(crate) status: u16,
    /// The reason phrase of the status line.
    pub(crate) reason: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl RawAnswer {
    /// A header as text.
    pub(crate) fn header(&self, name: &HeaderName) -> Option<Cow<'_, str>> {
        self.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()))
    }
}

impl Outgoing<'_> {
    fn is_write(&self) -> bool {
        self.permit.is_some()
    }

    fn method_name(&self) -> &'static str {
        match self.method {
            Method::GET => "GET",
            Method::POST => "POST",
            Method::PUT => "PUT",
            _ => "DELETE",
        }
    }
}

impl Endpoint {
    /// Sends one request once; `judge` says what its answer means. One that changes something is sent only while its
    /// permit lasts, and given up when that ends. `E` is a failure with what else the client has to know of it.
    pub(crate) async fn send<T, E: From<Failure> + Borrow<Failure>>(
        &self,
        request: &Outgoing<'_>,
        scrubber: &Scrubber,
        judge: impl FnOnce(&RawAnswer) -> Result<T, E>,
    ) -> Result<T, E> {
        let (method, path) = (request.method_name(), request.template);
        let call = Call { endpoint: self.shown.clone(), method, path, write: request.is_write() };
        let room = match request.permit {
            Some(permit) => Some(permit.begin(self.timeout).await.map_err(|lapsed| {
                // Nothing was sent.
                scrubber.failure(FailureKind::Unreachable, &lapsed.to_string(), "")
            })?),
            None => None,
        };
        let number = self.observer.before(&call).await;
        let start = Instant::now();
        let answer = self.exchange(request, room, scrubber).await;
        let (status, result) = match answer {
            Ok(answer) => (Some(answer.status), judge(&answer)),
            Err((status, failure)) => (status, Err(failure.into())),
        };
        let failure = result.as_ref().err().map(|failure| failure.borrow().kind);
        let outcome = Outcome { status, failure, duration: start.elapsed() };
        tracing::debug!(
            endpoint = %self.shown,
            method,
            path = request.path,
            status,
            failure = ?failure,
            duration = ?outcome.duration,
            "called {}",
            self.system
        );
        self.observer.after(number, &call, &outcome).await;
        result
    }

    /// Fails with the status as well, if that came.
    async fn exchange(
        &self,
        request: &Outgoing<'_>,
        room: Option<Room>,
        scrubber: &Scrubber,
    ) -> Result<RawAnswer, (Option<u16>, Failure)> {
        let mut url = self.base.clone();
        url.set_path(&request.path);
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(request.query);
        }
        let mut builder = self.http.request(request.method.clone(), url).headers(request.headers.clone());
        if let Some(Body { content_type, bytes }) = &request.body {
            builder = builder.header(CONTENT_TYPE, content_type.as_ref()).body(bytes.clone());
        }
        let sent = match room {
            Some(room) => room.hold(builder.timeout(room.allowed()).send()).await,
            None => Some(builder.send().await),
        };
        let mut response = match sent {
            Some(Ok(response)) => response,
            Some(Err(error)) => return Err((None, self.broken(&error, request, scrubber))),
            None => return Err((None, self.unanswered(request, TOO_LONG, scrubber))),
        };
        let status = response.status();
        let body = self.body(&mut response, request, scrubber).await;
        let body = body.map_err(|failure| (Some(status.as_u16()), failure))?;
        let reason = match response.extensions().get::<ReasonPhrase>() {
            Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
            None => status.canonical_reason().unwrap_or_default().to_owned(),
        };
        Ok(RawAnswer { status: status.as_u16(), reason, headers: response.headers().clone(), body })
    }

    async fn body(
        &self,
        response: &mut reqwest::Response,
        request: &Outgoing<'_>,
        scrubber: &Scrubber,
    ) -> Result<Bytes, Failure> {
        let mut body = Vec::new();
        let mut length = response.content_length().unwrap_or(0);
        while length <= MAX_ANSWER {
            match response.chunk().await {
                Ok(None) => return Ok(body.into()),
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Err(error) => return Err(self.broken(&error, request, scrubber)),
            }
            length = length.max(body.len() as u64);
        }
        let sentence = format!("{} gives an answer of more than {MAX_ANSWER} bytes", self.shown);
        Err(scrubber.failure(lost(request.is_write()), &sentence, ""))
    }

    /// What it means that no whole answer came.
    fn broken(&self, error: &reqwest::Error, request: &Outgoing<'_>, scrubber: &Scrubber) -> Failure {
        let endpoint = &self.shown;
        if let Some(why) = tls::certificate_refusal(error) {
            let sentence = format!("wrong certificate at {endpoint} (tls.fingerprints, tls.caBundle)");
            return scrubber.failure(FailureKind::Certificate, &sentence, &why);
        }
        let cause = if error.is_timeout() { TOO_LONG.to_owned() } else { root_cause(error) };
        if error.is_connect() || error.is_builder() {
            return scrubber.failure(FailureKind::Unreachable, &format!("{endpoint} cannot be reached"), &cause);
        }
        self.unanswered(request, &cause, scrubber)
    }

    fn unanswered(&self, request: &Outgoing<'_>, cause: &str, scrubber: &Scrubber) -> Failure {
        let endpoint = &self.shown;
        let sentence = if request.is_write() {
            format!("the answer of {endpoint} to a change was lost; what stands is read again")
        } else {
            format!("{endpoint} gives no answer")
        };
        scrubber.failure(lost(request.is_write()), &sentence, cause)
    }
}

/// A request whose answer was not the server's may have been carried out all the same if it was a write.
pub(crate) fn lost(write: bool) -> FailureKind {
    if write { FailureKind::Lost } else { FailureKind::Unreachable }
}
