//! A proxy in front of an HTTPS server, such as kube-apiserver or a simulator: it sees every request, and a rule says
//! what becomes of it.

mod exchange;
pub mod identity;
pub mod watching;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use identity::Identity;
use watching::Watching;

/// A request, as a rule sees it before anything is sent on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: String,
}

impl Asked {
    /// A request of Kubernetes that is answered with events, one after the other.
    pub fn is_watch(&self) -> bool {
        self.query.split('&').any(|pair| matches!(pair, "watch=true" | "watch=1"))
    }
}

/// An answer that the server did not give.
#[derive(Debug, Clone)]
pub struct Forged {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Forged {
    /// A page of HTML, as proxies answer.
    pub fn page(status: u16) -> Self {
        let body = format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n");
        Self { status, headers: vec![("content-type", "text/html".to_owned())], body: body.into_bytes() }
    }

    /// An answer with a content type.
    pub fn of(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type", content_type.to_owned())], body: body.into() }
    }

    /// A failure in the words of kube-apiserver.
    pub fn status(code: u16, reason: &str) -> Self {
        let body = serde_json::json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": reason,
            "reason": reason, "code": code,
        });
        Self::of(code, "application/json", body.to_string())
    }
}

/// What becomes of a request.
#[derive(Debug, Clone)]
pub enum Deed {
    /// It is sent on, and its answer is given back.
    Pass,
    /// It is not sent on, and answered so.
    Answer(Forged),
    /// It is not sent on, and the connection ends.
    Reset,
    /// It is carried out, and the connection ends without an answer.
    Lost,
    /// It is carried out, and the connection ends in the middle of the answer.
    Cut,
    /// It is carried out, and answered so all the same.
    Instead(Forged),
    /// It is sent on after so long.
    Late(Duration),
    /// It is not sent on, and no answer comes.
    Silence,
}

type Rule = Box<dyn FnMut(&Asked) -> Deed + Send>;

/// What all connections share.
struct Shared {
    upstream: Mutex<String>,
    identity: Mutex<Identity>,
    rule: Mutex<Rule>,
    seen: Mutex<Vec<Asked>>,
    watching: Watching,
    http: reqwest::Client,
    /// Changes when all connections are to end; false: no new one is taken.
    open: watch::Sender<bool>,
}

/// A running proxy; it stops when this is dropped.
pub struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
    task: JoinHandle<()>,
    dir: TempDir,
}

impl Proxy {
    /// In front of a server, `https://host:port`. All requests pass, until a rule says otherwise.
    pub async fn before(upstream: &str) -> Self {
        // What stands behind it proves nothing to it: that is not what is tested.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .tls_danger_accept_invalid_certs(true)
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .build();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            upstream: Mutex::new(upstream.to_owned()),
            identity: Mutex::new(Identity::new()),
            rule: Mutex::new(Box::new(|_| Deed::Pass)),
            seen: Mutex::default(),
            watching: Watching::default(),
            http: http.expect("a client"),
            open: watch::Sender::new(true),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { shared, address, task, dir: tempfile::tempdir().expect("a folder") }
    }

    /// In front of the apiserver of a kubeconfig; answers with the variable that leads an operator through it too.
    pub async fn before_apiserver(kubeconfig: &Path) -> (Self, String) {
        let text = std::fs::read_to_string(kubeconfig).expect("a kubeconfig");
        let mut config: Value = serde_json::from_str(&text).expect("JSON");
        let cluster = &mut config["clusters"][0]["cluster"];
        let proxy = Self::before(cluster["server"].as_str().expect("a server")).await;
        let authority = proxy.dir.path().join("authority.pem");
        std::fs::write(&authority, lock(&proxy.shared.identity).pem()).expect("a file");
        cluster["server"] = proxy.url().into();
        cluster["certificate-authority"] = authority.display().to_string().into();
        let path = proxy.dir.path().join("kubeconfig");
        std::fs::write(&path, config.to_string()).expect("a file");
        let variable = proxy.variable();
        (proxy, variable)
    }

    /// The variable that leads an operator through it to its apiserver.
    pub fn variable(&self) -> String {
        format!("KUBECONFIG={}", self.dir.path().join("kubeconfig").display())
    }

    /// `https://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// SHA-256 of the certificate that it serves.
    pub fn fingerprint(&self) -> String {
        lock(&self.shared.identity).fingerprint()
    }

    /// From now on a rule says what becomes of each request.
    pub fn rule(&self, rule: impl FnMut(&Asked) -> Deed + Send + 'static) {
        *lock(&self.shared.rule) = Box::new(rule);
    }

    /// All requests pass again.
    pub fn heal(&self) {
        self.rule(|_| Deed::Pass);
    }

    /// What was asked since this was last called.
    pub fn take_seen(&self) -> Vec<Asked> {
        std::mem::take(&mut lock(&self.shared.seen))
    }

    /// What becomes of the events of watches.
    pub fn watching(&self) -> &Watching {
        &self.shared.watching
    }

    /// Proves from now on to be another, also to those who were connected already.
    pub fn become_another(&self, identity: Identity) {
        *lock(&self.shared.identity) = identity;
        self.end_connections();
    }

    /// Sends requests elsewhere from now on, also those of whoever was connected already.
    pub fn lead_to(&self, upstream: &str) {
        upstream.clone_into(&mut lock(&self.shared.upstream));
        self.end_connections();
    }

    /// Ends all connections in the middle of whatever goes over them.
    pub fn end_connections(&self) {
        self.shared.open.send_replace(false);
        self.shared.open.send_replace(true);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Takes connections, each in a task of its own; they all end with this one.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let mut ended = shared.open.subscribe();
                let shared = Arc::clone(&shared);
                connections.spawn(async move {
                    tokio::select! {
                        () = serve(shared, stream) => {}
                        _ = ended.changed() => {}
                    }
                });
            }
        }
    }
}

async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    let acceptor = lock(&shared.identity).acceptor();
    let _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else { return };
    exchange::serve(shared, stream).await;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
