//! The demo's Kubernetes: a control plane of its own, and kubectl for it.

use std::path::{Path, PathBuf};

use super::Failure;
use crate::sim::control_plane::ControlPlane;

/// A control plane with the manifests next to it.
pub struct Kubernetes {
    control_plane: ControlPlane,
    /// Where kubectl runs, so that commands can be shown as a person would type them at home.
    dir: PathBuf,
}

impl Kubernetes {
    /// Starts one.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start() -> Result<Self, Failure> {
        let control_plane = ControlPlane::start().await?;
        // Goes with the control plane's own files.
        let dir = control_plane.kubeconfig().with_file_name("manifests");
        std::fs::create_dir_all(&dir)?;
        Ok(Self { control_plane, dir })
    }

    /// How to reach it.
    pub fn kubeconfig(&self) -> &Path {
        self.control_plane.kubeconfig()
    }

    /// Where the manifests are.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where its kubectl is.
    pub fn program(&self) -> PathBuf {
        self.control_plane.kubectl().get_program().into()
    }

    /// Runs kubectl and answers with what it prints.
    ///
    /// # Errors
    /// With what it says when it fails.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String, Failure> {
        let mut command = tokio::process::Command::from(self.control_plane.kubectl());
        command.args(arguments).current_dir(&self.dir).stdin(std::process::Stdio::null()).kill_on_drop(true);
        let output = command.output().await?;
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
        if output.status.success() {
            return Ok(out);
        }
        Err(format!("kubectl {} failed:\n{out}\n{err}", arguments.join(" ")).into())
    }
}
