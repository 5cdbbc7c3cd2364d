//! The demo's operator: the same program as this one, at work.

use std::path::Path;

use super::Failure;
use crate::sim::child::GuardedChild;

/// Starts it.
///
/// # Errors
/// When it cannot be started.
pub fn start(kubeconfig: &Path) -> Result<GuardedChild, Failure> {
    let kubeconfig = format!("KUBECONFIG={}", kubeconfig.display());
    let program = std::env::current_exe()?.display().to_string();
    // What the operator takes from its environment may be set for another one.
    let unset = ["PROXMOX_IDENTITY_WATCH_NAMESPACE", "PROXMOX_IDENTITY_PROGRESS_DEADLINE"];
    let mut words: Vec<&str> = unset.iter().flat_map(|name| ["-u", name]).collect();
    words.extend([kubeconfig.as_str(), &program, "run", "--listen=127.0.0.1:0", "--log-format=human"]);
    let words = words.into_iter().map(str::to_owned).collect();
    Ok(GuardedChild::start(Path::new("env"), |_| Ok(words))?)
}
