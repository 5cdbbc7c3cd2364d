//! The one place where a request leaves for Proxmox VE.

use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use hyper::ext::ReasonPhrase;
use hyper::header::{CONTENT_TYPE, HeaderMap, WWW_AUTHENTICATE};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::pki_types::ServerName;
use url::Url;

use crate::core::failure::{Failure, FailureKind};
use crate::core::secret::Secret;
use crate::permit::{Lapsed, Room};
use crate::pve::answer::{Answer, lost};
use crate::pve::config::{Settings, SettingsError, shown};
use crate::pve::message::Scrubber;
use crate::pve::observer::{Call, CallObserver, Outcome};
use crate::pve::request::Request;
use crate::pve::tls::{self, Seen};

/// Largest answer that is read.
const MAX_ANSWER: u64 = 32 << 20;
/// Proxmox VE closes an idle connection after 5 s; a write must not meet that moment, or its answer counts as lost.
const IDLE: Duration = Duration::from_secs(4);
/// Why an answer is not waited for any longer.
const TOO_LONG: &str = "it took too long";
/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// One endpoint.
pub(crate) struct Transport {
    http: reqwest::Client,
    /// What requests go to; its host is the name to ask for in the handshake.
    base: Url,
    /// Scheme, host and port as configured, for people.
    endpoint: String,
    seen: Arc<Seen>,
    /// How long a request may take.
    timeout: Duration,
    observer: Arc<dyn CallObserver>,
}

/// Headers that say who asks, and what must not come back in messages for that.
#[derive(Default)]
pub(crate) struct Authorization {
    pub(crate) headers: HeaderMap,
    pub(crate) secrets: Vec<Secret>,
    /// Since when the ticket is held, if it is one: it can be renewed.
    pub(crate) ticket: Option<Instant>,
}

/// How far an exchange came.
struct Exchange {
    status: Option<u16>,
    result: Result<Bytes, Failure>,
}

