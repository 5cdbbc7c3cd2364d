//! The endpoints of one cluster: which one serves the next pass.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::core::failure::{Failure, FailureKind};
use crate::core::ids::ClusterId;
use crate::core::snapshot::Credential;
use crate::https::message::Scrubber;
use crate::https::observer::CallObserver;
use crate::https::settings::SettingsError;
use crate::permit::Permit;
use crate::pve::config::Settings;
use crate::pve::login::{Login, RENEW_AFTER};
use crate::pve::request::Request;
use crate::pve::session::{Session, get};
use crate::pve::transport::Transport;
use crate::pve::wire;

/// A client of one cluster with one credential. Made anew when the settings change.
pub struct Client {
    endpoints: Vec<Endpoint>,
    login: Arc<Login>,
    /// The endpoint that served last.
    current: AtomicUsize,
}

struct Endpoint {
    transport: Arc<Transport>,
    /// Read on the first use and after every failure to connect.
    version: Mutex<Option<Arc<str>>>,
}

impl Client {
    /// Makes a client; nothing is sent yet.
    ///
    /// # Errors
    /// When the settings cannot be used.
    pub fn new(settings: &Settings, observer: &Arc<dyn CallObserver>) -> Result<Self, SettingsError> {
        Self::renewing(settings, observer, RENEW_AFTER)
    }

    pub(crate) fn renewing(
        settings: &Settings,
        observer: &Arc<dyn CallObserver>,
        renew_after: Duration,
    ) -> Result<Self, SettingsError> {
        settings.check()?;
        let endpoint = |url| {
            let transport = Arc::new(Transport::new(settings, url, Arc::clone(observer))?);
            Ok(Endpoint { transport, version: Mutex::new(None) })
        };
        Ok(Self {
            endpoints: settings.endpoints.iter().map(endpoint).collect::<Result<_, SettingsError>>()?,
            login: Arc::new(Login::new(settings.auth.clone(), renew_after)),
            current: AtomicUsize::new(0),
        })
    }

    /// As whom requests are judged.
    pub fn credential(&self) -> Credential {
        self.login.credential()
    }

    /// Starts a pass: reads which cluster answers, at the endpoint that served last or else at the next one. What is
    /// written in the pass needs the permit.
    ///
    /// # Errors
    /// When no endpoint can be reached with an accepted certificate, or one refuses or fails.
    pub async fn connect(&self, permit: &Permit) -> Result<Session, Failure> {
        let first = self.current.load(Ordering::Relaxed);
        let mut failures: Vec<Failure> = Vec::new();
        for step in 0..self.endpoints.len() {
            let at = (first + step) % self.endpoints.len();
            let Some(endpoint) = self.endpoints.get(at) else { continue };
            match self.open(endpoint, permit).await {
                Ok(session) => {
                    self.current.store(at, Ordering::Relaxed);
                    return Ok(session);
                }
                Err(failure) if matches!(failure.kind, FailureKind::Unreachable | FailureKind::Certificate) => {
                    *endpoint.version.lock().unwrap_or_else(PoisonError::into_inner) = None;
                    tracing::debug!(endpoint = endpoint.transport.endpoint(), %failure, "trying the next endpoint");
                    failures.push(failure);
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(worst(failures))
    }

    async fn open(&self, endpoint: &Endpoint, permit: &Permit) -> Result<Session, Failure> {
        let known = endpoint.version.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let version = async {
            match known {
                Some(version) => Ok(version),
                None => self.version(endpoint).await,
            }
        };
        let (cluster, version) = futures::future::try_join(self.cluster(endpoint), version).await?;
        *endpoint.version.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&version));
        Ok(Session {
            transport: Arc::clone(&endpoint.transport),
            login: Arc::clone(&self.login),
            cluster,
            version,
            permit: permit.clone(),
        })
    }

    async fn version(&self, endpoint: &Endpoint) -> Result<Arc<str>, Failure> {
        let answer: wire::Version = get(&endpoint.transport, &self.login, &Request::get("/version")).await?;
        Ok(answer.version.0.into())
    }

    /// The fingerprint of the cluster's own CA, the same on all of its nodes (FACTS 94).
    async fn cluster(&self, endpoint: &Endpoint) -> Result<ClusterId, Failure> {
        let request = Request::get("/nodes/localhost/certificates/info");
        let certificates: Vec<wire::CertificateInfo> = get(&endpoint.transport, &self.login, &request).await?;
        certificates
            .iter()
            .find(|certificate| certificate.filename.0 == "pve-root-ca.pem")
            .and_then(|certificate| ClusterId::parse(&certificate.fingerprint.0).ok())
            .ok_or_else(|| {
                let sentence =
                    format!("{} does not show the CA of its cluster, pve-root-ca.pem", endpoint.transport.endpoint());
                Scrubber::new([]).failure(FailureKind::Other, &sentence, "")
            })
    }
}

/// The failure to show when every endpoint failed: a wrong certificate needs somebody, a dead node may come back.
fn worst(mut failures: Vec<Failure>) -> Failure {
    let count = failures.len();
    let at = failures.iter().position(|failure| failure.kind == FailureKind::Certificate).unwrap_or(0);
    let failure = failures.swap_remove(at);
    if count == 1 {
        return failure;
    }
    let sentence = format!("none of {count} endpoints works");
    Scrubber::new([]).failure(failure.kind, &sentence, &failure.message)
}
