//! Every call that leaves the process is counted here, one counter for all systems: tests stop the operator at any
//! of them, before it is sent or after it took effect.

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};

/// The side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Nothing was sent yet.
    Before,
    /// It took effect; nobody has seen its answer.
    After,
}

/// Counts outward calls.
#[derive(Debug, Default)]
pub struct Outward {
    calls: AtomicU64,
    #[cfg(feature = "sim")]
    kill: Option<(Side, u64)>,
}

impl Outward {
    /// A counter; with the simulator built in, the variable `PROXMOX_IDENTITY_KILL_AT` (`before:7`, `after:7`) names
    /// the call at which the process is killed.
    pub fn new() -> Self {
        Self {
            calls: AtomicU64::new(0),
            #[cfg(feature = "sim")]
            kill: std::env::var("PROXMOX_IDENTITY_KILL_AT").ok().and_then(|text| match text.split_once(':')? {
                ("before", number) => Some((Side::Before, number.parse().ok()?)),
                ("after", number) => Some((Side::After, number.parse().ok()?)),
                _ => None,
            }),
        }
    }

    /// Numbers a call that is about to be sent, and that does this.
    pub fn before(&self, what: impl Display) -> u64 {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        tracing::trace!(number, %what, "outward call");
        self.reached(Side::Before, number);
        number
    }

    /// Tells that a call took effect.
    pub fn after(&self, number: u64) {
        self.reached(Side::After, number);
    }

    #[cfg(feature = "sim")]
    fn reached(&self, side: Side, number: u64) {
        if self.kill == Some((side, number)) {
            // Not `exit` or `abort`: nothing of the process may run any more, as when a node loses power.
            let _ = std::process::Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
            loop {
                std::thread::park();
            }
        }
    }

    #[cfg(not(feature = "sim"))]
    #[expect(clippy::unused_self, reason = "the same shape as with the simulator")]
    fn reached(&self, _side: Side, _number: u64) {}
}
