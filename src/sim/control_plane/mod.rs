//! A real control plane, etcd and kube-apiserver, as child processes on loopback: for the tests and the demo.

mod arguments;
mod program;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, io};

use kube::Client;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};

use self::arguments::{AUDIT_LOG, Audit, DATA, start_apiserver, start_etcd};
use self::program::{Program, binaries};
use crate::sim::child::GuardedChild;

/// How long the start may take; 1 to 3 seconds are usual.
const START_DEADLINE: Duration = Duration::from_mins(1);

/// The controllers that run where they are asked for.
const CONTROLLERS: &str =
    "--controllers=namespace-controller,garbage-collector-controller,clusterrole-aggregation-controller";

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
