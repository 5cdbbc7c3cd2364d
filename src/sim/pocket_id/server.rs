//! The listening side, and the handle that tests and the command hold.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::faults::{Fault, FaultName};
use super::limits::Limits;
use super::release::Release;
use super::service;
use super::state::State;
use super::tables::Tables;
use crate::sim::Requests;
use crate::sim::controls::Controls;
use crate::sim::listener::{Bound, Listening};
use crate::sim::lock::lock;

/// A static API key has so many characters at least.
const SHORTEST_KEY: usize = 16;
/// Fields whose values are not recorded.
const SECRETS: [&str; 7] =
    ["client_assertion", "client_secret", "code", "code_verifier", "refresh_token", "secret", "token"];

/// How to run the simulator.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes any.
    pub listen: SocketAddr,
    /// Where the state is kept over restarts.
    pub state: Option<PathBuf>,
    /// The static API key, of 16 characters or more; random, or the kept one, if absent.
    pub api_key: Option<String>,
    /// How long a read takes.
    pub read_latency: Duration,
    /// How long a write takes; there is one at a time.
    pub write_latency: Duration,
    /// Scales every wait: how long a rate limit takes to let one more request pass.
    pub time_scale: f64,
    /// Which release it is.
    pub release: Release,
    /// Whether the rate limit of 2.9 counts requests from loopback too.
    pub limit_loopback: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            state: None,
            api_key: None,
            read_latency: Duration::ZERO,
            write_latency: Duration::ZERO,
            time_scale: 1.0,
            release: Release::default(),
            limit_loopback: false,
        }
    }
}

/// What all connections share.
pub struct Server {
    pub(super) state: State,
    pub(super) options: Options,
    pub(super) controls: Controls<FaultName>,
    pub(super) limits: Mutex<Limits>,
    /// SQLite has one writer at a time.
    pub(super) writer: tokio::sync::Mutex<()>,
    /// Its own URL, without a slash at the end.
    pub(super) issuer: String,
}

impl Server {
    /// Forgets everything but its keys and its certificate.
    pub(super) fn reset(&self) {
        let mut tables = lock(&self.state.tables);
        *tables = Tables::default();
        self.controls.clear_faults();
        self.controls.clear_requests();
        lock(&self.limits).clear();
        if let Err(error) = self.state.keep(&tables) {
            tracing::warn!(%error, "the state could not be kept");
        }
    }
}

/// A running simulator; it stops when this is dropped.
pub struct Simulator {
    server: Arc<Server>,
    listening: Listening,
}

impl Simulator {
    /// Starts one in this process.
    ///
    /// # Errors
    /// When the address is taken, the state file is unusable or the options make no sense.
    pub async fn start(options: Options) -> std::io::Result<Self> {
        if options.api_key.as_ref().is_some_and(|key| key.len() < SHORTEST_KEY) {
            let error = format!("the static API key must be at least {SHORTEST_KEY} characters long");
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, error));
        }
        let state = State::open(options.state.as_deref(), options.api_key.as_deref())?;
        let bound = Bound::take(options.listen, &state.certificates).await?;
        let server = Arc::new(Server {
            state,
            options,
            controls: Controls::new(&SECRETS),
            limits: Mutex::default(),
            writer: tokio::sync::Mutex::default(),
            issuer: format!("https://{}", bound.address()),
        });
        let serving = server.clone();
        let listening = bound.serve(move |stream, peer| serve(serving.clone(), stream, peer));
        Ok(Self { server, listening })
    }

    /// `https://127.0.0.1:PORT`, which is its issuer too.
    pub fn url(&self) -> String {
        self.server.issuer.clone()
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.listening.address()
    }

    /// SHA-256 of the served certificate.
    pub fn fingerprint(&self) -> String {
        self.server.state.certificates.fingerprint()
    }

    /// The authority that signed the served certificate.
    pub fn ca_pem(&self) -> &str {
        &self.server.state.certificates.authority
    }

    /// The static API key.
    pub fn api_key(&self) -> &str {
        &self.server.state.api_key
    }

    /// Makes it empty, without faults and counts.
    pub fn reset(&self) {
        self.server.reset();
    }

    /// Sets a fault.
    pub fn fault(&self, fault: Fault) {
        self.server.controls.add(fault);
    }

    /// Clears all faults.
    pub fn clear_faults(&self) {
        self.server.controls.clear_faults();
    }

    /// What was asked since the start or the last clearing.
    pub fn requests(&self) -> Requests {
        self.server.controls.requests()
    }

    /// Counts from zero again.
    pub fn clear_requests(&self) {
        self.server.controls.clear_requests();
    }

    /// Adds a user `username` with the email `username@example.com` to groups by their names, without a request, and
    /// says its id.
    ///
    /// # Errors
    /// When the name is taken or breaks a rule, or a group does not exist.
    pub fn add_user(&self, username: &str, groups: &[&str]) -> Result<String, String> {
        super::calls::users::add(&self.server, username, groups)
    }

    /// Stops and waits until the address is free.
    pub async fn stop(self) {
        self.listening.stop().await;
    }
}

async fn serve(server: Arc<Server>, stream: impl AsyncRead + AsyncWrite + Unpin, peer: SocketAddr) {
    let service = service_fn(|request| service::serve(&server, request, peer));
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection broke off");
    }
}
