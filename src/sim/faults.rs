//! Faults that a test asks for: some writes pass, then some fail.

use std::time::Duration;

use serde::Deserialize;

/// A fault as `POST /sim/fault` takes it. Each simulator has a `Name` for what can go wrong there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault<Name> {
    /// What goes wrong.
    pub name: Name,
    /// Writes to which file, as the simulator names what it keeps; absent means any, [`ANY_REQUEST`] reads as well.
    #[serde(default)]
    pub file: Option<String>,
    /// So many pass first.
    #[serde(default)]
    pub skip: u32,
    /// So many fail then.
    #[serde(default = "one")]
    pub count: u32,
    /// For faults of status.
    #[serde(default = "bad_gateway")]
    pub status: u16,
    /// For delays.
    #[serde(default)]
    pub ms: u64,
    /// For cuts: cut before the write takes effect.
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

impl<Name> Fault<Name> {
    /// A fault of this name that hits the next write to any file.
    pub fn new(name: Name) -> Self {
        Self { name, file: None, skip: 0, count: one(), status: bad_gateway(), ms: 0, before: false }
    }

    /// How long a delay takes.
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
#[derive(Debug)]
pub struct Faults<Name>(Vec<Fault<Name>>);

impl<Name> Default for Faults<Name> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<Name: Clone> Faults<Name> {
    /// Sets one more.
    pub fn add(&mut self, fault: Fault<Name>) {
        self.0.push(fault);
    }

    /// Clears all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Counts one write to a file, or one request, and says what goes wrong with it.
    pub fn strike(&mut self, target: &str) -> Option<Fault<Name>> {
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

/// What a proxy in between says.
pub fn proxy_page(status: u16) -> String {
    format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n")
}
