//! What was asked, for tests that count requests: `GET /sim/requests`, and `requests` of each simulator.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

/// So many writes are remembered.
const KEPT: usize = 20_000;

/// How often a call was made and ended so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// HTTP method.
    pub method: String,
    /// Path, without the query; of Proxmox VE below `/api2/json`.
    pub path: String,
    /// HTTP status; 0 when the connection was cut.
    pub status: u16,
    /// How often.
    pub count: u64,
    /// Bytes of the bodies of all these answers.
    pub bytes: u64,
}

/// One write that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Write {
    /// HTTP method.
    pub method: String,
    /// Path, without the query; of Proxmox VE below `/api2/json`.
    pub path: String,
    /// Parameters; secret values are left out.
    pub form: BTreeMap<String, String>,
    /// Whose login it was, never its secret; empty without one.
    pub credential: String,
    /// The client, as it calls itself.
    pub agent: String,
    /// HTTP status; 0 when the connection was cut.
    pub status: u16,
    /// When it was answered: microseconds since the simulator started.
    pub at_us: u64,
}

/// All requests since the last clearing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// By call and outcome.
    pub counts: Vec<Count>,
    /// The last writes in the order of their answers.
    pub writes: VecDeque<Write>,
}

impl Requests {
    /// How many requests had this method and a path that starts so.
    pub fn count(&self, method: &str, path: &str) -> u64 {
        let matching = self.counts.iter().filter(|count| count.method == method && count.path.starts_with(path));
        matching.map(|count| count.count).sum()
    }

    /// Bytes of the bodies of all answers.
    pub fn bytes(&self) -> u64 {
        self.counts.iter().map(|count| count.bytes).sum()
    }
}

/// Counts requests.
#[derive(Debug)]
pub struct Journal {
    secrets: &'static [&'static str],
    /// How often, and the bytes of the answers.
    counts: BTreeMap<(String, String, u16), (u64, u64)>,
    writes: VecDeque<Write>,
}

impl Journal {
    /// An empty one that hides the values of parameters with these names.
    pub fn new(secrets: &'static [&'static str]) -> Self {
        Self { secrets, counts: BTreeMap::new(), writes: VecDeque::new() }
    }

    /// Records one request, and of how many bytes the body of its answer is.
    pub fn record(&mut self, mut request: Write, bytes: usize) {
        let key = (request.method.clone(), request.path.clone(), request.status);
        let (count, sum) = self.counts.entry(key).or_default();
        *count += 1;
        *sum += u64::try_from(bytes).unwrap_or_default();
        if request.method != "GET" {
            for (name, value) in &mut request.form {
                if self.secrets.contains(&name.as_str()) {
                    "<hidden>".clone_into(value);
                }
            }
            if self.writes.len() == KEPT {
                self.writes.pop_front();
            }
            self.writes.push_back(request);
        }
    }

    /// Everything since the last clearing.
    pub fn requests(&self) -> Requests {
        let counts = self.counts.iter().map(|((method, path, status), (count, bytes))| Count {
            method: method.clone(),
            path: path.clone(),
            status: *status,
            count: *count,
            bytes: *bytes,
        });
        Requests { counts: counts.collect(), writes: self.writes.clone() }
    }

    /// Starts anew.
    pub fn clear(&mut self) {
        *self = Self::new(self.secrets);
    }
}
