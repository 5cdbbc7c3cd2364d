//! What all worlds share: the control plane, and one operator's process.

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kube::Client;
use proxmox_identity::sim::child::GuardedChild;

use crate::judge::Divergence;
use crate::log;
use crate::support::control_plane;

/// The operator at work, and since when.
static OPERATOR: Mutex<Option<(GuardedChild, Instant)>> = Mutex::new(None);

/// An operator lives so long at least, or nobody would get anywhere.
const LIFE: Duration = Duration::from_secs(5);

fn operator() -> MutexGuard<'static, Option<(GuardedChild, Instant)>> {
    OPERATOR.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A client of the control plane, with the operator at work.
pub async fn client() -> Client {
    let plane = control_plane().await;
    operator().get_or_insert_with(|| (start(&plane.kubeconfig()), Instant::now()));
    plane.client().await.expect("a client")
}

fn start(kubeconfig: &Path) -> GuardedChild {
    let words = [
        format!("KUBECONFIG={}", kubeconfig.display()),
        format!("RUST_LOG={}", std::env::var("WALK_LOG").unwrap_or_else(|_| "trace".to_owned())),
        std::env::var("WALK_OPERATOR").unwrap_or_else(|_| env!("CARGO_BIN_EXE_proxmox-identity").to_owned()),
        "run".to_owned(),
        "--listen=127.0.0.1:0".to_owned(),
        "--namespace=default".to_owned(),
    ];
    GuardedChild::start(Path::new("/usr/bin/env"), |_| Ok(words.to_vec())).expect("the operator starts")
}

/// Kills the operator, judges what it has logged and starts another one; not if it has just begun.
pub async fn kill() -> Result<(), Divergence> {
    let kubeconfig = control_plane().await.kubeconfig();
    let mut operator = operator();
    let Some((child, _)) = operator.take_if(|(_, since)| since.elapsed() > LIFE) else { return Ok(()) };
    let judged = end(child);
    *operator = Some((start(&kubeconfig), Instant::now()));
    judged
}

/// Judges the log of the operator that is at work now.
pub fn judge_log() -> Result<(), Divergence> {
    operator().as_ref().map_or(Ok(()), |(child, _)| log::judge(&text(child)))
}

/// What the operator did in a namespace, and what went wrong there, as far as it has lived so long.
pub fn told(namespace: &str) -> String {
    let log = operator().as_ref().map(|(child, _)| text(child)).unwrap_or_default();
    let about = |line: &&str| {
        line.contains(namespace)
            && (line.contains("\"audit\"") || line.contains("\"WARN\"") || line.contains("\"ERROR\""))
    };
    log.lines().filter(about).flat_map(|line| [line, "\n"]).collect()
}

fn end(mut child: GuardedChild) -> Result<(), Divergence> {
    assert!(!child.has_ended().expect("a state"), "the operator has ended by itself:\n{}", child.log_tail());
    let killed = Command::new("kill").args(["-KILL", &child.id().to_string()]).status().expect("kill runs");
    assert!(killed.success());
    while !child.has_ended().expect("a state") {
        std::thread::sleep(Duration::from_millis(2));
    }
    log::judge(&text(&child))
}

fn text(child: &GuardedChild) -> String {
    String::from_utf8_lossy(&std::fs::read(child.dir().join("log")).unwrap_or_default()).into_owned()
}