impl Transport {
    pub(crate) fn new(
        settings: &Settings,
        endpoint: &Url,
        observer: Arc<dyn CallObserver>,
    ) -> Result<Self, SettingsError> {
        let seen = Arc::new(Seen::default());
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(&settings.tls, Arc::clone(&seen))?)
            .https_only(true)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(settings.request_timeout)
            .connect_timeout(CONNECT.min(settings.request_timeout))
            .pool_idle_timeout(IDLE)
            .user_agent(user_agent(settings.replica.as_deref()))
            .no_proxy();
        let mut base = endpoint.clone();
        if let Some(proxy) = &settings.proxy {
            builder = builder.proxy(reqwest::Proxy::https(proxy.clone()).map_err(|_| SettingsError::Proxy)?);
        } else if let Some(ServerName::DnsName(name)) = tls::server_name(&settings.tls)? {
            // The HTTP client asks for the host of the URL, so that is the name, and it leads to the endpoint.
            let to = Redirected { host: endpoint.host_str().unwrap_or_default().to_owned() };
            builder = builder.dns_resolver(to);
            base.set_host(Some(name.as_ref())).map_err(|_| SettingsError::ServerName(name.as_ref().to_owned()))?;
        }
        let http = builder.build().map_err(|error| SettingsError::Client(root_cause(&error)))?;
        Ok(Self { http, base, endpoint: shown(endpoint), seen, timeout: settings.request_timeout, observer })
    }

    /// Scheme, host and port as configured.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What the server presented last.
    pub(crate) fn certificate(&self) -> Option<tls::Certificate> {
        self.seen.certificate()
    }

    /// Sends one request once and gives the body of Proxmox VE's answer. One that changes something is sent only while its
    /// permit lasts, and given up when that ends.
    pub(crate) async fn send(&self, request: &Request, authorization: &Authorization) -> Result<Bytes, Failure> {
        let call = Call {
            endpoint: self.endpoint.clone(),
            method: request.method_name(),
            path: request.template,
            write: request.is_write(),
        };
        let known = authorization.secrets.iter().chain(&request.secrets);
        let scrubber = Scrubber::new(known);
        let room = match &request.permit {
            Some(permit) => Some(permit.begin(self.timeout).await.map_err(|lapsed| unsent(lapsed, &scrubber))?),
            None => None,
        };
        self.observer.before(&call).await;
        let start = Instant::now();
        let Exchange { status, result } = self.exchange(request, authorization, room, &scrubber).await;
        let failure = result.as_ref().err().map(|failure| failure.kind);
        let outcome = Outcome { status, failure, duration: start.elapsed() };
        tracing::debug!(
            endpoint = %self.endpoint,
            method = call.method,
            path = request.path().unwrap_or_default(),
            status,
            failure = ?failure,
            duration = ?outcome.duration,
            "called Proxmox VE"
        );
        self.observer.after(&call, &outcome).await;
        result
    }

    async fn exchange(
        &self,
        request: &Request,
        authorization: &Authorization,
        room: Option<Room>,
        scrubber: &Scrubber,
    ) -> Exchange {
        let Some(path) = request.path() else {
            let failure =
                scrubber.failure(FailureKind::Invalid, "Proxmox VE's API cannot address an id that is only dots", "");
            return Exchange { status: None, result: Err(failure) };
        };
        let mut url = self.base.clone();
        url.set_path(&format!("/api2/json{path}"));
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let mut builder = self.http.request(request.method.clone(), url).headers(authorization.headers.clone());
        if !request.form.is_empty() {
            builder = builder.form(&request.form);
        }
        let sent = match room {
            Some(room) => room.hold(builder.timeout(room.allowed()).send()).await,
            None => Some(builder.send().await),
        };
        let mut response = match sent {
            Some(Ok(response)) => response,
            Some(Err(error)) => return Exchange { status: None, result: Err(self.broken(&error, request, scrubber)) },
            None => return Exchange { status: None, result: Err(self.unanswered(request, TOO_LONG, scrubber)) },
        };
        let status = response.status();
        let reason = match response.extensions().get::<ReasonPhrase>() {
            Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
            None => status.canonical_reason().unwrap_or_default().to_owned(),
        };
        let header =
            |name| response.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let content_type = header(CONTENT_TYPE);
        let challenges = response.headers().contains_key(WWW_AUTHENTICATE);
        let result = match self.body(&mut response, request, scrubber).await {
            Err(failure) => Err(failure),
            Ok(body) => {
                let answer = Answer {
                    status: status.as_u16(),
                    reason: &reason,
                    content_type: content_type.as_deref(),
                    challenges,
                    body: &body,
                };
                if answer.is_success() {
                    Ok(body)
                } else {
                    Err(answer.failure(&request.about, request.is_write(), scrubber))
                }
            }
        };
        Exchange { status: Some(status.as_u16()), result }
    }

    async fn body(
        &self,
        response: &mut reqwest::Response,
        request: &Request,
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
        let sentence = format!("{} gives an answer of more than {MAX_ANSWER} bytes", self.endpoint);
        Err(scrubber.failure(lost(request.is_write()), &sentence, ""))
    }

    /// What it means that no whole answer came.
    fn broken(&self, error: &reqwest::Error, request: &Request, scrubber: &Scrubber) -> Failure {
        let endpoint = &self.endpoint;
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

    fn unanswered(&self, request: &Request, cause: &str, scrubber: &Scrubber) -> Failure {
        let endpoint = &self.endpoint;
        let sentence = if request.is_write() {
            format!("the answer of {endpoint} to a change was lost; what stands is read again")
        } else {
            format!("{endpoint} gives no answer")
        };
        scrubber.failure(lost(request.is_write()), &sentence, cause)
    }
}

/// Who asks, for Proxmox VE's access log.
fn user_agent(replica: Option<&str>) -> String {
    let agent = concat!("proxmox-identity/", env!("CARGO_PKG_VERSION"));
    replica.map_or_else(|| agent.to_owned(), |replica| format!("{agent} ({replica})"))
}

/// Nothing was sent.
fn unsent(lapsed: Lapsed, scrubber: &Scrubber) -> Failure {
    scrubber.failure(FailureKind::Unreachable, &lapsed.to_string(), "")
}

/// The innermost cause: the outer ones only say that something failed.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    let Some(cause) = cause else { return String::new() };
    match cause.downcast_ref::<io::Error>().map(io::Error::kind) {
        // In the words of the TLS library this is a link to its manual.
        Some(io::ErrorKind::UnexpectedEof) => "the connection was closed".to_owned(),
        _ => cause.to_string(),
    }
}

/// Leads every name to one host.
struct Redirected {
    host: String,
}

impl Resolve for Redirected {
    fn resolve(&self, _name: Name) -> Resolving {
        // An IPv6 address stands in brackets in a URL, and only there.
        let host = self.host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
