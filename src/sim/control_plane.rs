//! A real control plane, etcd and kube-apiserver, as child processes on loopback: for the tests and the demo.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use std::{env, fs, io};

use kube::Client;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::sim::child::GuardedChild;
use crate::sim::lock::lock;

/// How long the start may take; 1 to 3 seconds are usual.
const START_DEADLINE: Duration = Duration::from_mins(1);

/// The controllers that run where they are asked for.
const CONTROLLERS: &str =
    "--controllers=namespace-controller,garbage-collector-controller,clusterrole-aggregation-controller";

/// The audit log in the directory of kube-apiserver.
const AUDIT_LOG: &str = "audit.log";

/// What etcd stores, in the directory of the files.
const DATA: &str = "etcd";

/// Whether requests are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audit {
    None,
    Metadata,
}

/// Why there is no control plane.
#[derive(Debug, thiserror::Error)]
pub enum ControlPlaneError {
    /// Nobody built it.
    #[error("no {} here: run `make control-plane`, or set KUBEBUILDER_ASSETS", .0.display())]
    Missing(PathBuf),
    /// A process ended by itself.
    #[error("{program} ended; its last lines:\n{log}")]
    Ended {
        /// Which one.
        program: &'static str,
        /// The end of its log.
        log: String,
    },
    /// It does not become ready.
    #[error("kube-apiserver is not ready after {} s: {last}; its last lines:\n{log}", START_DEADLINE.as_secs())]
    NotReady {
        /// The last answer.
        last: String,
        /// The end of its log.
        log: String,
    },
    /// A file or process could not be made.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Keys could not be made.
    #[error(transparent)]
    Keys(#[from] rcgen::Error),
    /// The client could not be made.
    #[error("cannot make a client for the control plane: {0}")]
    Client(String),
}

/// A running control plane. It ends, and its files go, when this is dropped or the process ends in any way.
#[derive(Debug)]
pub struct ControlPlane {
    binaries: PathBuf,
    etcd_url: String,
    // Dropped in this order.
    apiserver: Program,
    etcd: Program,
    files: GuardedChild,
}

/// A program that can be started again as it was.
#[derive(Debug)]
struct Program {
    name: &'static str,
    path: PathBuf,
    arguments: Vec<String>,
    child: Mutex<Option<GuardedChild>>,
}

impl Program {
    fn start(name: &'static str, binaries: &Path, arguments: Vec<String>) -> io::Result<Self> {
        let program = Self { name, path: binaries.join(name), arguments, child: Mutex::default() };
        program.run()?;
        Ok(program)
    }

    fn run(&self) -> io::Result<()> {
        *lock(&self.child) = Some(GuardedChild::start(&self.path, |_| Ok(self.arguments.clone()))?);
        Ok(())
    }

    /// Kills it.
    fn stop(&self) {
        drop(lock(&self.child).take());
    }

    fn log_tail(&self) -> String {
        lock(&self.child).as_ref().map(GuardedChild::log_tail).unwrap_or_default()
    }

    fn has_ended(&self) -> io::Result<bool> {
        lock(&self.child).as_mut().map_or(Ok(true), GuardedChild::has_ended)
    }
}

impl ControlPlane {
    /// Starts one and waits until it is ready.
    ///
    /// # Errors
    /// When its binaries are missing, or it does not come up.
    pub async fn start() -> Result<Self, ControlPlaneError> {
        Self::start_as(Audit::None).await
    }

    /// The same with an audit log of who asked for what, and what the answer was.
    ///
    /// # Errors
    /// When its binaries are missing, or it does not come up.
    pub async fn start_audited() -> Result<Self, ControlPlaneError> {
        Self::start_as(Audit::Metadata).await
    }

    async fn start_as(audit: Audit) -> Result<Self, ControlPlaneError> {
        let binaries = binaries()?;
        // A free port may be taken by somebody else before ours listens on it.
        for _ in 0..2 {
            match Self::try_start(&binaries, audit).await {
                Err(ControlPlaneError::Ended { .. }) => {}
                result => return result,
            }
        }
        Self::try_start(&binaries, audit).await
    }

