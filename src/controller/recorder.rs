//! Events as Kubernetes keeps them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, Recorder, Reporter};

use crate::api::FIELD_MANAGER;

/// How long the same note is counted up instead of told again, as in kube's recorder.
const SERIES: Duration = Duration::from_mins(6);

/// What makes two Events one series: the object's uid, the reason and the note.
type Key = (Option<String>, String, Option<String>);

/// Writes Events. A recorder of kube takes all Events of one reason about one object for a series and keeps the note
/// of the first, so that a second field put right would be told as the first one again: each note has its own.
#[derive(Clone)]
pub struct Recorders {
    client: Client,
    reporter: Reporter,
    series: Arc<Mutex<HashMap<Key, (Instant, Recorder)>>>,
}

impl Recorders {
    /// Writes through a client.
    pub fn new(client: Client) -> Self {
        let reporter = Reporter { controller: FIELD_MANAGER.into(), instance: std::env::var("POD_NAME").ok() };
        Self { client, reporter, series: Arc::default() }
    }

    /// Writes an Event, or counts it up.
    ///
    /// # Errors
    /// When the apiserver refuses it or cannot be reached.
    pub async fn publish(&self, event: &Event, about: &ObjectReference) -> Result<(), kube::Error> {
        self.recorder(event, about).publish(event, about).await
    }

    fn recorder(&self, event: &Event, about: &ObjectReference) -> Recorder {
        let key = (about.uid.clone(), event.reason.clone(), event.note.clone());
        let now = Instant::now();
        let mut series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        series.retain(|_, (last, _)| now.duration_since(*last) < SERIES);
        let fresh = || (now, Recorder::new(self.client.clone(), self.reporter.clone()));
        let (last, recorder) = series.entry(key).or_insert_with(fresh);
        *last = now;
        recorder.clone()
    }
}
