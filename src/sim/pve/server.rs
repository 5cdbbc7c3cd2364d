//! The listening side: TLS, connections, and the handle that tests and the command hold.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::auth::{self, Ticket};
use super::faults::{Fault, Faults};
use super::http::{self, Buffer, Incoming};
use super::journal::{Journal, Requests};
use super::locks::Locks;
use super::service;
use super::state::{ROOT_TOKEN, State, lock};
use super::tasks::Tasks;
use crate::sim::ldap::{Directory, Entry};

/// How long a connection with an unanswerable head hangs (FACTS 10).
const HANG: Duration = Duration::from_secs(5);

/// How to run the simulator.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes any.
    pub listen: SocketAddr,
    /// Where the state is kept over restarts.
    pub state: Option<PathBuf>,
    /// The secret of `root@pam!admin`, a lower-case UUID; random, or the kept one, if absent.
    pub root_token: Option<String>,
    /// How long a read takes.
    pub read_latency: Duration,
    /// How long a write holds its lock.
    pub write_latency: Duration,
    /// Scales every wait of PVE: the late 401, the poll of a lock, the giving up.
    pub time_scale: f64,
    /// Where a directory of LDAP listens beside it; none if absent.
    pub ldap: Option<SocketAddr>,
    /// Which release it is.
    pub release: Release,
}

/// A release of Proxmox VE, as far as its API differs (FACTS 40).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Release {
    /// Without `regenerate` of tokens and `audiences` of realms.
    #[value(name = "9.1")]
    V9_1,
    /// The recorded one.
    #[default]
    #[value(name = "9.2")]
    V9_2,
}

impl Release {
    /// Parameters that it does not know yet.
    pub(super) fn lacks(self) -> &'static [&'static str] {
        match self {
            Self::V9_1 => &["audiences", "regenerate"],
            Self::V9_2 => &[],
        }
    }

    /// What `GET /version` says instead of the recorded version.
    pub(super) fn version(self) -> Option<&'static str> {
        match self {
            Self::V9_1 => Some("9.1.4"),
            Self::V9_2 => None,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            state: None,
            root_token: None,
            read_latency: Duration::ZERO,
            write_latency: Duration::ZERO,
            time_scale: 1.0,
            ldap: None,
            release: Release::default(),
        }
    }
}

/// What all connections share.
pub struct Server {
    pub(super) state: State,
    pub(super) options: Options,
    pub(super) locks: Locks,
    pub(super) faults: Mutex<Faults>,
    pub(super) journal: Mutex<Journal>,
    pub(super) tasks: Mutex<Tasks>,
    pub(super) directory: Mutex<Option<Directory>>,
}

/// A running simulator; it stops when this is dropped.
pub struct Simulator {
    server: Arc<Server>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Simulator {
    /// Starts one in this process.
    ///
    /// # Errors
    /// When the address is taken, the state file is unusable or the options make no sense.
    pub async fn start(options: Options) -> std::io::Result<Self> {
        if let Some(token) = options.root_token.as_ref().filter(|token| !is_lower_uuid(token)) {
            let error = format!("the root token {token:?} is not a lower-case UUID");
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, error));
        }
        let state = State::open(options.state.as_deref(), options.root_token.as_deref())?;
        let acceptor = acceptor(&state)?;
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let directory = options.ldap.map(Directory::start).transpose()?;
        let server = Server {
            state,
            options,
            locks: Locks::default(),
            faults: Mutex::default(),
            journal: Mutex::default(),
            tasks: Mutex::default(),
            directory: Mutex::new(directory),
        };
        let server = Arc::new(server);
        let task = tokio::spawn(accept(server.clone(), listener, acceptor));
        Ok(Self { server, address, task })
    }

    /// `https://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// SHA-256 of the served certificate, as PVE shows it.
    pub fn fingerprint(&self) -> String {
        self.server.state.certificates.fingerprint()
    }

    /// `pve-root-ca.pem`, which signed the served certificate.
    pub fn ca_pem(&self) -> &str {
        &self.server.state.certificates.authority
    }

    /// `root@pam!admin=KEY`
    pub fn token(&self) -> String {
        format!("{ROOT_TOKEN}={}", self.server.state.root_key)
    }

    /// Back to the recorded first state, without faults and counts.
    pub fn reset(&self) {
        self.server.reset();
    }

    /// Sets a fault.
    pub fn fault(&self, fault: Fault) {
        lock(&self.server.faults).add(fault);
    }

    /// Clears all faults.
    pub fn clear_faults(&self) {
        lock(&self.server.faults).clear();
    }

    /// What was asked since the start or the last clearing.
    pub fn requests(&self) -> Requests {
        lock(&self.server.journal).requests()
    }

    /// Counts from zero again.
    pub fn clear_requests(&self) {
        lock(&self.server.journal).clear();
    }

    /// A ticket of a user as it was made `age` seconds ago; a negative age is in the future.
    pub fn ticket(&self, user: &str, age: i64) -> Ticket {
        auth::ticket(&self.server.state, user, age)
    }

    /// Where its directory of LDAP listens, if it has one.
    pub fn ldap(&self) -> Option<SocketAddr> {
        lock(&self.server.directory).as_ref().map(Directory::address)
    }

    /// Looks at or changes the entries of its directory of LDAP, if it has one.
    pub fn people(&self, edit: impl FnOnce(&mut Vec<Entry>)) {
        if let Some(directory) = lock(&self.server.directory).as_ref() {
            edit(&mut directory.entries());
        }
    }

    /// Plays the first OpenID sign-in of a user, see `POST /sim/login`.
    ///
    /// # Errors
    /// With what PVE would say.
    pub async fn login(&self, userid: &str, groups: &[String]) -> Result<(), String> {
        super::control::sign_in(&self.server, userid, groups).await
    }

    /// Stops and waits until the address is free.
    pub async fn stop(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn is_lower_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f' | '-'))
}

fn acceptor(state: &State) -> std::io::Result<TlsAcceptor> {
    let wrong = std::io::Error::other::<Box<dyn std::error::Error + Send + Sync>>;
    let certificates = &state.certificates;
    let chain =
        vec![CertificateDer::from_pem_slice(certificates.node.as_bytes()).map_err(|error| wrong(error.into()))?];
    let key = PrivateKeyDer::from_pem_slice(certificates.node_key.as_bytes()).map_err(|error| wrong(error.into()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| wrong(error.into()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Takes connections, each in a task of its own; they all end with this one.
async fn accept(server: Arc<Server>, listener: TcpListener, acceptor: TlsAcceptor) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let (server, acceptor) = (server.clone(), acceptor.clone());
                connections.spawn(async move {
                    let _ = stream.set_nodelay(true);
                    if let Ok(mut stream) = acceptor.accept(stream).await {
                        serve(&server, &mut stream).await;
                    }
                });
            }
        }
    }
}

async fn serve(server: &Arc<Server>, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let mut buffer = Buffer::default();
    loop {
        let request = match http::read(stream, &mut buffer).await {
            Incoming::Request(request) => request,
            Incoming::Unanswerable => return server.wait(HANG).await,
            Incoming::Closed => return,
        };
        let Some(answer) = service::answer(server, &request).await else { return };
        // The server ends the connection after every failure (FACTS 9).
        let keep_alive = request.keep_alive && answer.status < 400;
        if http::write(stream, &answer, keep_alive).await.is_err() {
            return;
        }
        if !keep_alive {
            return http::close(stream).await;
        }
    }
}
