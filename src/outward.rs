//! Every call that leaves the process is counted here, one counter for all systems: tests stop the operator at any
//! of them, before it is sent or after it took effect.

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts outward calls.
#[derive(Debug, Default)]
pub struct Outward {
    calls: AtomicU64,
    #[cfg(feature = "sim")]
    kill: Option<kill::Kill>,
}

impl Outward {
    /// A counter; with the simulator built in, the variable `PROXMOX_IDENTITY_KILL_AT` (`before:7:GET /pools`, `after:1:GET
    /// /version`) names the call at which the process is killed: which one of those that do this.
    pub fn new() -> Self {
        Self {
            calls: AtomicU64::new(0),
            #[cfg(feature = "sim")]
            kill: std::env::var("PROXMOX_IDENTITY_KILL_AT").ok().and_then(|text| kill::Kill::at(&text)),
        }
    }

    /// Numbers a call that is about to be sent, and that does this.
    pub fn before(&self, what: impl Display) -> u64 {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        tracing::trace!(number, %what, "outward call");
        #[cfg(feature = "sim")]
        if let Some(kill) = &self.kill {
            kill.before(number, &what.to_string());
        }
        number
    }

    /// Tells that a call took effect.
    pub fn after(&self, number: u64) {
        tracing::trace!(number, "outward call took effect");
        #[cfg(feature = "sim")]
        if let Some(kill) = &self.kill {
            kill.after(number);
        }
    }
}

/// The end of the process at a call.
#[cfg(feature = "sim")]
mod kill {
    use std::sync::atomic::{AtomicU64, Ordering};

    /// The side of a call.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Side {
        /// Nothing was sent yet.
        Before,
        /// It took effect; nobody has seen its answer.
        After,
    }

    /// Where the process is killed.
    #[derive(Debug)]
    pub(super) struct Kill {
        side: Side,
        what: String,
        /// Of the calls that do this, which one.
        which: u64,
        /// How many have been made.
        made: AtomicU64,
        /// The number of the call after which it is killed; 0 until that is made.
        number: AtomicU64,
    }

    impl Kill {
        /// Reads where.
        pub(super) fn at(text: &str) -> Option<Self> {
            let mut words = text.splitn(3, ':');
            let side = match words.next()? {
                "before" => Side::Before,
                "after" => Side::After,
                _ => return None,
            };
            let (which, what) = (words.next()?.parse().ok()?, words.next()?.to_owned());
            Some(Self { side, what, which, made: AtomicU64::new(0), number: AtomicU64::new(0) })
        }

        pub(super) fn before(&self, number: u64, what: &str) {
            if what != self.what || self.made.fetch_add(1, Ordering::SeqCst) + 1 != self.which {
                return;
            }
            match self.side {
                Side::Before => end(number),
                Side::After => self.number.store(number, Ordering::SeqCst),
            }
        }

        pub(super) fn after(&self, number: u64) {
            if self.number.load(Ordering::SeqCst) == number {
                end(number);
            }
        }
    }

    /// Not `exit` or `abort`: nothing of the process may run any more, as when a node loses power.
    fn end(number: u64) -> ! {
        tracing::trace!(number, "killed at this call");
        let _ = std::process::Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
        loop {
            std::thread::park();
        }
    }
}