    async fn try_start(binaries: &Path, audit: Audit) -> Result<Self, ControlPlaneError> {
        // Files outlive a restart, and go when all of this ends in whatever way: a process that only waits guards them.
        let files = GuardedChild::start(Path::new("sleep"), |_| Ok(vec!["2147483647".to_owned()]))?;
        let (etcd, etcd_url) = start_etcd(binaries, files.dir())?;
        let apiserver = start_apiserver(binaries, files.dir(), &etcd_url, audit)?;
        let plane = Self { binaries: binaries.to_owned(), etcd_url, apiserver, etcd, files };
        plane.wait_until_ready().await?;
        Ok(plane)
    }

    /// Kills kube-apiserver, starts it again and waits until it is ready.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn restart_apiserver(&self) -> Result<(), ControlPlaneError> {
        self.apiserver.stop();
        self.apiserver.run()?;
        self.wait_until_ready().await
    }

    /// Kills both, and starts them again without anything that was stored.
    ///
    /// # Errors
    /// When they do not come up.
    pub async fn lose_everything(&self) -> Result<(), ControlPlaneError> {
        self.apiserver.stop();
        self.etcd.stop();
        fs::remove_dir_all(self.files.dir().join(DATA))?;
        self.etcd.run()?;
        self.apiserver.run()?;
        self.wait_until_ready().await
    }

    /// Where etcd answers its clients.
    pub fn etcd_url(&self) -> &str {
        &self.etcd_url
    }

    /// A client with all rights. One for each tokio runtime: it does not outlive the one it was made on.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn client(&self) -> Result<Client, ControlPlaneError> {
        let failed = |error: &dyn std::error::Error| ControlPlaneError::Client(error.to_string());
        let kubeconfig = Kubeconfig::read_from(self.kubeconfig()).map_err(|error| failed(&error))?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
        Client::try_from(config.map_err(|error| failed(&error))?).map_err(|error| failed(&error))
    }

    /// A kubeconfig with all rights.
    pub fn kubeconfig(&self) -> PathBuf {
        self.files.dir().join("kubeconfig")
    }

    /// The audit log, one JSON object a line, where [`Self::start_audited`] started it.
    pub fn audit_log(&self) -> PathBuf {
        self.files.dir().join(AUDIT_LOG)
    }

    /// Starts what removes the contents of deleted namespaces and the things of owners that are gone, and what makes
    /// ClusterRoles of those that are aggregated to them.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn controller_manager(&self) -> Result<GuardedChild, ControlPlaneError> {
        let child = GuardedChild::start(&self.binaries.join("kube-controller-manager"), |_| {
            Ok(vec![
                format!("--kubeconfig={}", self.kubeconfig().display()),
                CONTROLLERS.to_owned(),
                "--leader-elect=false".to_owned(),
                "--secure-port=0".to_owned(),
            ])
        })?;
        Ok(child)
    }

    /// `kubectl` for this control plane.
    pub fn kubectl(&self) -> Command {
        let mut command = Command::new(self.binaries.join("kubectl"));
        command.env("KUBECONFIG", self.kubeconfig()).env("KUBECACHEDIR", self.files.dir().join("kubectl"));
        command
    }

    async fn wait_until_ready(&self) -> Result<(), ControlPlaneError> {
        let client = self.client().await?;
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            for program in [&self.etcd, &self.apiserver] {
                if program.has_ended()? {
                    return Err(ControlPlaneError::Ended { program: program.name, log: program.log_tail() });
                }
            }
            let last = match is_ready(&client).await {
                Ok(()) => return Ok(()),
                Err(error) => error.to_string(),
            };
            if Instant::now() > deadline {
                return Err(ControlPlaneError::NotReady { last, log: self.apiserver.log_tail() });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn is_ready(client: &Client) -> Result<(), Box<dyn std::error::Error>> {
    let request = hyper::Request::get("/readyz").body(Vec::new())?;
    client.request_text(request).await?;
    Ok(())
}

/// Where the programs are.
fn binaries() -> Result<PathBuf, ControlPlaneError> {
    let dir = if let Some(assets) = env::var_os("KUBEBUILDER_ASSETS") {
        PathBuf::from(assets)
    } else {
        // As tests/control-plane/build.sh.
        let parts = [
            include_bytes!("../../tests/control-plane/go.sum").as_slice(),
            include_bytes!("../../tests/control-plane/build.sh").as_slice(),
        ];
        let digest = Sha256::digest(parts.concat());
        let version = digest.iter().take(8).fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let cache = env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| env::home_dir().map(|home| home.join(".cache")))
            .unwrap_or_default();
        cache.join("proxmox-identity/control-plane").join(version)
    };
    for program in ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"] {
        let path = dir.join(program);
        if !path.is_file() {
            return Err(ControlPlaneError::Missing(path));
        }
    }
    Ok(dir)
}

