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

/// How many notes are counted up at most. Each takes some kilobytes, and is looked at with each Event.
const KEPT: usize = 256;

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
        if series.len() >= KEPT && !series.contains_key(&key) {
            let oldest = series.iter().min_by_key(|(_, (last, _))| *last).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| series.remove(&oldest));
        }
        let fresh = || (now, Recorder::new(self.client.clone(), self.reporter.clone()));
        let (last, recorder) = series.entry(key).or_insert_with(fresh);
        *last = now;
        recorder.clone()
    }
}

#[cfg(test)]
mod tests {
    use kube::runtime::events::EventType;

    use super::*;

    #[tokio::test]
    async fn of_very_many_notes_only_the_newest_are_counted_up() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = kube::Config::new("http://127.0.0.1:1".parse().expect("a URL"));
        let recorders = Recorders::new(Client::try_from(config).expect("a client"));
        let tell = |number: usize| {
            let event = Event {
                type_: EventType::Normal,
                reason: "Created".to_owned(),
                note: Some(format!("created {number}")),
                action: "Create".to_owned(),
                secondary: None,
            };
            drop(recorders.recorder(&event, &ObjectReference::default()));
        };
        (0..3 * KEPT).for_each(tell);
        let series = recorders.series.lock().expect("no panic");
        assert_eq!(series.len(), KEPT);
        let is_kept =
            |number: usize| series.contains_key(&(None, "Created".to_owned(), Some(format!("created {number}"))));
        assert!(is_kept(3 * KEPT - 1) && !is_kept(0));
    }
}
