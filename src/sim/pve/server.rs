//! The listening side: TLS, connections, and the handle that tests and the command hold.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::auth::{self, Ticket};
use super::faults::{Fault, FaultName};
use super::http::{self, Buffer, Incoming};
use super::locks::Locks;
use super::openid::{Http, SignIns};
use super::service;
use super::state::{ROOT_TOKEN, State};
use super::tasks::Tasks;
use crate::sim::Requests;
use crate::sim::controls::Controls;
use crate::sim::ldap::{Directory, Entry};
use crate::sim::listener::{Bound, Listening};
use crate::sim::lock::lock;

/// How long a connection with an unanswerable head hangs (FACTS 10).
const HANG: Duration = Duration::from_secs(5);
/// Parameters whose values are not recorded.
const SECRETS: [&str; 7] =
    ["password", "confirmation-password", "client-key", "otp", "code", "tfa-challenge", "vncticket"];

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
    /// How much longer a write holds the lock of `user.cfg` for each ACL entry that stands in it: PVE reads and writes
    /// the whole file.
    pub write_latency_per_entry: Duration,
    /// Scales every wait of PVE: the late 401, the poll of a lock, the giving up.
    pub time_scale: f64,
    /// Where a directory of LDAP listens beside it; none if absent.
    pub ldap: Option<SocketAddr>,
    /// Authorities of OpenID providers that it trusts beside those of the system, as PEM.
    pub trust_ca: Option<String>,
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
            write_latency_per_entry: Duration::ZERO,
            time_scale: 1.0,
            ldap: None,
            trust_ca: None,
            release: Release::default(),
        }
    }
}

/// What all connections share.
pub struct Server {
    pub(super) state: State,
    pub(super) options: Options,
    pub(super) locks: Locks,
    pub(super) controls: Controls<FaultName>,
    pub(super) tasks: Mutex<Tasks>,
    pub(super) directory: Mutex<Option<Directory>>,
    pub(super) http: Http,
    pub(super) sign_ins: Mutex<SignIns>,
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
        if let Some(token) = options.root_token.as_ref().filter(|token| !is_lower_uuid(token)) {
            let error = format!("the root token {token:?} is not a lower-case UUID");
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, error));
        }
        let http = Http::new(options.trust_ca.as_deref())?;
        let state = State::open(options.state.as_deref(), options.root_token.as_deref())?;
        let bound = Bound::take(options.listen, &state.certificates).await?;
        let directory = options.ldap.map(Directory::start).transpose()?;
        let server = Server {
            state,
            options,
            locks: Locks::default(),
            controls: Controls::new(&SECRETS),
            tasks: Mutex::default(),
            directory: Mutex::new(directory),
            http,
            sign_ins: Mutex::default(),
        };
        let server = Arc::new(server);
        let serving = server.clone();
        let listening = bound.serve(move |stream, _| serve(serving.clone(), stream));
        Ok(Self { server, listening })
    }

    /// `https://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("https://{}", self.address())
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.listening.address()
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
        self.server.controls.add(fault);
    }

    /// Holds the lock of `user.cfg` as another node does: for so long from when somebody looks for it.
    pub async fn hold_lock(&self, time: Duration) {
        self.server.hold_users(time).await;
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

    /// Leaves what the first OpenID sign-in of a user leaves, without a provider, see `POST /sim/login`.
    ///
    /// # Errors
    /// With what PVE would say.
    pub async fn login(&self, userid: &str, groups: &[String]) -> Result<(), String> {
        super::control::sign_in(&self.server, userid, groups).await
    }

    /// Stops and waits until the address is free.
    pub async fn stop(self) {
        self.listening.stop().await;
    }
}

fn is_lower_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f' | '-'))
}

async fn serve(server: Arc<Server>, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let stream = &mut stream;
    let mut buffer = Buffer::default();
    loop {
        let request = match http::read(stream, &mut buffer).await {
            Incoming::Request(request) => request,
            Incoming::Unanswerable => return server.wait(HANG).await,
            Incoming::Closed => return,
        };
        let Some(answer) = service::answer(&server, &request).await else { return };
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
