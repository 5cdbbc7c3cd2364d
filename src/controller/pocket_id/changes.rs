//! Which Pocket IDs this operator has written to, so that answers from before can be told.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::controller::connections::ConnectionKey;

/// How many passes over each connection have written something.
#[derive(Debug, Default)]
pub(in crate::controller) struct Changes(Mutex<HashMap<ConnectionKey, u64>>);

impl Changes {
    /// Counts a pass that has written something.
    pub(super) fn count(&self, key: &ConnectionKey) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key.clone()).or_default() += 1;
    }

    /// How many there were until now.
    pub fn of(&self, key: &ConnectionKey) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied().unwrap_or_default()
    }
}
