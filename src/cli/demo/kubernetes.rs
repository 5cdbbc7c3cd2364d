//! The demo's Kubernetes: a control plane of its own, and kubectl for it.

use std::path::{Path, PathBuf};

use super::Failure;
use super::screen::Screen;
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
    pub fn kubeconfig(&self) -> PathBuf {
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

    /// Shows a command, runs it, and shows its answer.
    ///
    /// # Errors
    /// With what it says when it fails.
    pub async fn show(&self, screen: &Screen, command: &str) -> Result<(), Failure> {
        screen.command('$', &format!("kubectl {command}"));
        let answer = self.kubectl(&command.split(' ').collect::<Vec<_>>()).await?;
        screen.output(&answer);
        Ok(())
    }

    /// Waits until something is so for all of some objects.
    ///
    /// # Errors
    /// When it does not become so.
    pub async fn wait(&self, what: &str, objects: &[&str]) -> Result<(), Failure> {
        let what = format!("--for={what}");
        let mut arguments = vec!["wait", "-n", "identity", "--timeout=30s", &what];
        arguments.extend(objects);
        self.kubectl(&arguments).await.map(drop)
    }

    /// Waits until all of some objects have a reason for being as they are.
    ///
    /// # Errors
    /// When they do not get it.
    pub async fn wait_for_reason(&self, reason: &str, objects: &[&str]) -> Result<(), Failure> {
        self.wait(&format!(r#"jsonpath={{.status.conditions[?(@.type=="Ready")].reason}}={reason}"#), objects).await
    }
}
