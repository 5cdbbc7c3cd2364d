//! What can go wrong with Proxmox VE.

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

/// A fault as `POST /sim/fault` takes it; its files are `user.cfg`, `domains.cfg` and `jobs.cfg`.
pub type Fault = crate::sim::Fault<FaultName>;
