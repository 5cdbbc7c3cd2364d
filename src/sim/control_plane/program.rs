//! A program that can be started again as it was, and where the programs are.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{env, io};

use sha2::{Digest, Sha256};

use super::ControlPlaneError;
use crate::sim::child::GuardedChild;
use crate::sim::lock::lock;

/// A program that can be started again as it was.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) name: &'static str,
    path: PathBuf,
    arguments: Vec<String>,
    child: Mutex<Option<GuardedChild>>,
}

impl Program {
    pub(super) fn start(name: &'static str, binaries: &Path, arguments: Vec<String>) -> io::Result<Self> {
        let program = Self { name, path: binaries.join(name), arguments, child: Mutex::default() };
        program.run()?;
        Ok(program)
    }

    pub(super) fn run(&self) -> io::Result<()> {
        *lock(&self.child) = Some(GuardedChild::start(&self.path, |_| Ok(self.arguments.clone()))?);
        Ok(())
    }

    /// Kills it.
    pub(super) fn stop(&self) {
        drop(lock(&self.child).take());
    }

    pub(super) fn log_tail(&self) -> String {
        lock(&self.child).as_ref().map(GuardedChild::log_tail).unwrap_or_default()
    }

    pub(super) fn has_ended(&self) -> io::Result<bool> {
        lock(&self.child).as_mut().map_or(Ok(true), GuardedChild::has_ended)
    }
}

/// Where the programs are.
pub(super) fn binaries() -> Result<PathBuf, ControlPlaneError> {
    let dir = if let Some(assets) = env::var_os("KUBEBUILDER_ASSETS") {
        PathBuf::from(assets)
    } else {
        // As tests/control-plane/build.sh.
        let parts = [
            include_bytes!("../../../tests/control-plane/go.sum").as_slice(),
            include_bytes!("../../../tests/control-plane/build.sh").as_slice(),
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
