//! Faults that a test asks for: some writes pass, then some fail.

use std::time::Duration;

use serde::Deserialize;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultName {
    /// Another node holds the lock of the file (recording `lock-timeout`).
    HeldLock,
    /// The cluster has no quorum (recording `no-quorum`).
    NoQuorum,
    /// A proxy in between answers with `status` and a page of HTML.
    Status,
    /// It takes `ms` longer.
    Delay,
    /// No fault but a need of recordings: a directory of LDAP on 127.0.0.1:13890.
    Ldap,
    /// The connection ends without an answer; the write took effect unless `before` is set.
    Cut,
}

/// A fault as `POST /sim/fault` takes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub name: FaultName,
    /// Writes to which file (`user.cfg`, `domains.cfg`, …); absent means any, `any-request` reads as well.
    #[serde(default)]
    pub file: Option<String>,
    /// So many pass first.
    #[serde(default)]
    pub skip: u32,
    /// So many fail then.
    #[serde(default = "one")]
    pub count: u32,
    /// For [`FaultName::Status`].
    #[serde(default = "bad_gateway")]
    pub status: u16,
    /// For [`FaultName::Delay`].
    #[serde(default)]
    pub ms: u64,
    /// For [`FaultName::Cut`]: cut before the write takes effect.
    #[serde(default)]
    pub before: bool,
}

fn one() -> u32 {
    1
}

fn bad_gateway() -> u16 {
    502
}

/// Stands for every request in [`Fault::file`].
pub const ANY_REQUEST: &str = "any-request";

impl Fault {
    /// A fault of this name that hits the next write to any file.
    pub fn new(name: FaultName) -> Self {
        Self { name, file: None, skip: 0, count: one(), status: bad_gateway(), ms: 0, before: false }
    }

    /// How long a [`FaultName::Delay`] takes.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.ms)
    }

    fn concerns(&self, target: &str) -> bool {
        match &self.file {
            Some(file) => file == target,
            None => target != ANY_REQUEST,
        }
    }
}

/// The faults that are set.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Sets one more.
    pub fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Clears all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Counts one write to a file, or one request, and says what goes wrong with it.
    pub fn strike(&mut self, target: &str) -> Option<Fault> {
        let mut struck = None;
        for fault in self.0.iter_mut().filter(|fault| fault.concerns(target)) {
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if fault.count > 0 && struck.is_none() {
                fault.count -= 1;
                struck = Some(fault.clone());
            }
        }
        self.0.retain(|fault| fault.count > 0);
        struck
    }
}