fn start_etcd(binaries: &Path, files: &Path) -> Result<(Program, String), ControlPlaneError> {
    let [client, peer] = free_ports()?.map(|port| format!("http://127.0.0.1:{port}"));
    let arguments = vec![
        format!("--data-dir={}", files.join(DATA).display()),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ];
    Ok((Program::start("etcd", binaries, arguments)?, client))
}

fn start_apiserver(binaries: &Path, dir: &Path, etcd: &str, audit: Audit) -> Result<Program, ControlPlaneError> {
    let [port, _] = free_ports()?;
    let serving = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()])?;
    let accounts = rcgen::KeyPair::generate()?;
    let token = format!("{:x}", Sha256::digest(rcgen::KeyPair::generate()?.serialized_der()));
    let file = |name: &str, text: &str| -> io::Result<String> {
        let path = dir.join(name);
        fs::write(&path, text)?;
        Ok(path.display().to_string())
    };
    let certificate = file("tls.crt", &serving.cert.pem())?;
    file("kubeconfig", &kubeconfig(port, &token, &certificate))?;
    let mut arguments = vec![
        format!("--etcd-servers={etcd}"),
        format!("--secure-port={port}"),
        "--bind-address=127.0.0.1".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        format!("--tls-cert-file={certificate}"),
        format!("--tls-private-key-file={}", file("tls.key", &serving.signing_key.serialize_pem())?),
        format!("--token-auth-file={}", file("tokens", &format!("{token},admin,admin,system:masters\n"))?),
        format!("--service-account-signing-key-file={}", file("accounts.key", &accounts.serialize_pem())?),
        format!("--service-account-key-file={}", file("accounts.pub", &accounts.public_key_pem())?),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        "--authorization-mode=RBAC".to_owned(),
        // Nothing here makes the default accounts that it asks for.
        "--disable-admission-plugins=ServiceAccount".to_owned(),
    ];
    if audit == Audit::Metadata {
        let policy = json!({
            "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Metadata"}],
            "omitStages": ["RequestReceived"],
        });
        arguments.push(format!("--audit-policy-file={}", file("audit-policy.json", &policy.to_string())?));
        arguments.push(format!("--audit-log-path={}", dir.join(AUDIT_LOG).display()));
    }
    Ok(Program::start("kube-apiserver", binaries, arguments)?)
}

fn kubeconfig(port: u16, token: &str, certificate: &str) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": {
            "server": format!("https://127.0.0.1:{port}"), "certificate-authority": certificate,
        }}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": "admin"}}],
        "current-context": "local",
    })
    .to_string()
}

/// Two ports that are free now.
fn free_ports() -> io::Result<[u16; 2]> {
    let (one, other) = (TcpListener::bind(("127.0.0.1", 0))?, TcpListener::bind(("127.0.0.1", 0))?);
    Ok([one.local_addr()?.port(), other.local_addr()?.port()])
}
