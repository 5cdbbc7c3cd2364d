//! The operator's process.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::sync::{MutexGuard, PoisonError};
use std::time::Instant;

use proxmox_identity::sim::child::GuardedChild;
use serde_json::Value;

use super::pve::insecure;
use super::{PATIENCE, World, defect, wait};
use crate::account;

/// The signal that nothing of a process outlives.
const SIGKILL: i32 = 9;

/// What a process logs that is killed at a call.
const KILLED_AT: &str = "\"killed at this call\"";

impl World {
    /// Has the log of an operator judged too that works for this world and for others.
    pub fn share(&mut self, operator: &GuardedChild) {
        self.shared_log = Some(operator.dir().join("log"));
    }

    /// How the operator reaches the control plane.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The namespace that the operator would run in.
    pub fn home(&self) -> String {
        account::home(&self.namespace)
    }

    /// Starts the operator, or starts it again after a kill.
    pub fn start_operator(&self) -> &Self {
        self.start_operator_with(&[], &[])
    }

    /// Starts the operator with more variables and arguments.
    pub fn start_operator_with(&self, variables: &[&str], arguments: &[&str]) -> &Self {
        let kubeconfig = format!("KUBECONFIG={}", self.kubeconfig.display());
        let fixed = [kubeconfig.as_str(), "RUST_LOG=trace"];
        let command = [env!("CARGO_BIN_EXE_proxmox-identity"), "run", "--listen=127.0.0.1:0"];
        let namespace = format!("--watch-namespace={}", self.namespace);
        let last = [namespace.as_str()];
        let words = fixed.iter().chain(variables).chain(&command).chain(&last).chain(arguments);
        self.start(words.map(|word| (*word).to_owned()).collect())
    }

    /// Starts the operator as these words say, which `env` reads.
    pub fn start(&self, words: Vec<String>) -> &Self {
        self.kill_operator();
        let child = GuardedChild::start(Path::new("/usr/bin/env"), |_| Ok(words)).expect("the operator starts");
        *self.operator() = Some(child);
        self
    }

    /// Tells the operator to end, and waits until it has.
    pub async fn end_operator(&self) {
        let id = self.process().to_string();
        assert!(std::process::Command::new("kill").arg(&id).status().expect("kill runs").success());
        let has_ended = || self.operator().as_mut().is_some_and(|operator| operator.has_ended().expect("a state"));
        let started = Instant::now();
        while !has_ended() {
            assert!(started.elapsed() < PATIENCE, "it does not end\n{}", self.tail());
            wait(started).await;
        }
    }

    /// The id of the operator's process.
    pub fn process(&self) -> u32 {
        self.operator().as_ref().expect("an operator").id()
    }

    /// Whether an operator was started and not killed.
    pub fn has_operator(&self) -> bool {
        self.operator().is_some()
    }

    /// Kills the operator at once. Its log is judged.
    pub fn kill_operator(&self) {
        let Some(operator) = self.operator().take() else { return };
        let log = read(&operator.dir().join("log"));
        drop(operator);
        judge(&log);
    }

    /// Starts the operator again if it was killed at a call. By itself it never ends.
    pub(super) fn revive_operator(&self) {
        let ended = self.operator().as_mut().and_then(|operator| operator.end().expect("a state"));
        let Some(status) = ended else { return };
        let log = self.log();
        let was_killed = status.signal() == Some(SIGKILL) && log.contains(KILLED_AT);
        assert!(was_killed, "the operator has ended by itself, {status}\n{}", self.tail());
        *self.log_until_killed.lock().unwrap_or_else(PoisonError::into_inner) = log;
        self.start_operator();
    }

    /// What the operator's process had logged when it was killed at a call; nothing if none was.
    pub fn log_until_killed(&self) -> String {
        self.log_until_killed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn operator(&self) -> MutexGuard<'_, Option<GuardedChild>> {
        self.operator.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that the operator has logged, at the most talkative level.
    pub fn log(&self) -> String {
        let dir = self.operator().as_ref().expect("an operator").dir().to_owned();
        read(&dir.join("log"))
    }

    /// The calls to other systems that the operator's process has made, by their numbers.
    pub fn calls(&self) -> Vec<String> {
        calls(&self.log())
    }

    /// The most memory that the operator's process has had, in kB.
    pub fn peak_memory(&self) -> u64 {
        let id = self.operator().as_ref().expect("an operator").id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("a process");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
        peak.expect("its memory").trim().parse().expect("a number")
    }

    /// Where the operator serves health and metrics.
    pub async fn address(&self) -> String {
        self.until("the operator serves", async || served_at(&self.log())).await
    }

    /// What the operator serves at a path.
    pub async fn get(&self, path: &str) -> (u16, String) {
        fetch(&format!("http://{}{path}", self.address().await)).await.expect("an answer")
    }

    /// The end of what the operator has logged of what it did and what went wrong.
    pub(super) fn tail(&self) -> String {
        if self.operator().is_none() {
            return String::new();
        }
        let log = self.log();
        // What was done says more than each call.
        let told = |line: &&str| line.contains("\"audit\"") || line.contains("\"WARN\"") || line.contains("\"ERROR\"");
        let ours: Vec<&str> = log.lines().filter(told).collect();
        ours[ours.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // A test that has failed already says why.
        if !std::thread::panicking() {
            self.kill_operator();
            if let Some(log) = &self.shared_log {
                judge(&read(log));
            }
        }
    }
}

fn read(log: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default()).into_owned()
}

/// Judges a whole log: Kubernetes has refused nothing, and nothing went wrong that never may.
fn judge(log: &str) {
    account::was_never_refused(log);
    let defects: Vec<&str> = log.lines().filter(|line| defect::is_told_in(line)).collect();
    assert!(defects.is_empty(), "defects of the operator: {defects:#?}");
}

/// The calls that a log tells of, by their numbers: those that go at the same time are logged in any order.
pub fn calls(log: &str) -> Vec<String> {
    let lines = log.lines().filter(|line| line.contains("\"outward call\""));
    let numbered = lines.filter_map(|line| {
        let line: Value = serde_json::from_str(line).ok()?;
        Some((line["number"].as_u64()?, line["what"].as_str()?.to_owned()))
    });
    numbered.collect::<BTreeMap<_, _>>().into_values().collect()
}

/// Where a process with this log serves metrics and health.
pub fn served_at(log: &str) -> Option<String> {
    log.lines().find_map(|line| {
        let line: Value = serde_json::from_str(line).ok()?;
        (line["message"] == "serving /metrics, /healthz and /readyz")
            .then(|| line["address"].as_str().map(str::to_owned))?
    })
}

/// Status and text at a URL.
pub async fn fetch(url: &str) -> reqwest::Result<(u16, String)> {
    let answer = insecure().get(url).send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}
