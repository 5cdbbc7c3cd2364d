//! Statuses on their way to Kubernetes: several objects at a time, one write per object at a time, and of two
//! statuses for one object the newer one. Whoever must know that a status is stored waits; nobody else does.

mod sent;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use tokio::sync::{mpsc, oneshot};

use crate::api::conditions;
use crate::api::status::ObjectStatus;
use crate::controller::kubernetes::{Kubernetes, KubernetesError, Target};
use crate::controller::metrics::Metrics;
use crate::permit::Permit;
use sent::Sent;

/// How many writes are under way at once.
const IN_FLIGHT: usize = 16;

/// The entrance to the outbox.
#[derive(Clone)]
pub struct Outbox {
    queue: mpsc::UnboundedSender<Letter>,
    sent: Arc<Mutex<Sent>>,
}

struct Letter {
    permit: Permit,
    target: Target,
    status: Arc<ObjectStatus>,
    number: u64,
    stored: Option<oneshot::Sender<bool>>,
}

impl Outbox {
    /// Starts the outbox.
    pub fn start(kubernetes: Kubernetes, metrics: Arc<Metrics>, tasks: &mut tokio::task::JoinSet<()>) -> Self {
        let (queue, letters) = mpsc::unbounded_channel();
        let sent = Arc::new(Mutex::new(Sent::default()));
        tasks.spawn(deliver(kubernetes, metrics, letters, Arc::clone(&sent)));
        Self { queue, sent }
    }

    /// The status of an object, as we wrote it where the watch has not shown that yet.
    pub fn latest<'a>(&self, uid: &str, shown: Option<&'a ObjectStatus>, shown_version: u64) -> Cow<'a, ObjectStatus> {
        lock(&self.sent).latest(uid, shown_version).map_or_else(|| ours(shown), |latest| Cow::Owned(latest.clone()))
    }

    /// The same without what is only on its way.
    pub fn stored<'a>(&self, uid: &str, shown: Option<&'a ObjectStatus>, shown_version: u64) -> Cow<'a, ObjectStatus> {
        lock(&self.sent).stored_since(uid, shown_version).map_or_else(|| ours(shown), |it| Cow::Owned(it.clone()))
    }

    /// Forgets objects that are gone.
    pub fn forget<'a>(&self, gone: impl IntoIterator<Item = &'a String>) {
        let mut sent = lock(&self.sent);
        gone.into_iter().for_each(|uid| sent.forget(uid));
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
        let status = Arc::new(status.clone());
        let number = lock(&self.sent).send(&target.uid, &status);
        // The receiver ends with the operator; a waiting sender then sees that nothing was stored.
        let _ = self.queue.send(Letter { permit: permit.clone(), target, status, number, stored });
    }
}

/// What a watch shows of a status, without conditions of others.
fn ours(shown: Option<&ObjectStatus>) -> Cow<'_, ObjectStatus> {
    let is_ours = |condition: &Condition| conditions::OURS.contains(&condition.type_.as_str());
    match shown {
        None => Cow::Owned(ObjectStatus::default()),
        Some(shown) if shown.conditions.iter().all(is_ours) => Cow::Borrowed(shown),
        Some(shown) => {
            let mut status = shown.clone();
            // Conditions of others stay with them.
            status.conditions.retain(is_ours);
            Cow::Owned(status)
        }
    }
}

fn lock(sent: &Mutex<Sent>) -> MutexGuard<'_, Sent> {
    sent.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The newest letter of an object, and all who wait for it.
struct Pending {
    permit: Permit,
    target: Target,
    status: Arc<ObjectStatus>,
    number: u64,
    waiting: Vec<oneshot::Sender<bool>>,
}

async fn deliver(
    kubernetes: Kubernetes,
    metrics: Arc<Metrics>,
    mut letters: mpsc::UnboundedReceiver<Letter>,
    sent: Arc<Mutex<Sent>>,
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
                let result = kubernetes.write_status(&letter.permit, &letter.target, letter.status.as_ref()).await;
                (letter, result)
            });
        }
        tokio::select! {
            letter = letters.recv(), if open => match letter {
                Some(Letter { permit, target, status, number, stored }) => {
                    let former = pending.remove(&target.uid);
                    let mut waiting = former.map(|former| former.waiting).unwrap_or_default();
                    waiting.extend(stored);
                    pending.insert(target.uid.clone(), Pending { permit, target, status, number, waiting });
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

fn finish(metrics: &Metrics, sent: &Mutex<Sent>, letter: Pending, result: Result<u64, KubernetesError>) {
    let Pending { permit: _, target, status, number, waiting } = letter;
    let stored = result.is_ok();
    metrics.status_written(&target.resource.kind, stored);
    match &result {
        Ok(version) => lock(sent).stored(&target.uid, number, status, *version),
        Err(_) => lock(sent).failed(&target.uid, number),
    }
    if let Err(error) = result
        && !error.is_gone()
        && !matches!(error, KubernetesError::Lapsed(_))
    {
        // The next pass finds the difference.
        tracing::warn!(object = %target, %error, "a status could not be written");
    }
    for waiting in waiting {
        let _ = waiting.send(stored);
    }
}
