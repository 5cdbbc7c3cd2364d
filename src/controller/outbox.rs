//! Statuses on their way to Kubernetes: several objects at a time, one write per object at a time, and of two
//! statuses for one object the newer one. Whoever must know that a status is stored waits; nobody else does.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::api::conditions;
use crate::api::status::ObjectStatus;
use crate::controller::kubernetes::{Kubernetes, KubernetesError, Target};
use crate::controller::metrics::Metrics;
use crate::permit::Permit;

/// How many writes are under way at once.
const IN_FLIGHT: usize = 16;

/// The entrance to the outbox.
#[derive(Clone)]
pub struct Outbox {
    queue: mpsc::UnboundedSender<Letter>,
    sent: Arc<Mutex<HashMap<String, Sent>>>,
    /// Numbers all statuses, so that those of one object are told apart.
    next: Arc<AtomicU64>,
}

struct Letter {
    permit: Permit,
    target: Target,
    status: Value,
    number: u64,
    stored: Option<oneshot::Sender<bool>>,
}

/// A status that the watch may not have shown yet.
struct Sent {
    status: ObjectStatus,
    /// Known once it is stored.
    resource_version: Option<u64>,
    /// Tells later statuses of the same object apart.
    number: u64,
}

impl Outbox {
    /// Starts the outbox.
    pub fn start(kubernetes: Kubernetes, metrics: Arc<Metrics>, tasks: &mut tokio::task::JoinSet<()>) -> Self {
        let (queue, letters) = mpsc::unbounded_channel();
        let sent = Arc::new(Mutex::new(HashMap::new()));
        tasks.spawn(deliver(kubernetes, metrics, letters, Arc::clone(&sent)));
        Self { queue, sent, next: Arc::default() }
    }

    /// The status of an object, as we wrote it where the watch has not shown that yet.
    pub fn latest(&self, uid: &str, shown: Option<&ObjectStatus>, shown_version: u64) -> ObjectStatus {
        let shown = shown.cloned().map(|mut status| {
            // Conditions of others stay with them.
            status.conditions.retain(|condition| conditions::OURS.contains(&condition.type_.as_str()));
            status
        });
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        match sent.get(uid) {
            Some(Sent { resource_version: Some(version), .. }) if shown_version >= *version => {
                sent.remove(uid);
                shown.unwrap_or_default()
            }
            Some(Sent { status, .. }) => status.clone(),
            None => shown.unwrap_or_default(),
        }
    }

    /// Forgets objects that are gone.
    pub fn forget<'a>(&self, gone: impl IntoIterator<Item = &'a String>) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        for uid in gone {
            sent.remove(uid);
        }
    }

    /// Sends an object's status without waiting.
    pub fn send(&self, permit: &Permit, target: Target, status: &ObjectStatus) {
        self.enqueue(permit, target, status, None);
    }

    /// Sends an object's status and waits; true when it is stored, by itself or in a newer one.
    pub async fn store(&self, permit: &Permit, target: Target, status: &ObjectStatus) -> bool {
        let (stored, answer) = oneshot::channel();
        self.enqueue(permit, target, status, Some(stored));
        answer.await.unwrap_or(false)
    }

    fn enqueue(&self, permit: &Permit, target: Target, status: &ObjectStatus, stored: Option<oneshot::Sender<bool>>) {
        let Ok(value) = serde_json::to_value(status) else { return };
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        sent.insert(target.uid.clone(), Sent { status: status.clone(), resource_version: None, number });
        // The receiver ends with the operator; a waiting sender then sees that nothing was stored.
        let _ = self.queue.send(Letter { permit: permit.clone(), target, status: value, number, stored });
    }
}

/// The newest letter of an object, and all who wait for it.
struct Pending {
    permit: Permit,
    target: Target,
    status: Value,
    number: u64,
    waiting: Vec<oneshot::Sender<bool>>,
}

async fn deliver(
    kubernetes: Kubernetes,
    metrics: Arc<Metrics>,
    mut letters: mpsc::UnboundedReceiver<Letter>,
    sent: Arc<Mutex<HashMap<String, Sent>>>,
) {
    let mut pending: BTreeMap<String, Pending> = BTreeMap::new();
    let mut busy: HashSet<String> = HashSet::new();
    let mut writes = FuturesUnordered::new();
    let mut open = true;
    while open || !pending.is_empty() || !writes.is_empty() {
        while writes.len() < IN_FLIGHT {
            let Some(uid) = pending.keys().find(|uid| !busy.contains(*uid)).cloned() else { break };
            let Some(letter) = pending.remove(&uid) else { break };
            busy.insert(uid);
            let kubernetes = kubernetes.clone();
            writes.push(async move {
                let result = kubernetes.write_status(&letter.permit, &letter.target, &letter.status).await;
                (letter, result)
            });
        }
        tokio::select! {
            letter = letters.recv(), if open => match letter {
                Some(Letter { permit, target, status, number, stored }) => {
                    let entry = pending.entry(target.uid.clone()).or_insert_with(|| Pending {
                        permit: permit.clone(), target, status: Value::Null, number, waiting: Vec::new(),
                    });
                    (entry.permit, entry.status, entry.number) = (permit, status, number);
                    entry.waiting.extend(stored);
                }
                None => open = false,
            },
            Some((letter, result)) = writes.next(), if !writes.is_empty() => {
                busy.remove(&letter.target.uid);
                finish(&metrics, &sent, letter, result);
            }
        }
    }
}

fn finish(
    metrics: &Metrics,
    sent: &Mutex<HashMap<String, Sent>>,
    letter: Pending,
    result: Result<u64, KubernetesError>,
) {
    let mut sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
    let newest = sent.get_mut(&letter.target.uid).filter(|sent| sent.number == letter.number);
    let stored = result.is_ok();
    metrics.status_written(&letter.target.resource.kind, stored);
    match result {
        Ok(version) => {
            if let Some(newest) = newest {
                newest.resource_version = Some(version);
            }
        }
        Err(error) => {
            if !error.is_gone() && !matches!(error, KubernetesError::Lapsed(_)) {
                tracing::warn!(object = %letter.target.name, %error, "a status could not be written");
            }
            if newest.is_some() {
                // What the watch shows is true again; the next pass finds the difference.
                sent.remove(&letter.target.uid);
            }
        }
    }
    for waiting in letter.waiting {
        let _ = waiting.send(stored);
    }
}
