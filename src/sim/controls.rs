//! How tests steer a simulator and look at what it was asked: the calls that all simulators have below `/sim/`.

use std::sync::Mutex;
use std::time::Instant;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::faults::{Fault, Faults};
use super::journal::{Journal, Requests, Write};
use super::lock::lock;

/// Faults that are set and requests that were made. `Name` says what can go wrong.
pub struct Controls<Name> {
    faults: Mutex<Faults<Name>>,
    journal: Mutex<Journal>,
    begun: Instant,
}

impl<Name: Clone> Controls<Name> {
    /// Without faults; the values of parameters with a name of `secrets` are not recorded.
    pub fn new(secrets: &'static [&'static str]) -> Self {
        Self { faults: Mutex::default(), journal: Mutex::new(Journal::new(secrets)), begun: Instant::now() }
    }

    /// Sets a fault.
    pub fn add(&self, fault: Fault<Name>) {
        lock(&self.faults).add(fault);
    }

    /// Clears all faults.
    pub fn clear_faults(&self) {
        lock(&self.faults).clear();
    }

    /// Counts one write to a file, or one request, and says what goes wrong with it.
    pub fn strike(&self, target: &str) -> Option<Fault<Name>> {
        lock(&self.faults).strike(target)
    }

    /// Records one request, and of how many bytes the body of its answer is.
    pub fn record(&self, request: Write, bytes: usize) {
        lock(&self.journal).record(request, bytes);
    }

    /// Microseconds since the simulator started.
    pub fn age_us(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// What was asked since the start or the last clearing.
    pub fn requests(&self) -> Requests {
        lock(&self.journal).requests()
    }

    /// Counts from zero again.
    pub fn clear_requests(&self) {
        lock(&self.journal).clear();
    }
}

impl<Name: Clone + DeserializeOwned> Controls<Name> {
    /// Answers `/sim/fault`, `/sim/requests` and `/sim/requests/clear`.
    ///
    /// # Errors
    /// When there is no such call, or its body is none; the text is for people.
    pub fn answer(&self, method: &str, path: &str, body: &[u8]) -> Result<Value, String> {
        match (method, path) {
            ("POST", "/sim/fault") => {
                self.add(serde_json::from_slice(body).map_err(|error| error.to_string())?);
                Ok(Value::Null)
            }
            ("GET", "/sim/requests") => Ok(json!(self.requests())),
            ("POST", "/sim/requests/clear") => {
                self.clear_requests();
                Ok(Value::Null)
            }
            _ => Err(format!("there is no {method} {path}")),
        }
    }
}
