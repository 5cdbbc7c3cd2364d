//! Statuses and Events of objects on their way, and finalizers: what a worker tells Kubernetes.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::sync::Arc;

use futures::StreamExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use kube::core::ObjectMeta;

use crate::api::status::{LastChange, ObjectStatus};
use crate::api::{Reason, conditions};
use crate::controller::Context;
use crate::controller::connections::ConnectionKey;
use crate::controller::events::{self, News};
use crate::controller::kubernetes::{KubernetesError, Target, is_held};
use crate::controller::managed::Managed;
use crate::controller::report::Report;
use crate::controller::status::{self, Facts};
use crate::core::plan::Purpose;
use crate::permit::Permit;

/// How many finalizers are written at once.
const IN_FLIGHT: usize = 16;

/// Tells Kubernetes of the objects of one connection.
pub(super) struct Reporter {
    pub(super) key: ConnectionKey,
    pub(super) context: Arc<Context>,
    /// The right to write in this turn.
    pub(super) permit: Permit,
    /// Objects that have our finalizer although the watch may not show it yet, each with the version that has it.
    finalized: HashMap<String, u64>,
    /// Objects that are let go although the watch may still show them.
    released: HashSet<String>,
    /// The last write for each object, until its status says it.
    changes: HashMap<String, LastChange>,
    /// What was last counted of each object: its kind and the status of Ready.
    counted: HashMap<String, (&'static str, &'static str)>,
}

impl Reporter {
    pub(super) fn new(key: ConnectionKey, context: Arc<Context>, permit: Permit) -> Self {
        Self {
            key,
            context,
            permit,
            finalized: HashMap::new(),
            released: HashSet::new(),
            changes: HashMap::new(),
            counted: HashMap::new(),
        }
    }

    /// The status of an object, as we wrote it where the watch has not shown that yet.
    pub(super) fn latest<'a>(&self, any: &'a impl Managed) -> Cow<'a, ObjectStatus> {
        self.context.outbox.latest(any.uid(), any.status(), any.version())
    }

    /// The status of an object that Kubernetes is known to have.
    pub(super) fn stored<'a>(&self, any: &'a impl Managed) -> Cow<'a, ObjectStatus> {
        self.context.outbox.stored(any.uid(), any.status(), any.version())
    }

    /// Forgets what is only known until the watch shows it, of objects that it shows by now or that are gone.
    pub(super) fn catch_up<A: Managed>(&mut self, all: &[A], present: &HashSet<String>) {
        self.released.retain(|uid| present.contains(uid));
        let unshown: HashSet<&str> = all.iter().filter(|any| self.is_finalized_since(*any)).map(Managed::uid).collect();
        self.finalized.retain(|uid, _| unshown.contains(uid.as_str()));
        self.changes.retain(|uid, _| present.contains(uid));
    }

    /// Whether an object is let go although the watch may still show it.
    pub(super) fn is_released(&self, any: &impl Managed) -> bool {
        self.released.contains(any.uid())
    }

    /// Whether an object lacks our finalizer.
    pub(super) fn lacks_finalizer(&self, any: &impl Managed) -> bool {
        !is_held(any.meta()) && !self.is_finalized_since(any)
    }

    /// Whether our finalizer came onto an object after what the watch has shown of it.
    fn is_finalized_since(&self, any: &impl Managed) -> bool {
        self.finalized.get(any.uid()).is_some_and(|version| any.version() < *version)
    }

    /// Puts our finalizer on objects; answers with those for which that failed.
    pub(super) async fn add_finalizers<'a, A: Managed + 'a>(
        &mut self,
        objects: impl Iterator<Item = (usize, &'a A)>,
    ) -> HashSet<usize> {
        let writes = objects.map(|(index, any)| {
            let (kubernetes, permit, target) = (self.context.kubernetes.clone(), self.permit.clone(), any.target());
            async move { (index, kubernetes.add_finalizer(&permit, &target).await, target) }
        });
        let written: Vec<_> =
            futures::stream::iter(writes.collect::<Vec<_>>()).buffer_unordered(IN_FLIGHT).collect().await;
        let mut failed = HashSet::new();
        for (index, result, target) in written {
            match result {
                Ok(version) => drop(self.finalized.insert(target.uid, version)),
                Err(error) => {
                    tracing::warn!(object = %target, %error, "the finalizer could not be written");
                    failed.insert(index);
                }
            }
        }
        failed
    }

    /// Keeps a connection until its objects are gone; false when it goes now.
    pub(super) async fn hold(
        &self,
        meta: &ObjectMeta,
        target: &Target,
        is_used: bool,
    ) -> Result<bool, KubernetesError> {
        match (meta.deletion_timestamp.is_some(), is_held(meta)) {
            (false, false) => drop(self.context.kubernetes.add_finalizer(&self.permit, target).await?),
            (true, true) if !is_used => {
                self.context.kubernetes.remove_finalizer(&self.permit, target).await?;
                return Ok(false);
            }
            _ => {}
        }
        Ok(true)
    }

    /// Takes the finalizer off; `left` is what stays although the object goes.
    pub(super) async fn let_go<A: Managed>(&mut self, any: &A, left: &[impl Display]) {
        if !left.is_empty() {
            self.context.events.tell(&self.permit, any.target(), News::Left(A::SYSTEM, events::list(left)));
        }
        match self.context.kubernetes.remove_finalizer(&self.permit, &any.target()).await {
            Ok(()) => drop(self.released.insert(any.uid().to_owned())),
            Err(error) => tracing::warn!(object = %any.key(), %error, "the finalizer could not be removed"),
        }
    }

    /// A deletion without asking the other system. True when nothing there has to be removed for it; the rest waits and
    /// says the way out.
    pub(super) fn goes_blind(&mut self, any: &impl Managed, previous: &ObjectStatus, orphan: bool, why: &str) -> bool {
        let goes = previous.ledger.is_empty() || any.leaves_all() || orphan;
        if !goes {
            let message =
                format!("{why}; to let it go and leave what it stands for, set spec.deletionPolicy to Orphan");
            self.say(any, previous, &Report::not_ready(Reason::DeletionBlocked, message));
        }
        goes
    }

    /// Sends a status that does not come from a plan: the ledger stays as it is.
    pub(super) fn say(&mut self, any: &impl Managed, previous: &ObjectStatus, report: &Report) {
        let facts = Facts::unplanned(any.generation(), any.reconcile_requested_at(), previous);
        let status = facts.status(report, previous, self.context.progress_deadline);
        self.send(any, previous, &status);
    }

    /// Sends a status if it says something new, and tells of a change for the worse.
    pub(super) fn send(&mut self, any: &impl Managed, previous: &ObjectStatus, status: &ObjectStatus) {
        self.judged(any.kind(), any.uid(), status);
        if status != previous {
            self.changes.remove(any.uid());
            self.post(any.target(), previous, status);
        }
    }

    /// The last write for an object, until its status says it.
    pub(super) fn change(&self, any: &impl Managed) -> Option<LastChange> {
        self.changes.get(any.uid()).cloned()
    }

    /// Tells what was done for an object.
    pub(super) fn done<A: Managed>(&mut self, any: &A, purpose: &Purpose, claims: &[impl Display]) {
        if matches!(purpose, Purpose::Restore | Purpose::Correct(_)) {
            self.context.metrics.drift_corrected(any.kind());
        }
        let what = events::list(claims);
        let summary = events::sentence(purpose, &what);
        self.changes.insert(any.uid().to_owned(), LastChange { time: Time(Timestamp::now()), summary });
        self.context.events.tell(&self.permit, any.target(), News::Done(A::SYSTEM, purpose.clone(), what));
    }

    /// Tells what was taken over for an object.
    pub(super) fn adopted<A: Managed>(&self, any: &A, claims: &[impl Display]) {
        if !claims.is_empty() {
            self.context.events.tell(&self.permit, any.target(), News::Adopted(A::SYSTEM, events::list(claims)));
        }
    }

    /// Counts something that was judged.
    pub(super) fn judged(&mut self, kind: &'static str, uid: &str, status: &ObjectStatus) {
        let (ready, _) = status::ready_of(&status.conditions);
        self.counts(kind, uid, ready);
        self.context.metrics.judged(kind, ready == "True");
    }

    /// Counts something by the status of its Ready.
    pub(super) fn counts(&mut self, kind: &'static str, uid: &str, ready: &'static str) {
        let before = self.counted.get(uid).map(|(_, before)| *before);
        if before != Some(ready) {
            if let Some(before) = before {
                self.context.metrics.ready_changed(kind, before, -1);
            }
            self.context.metrics.ready_changed(kind, ready, 1);
            self.counted.insert(uid.to_owned(), (kind, ready));
        }
    }

    /// Sends a status that says something new, and tells of a change for the worse.
    pub(super) fn post(&self, target: Target, previous: &ObjectStatus, status: &ObjectStatus) {
        let ((ready, reason), (_, reason_before)) =
            (status::ready_of(&status.conditions), status::ready_of(&previous.conditions));
        self.warn(target.clone(), &status.conditions, &previous.conditions);
        if ready == "False"
            && reason != reason_before
            && let Some(condition) = conditions::find(&status.conditions, conditions::READY)
            && let Some(reason) = Reason::ALL.iter().find(|known| known.as_str() == reason)
        {
            tracing::warn!(connection = %self.key, object = %target, %reason, "{}", condition.message);
            self.context.events.tell(&self.permit, target.clone(), News::NotReady(*reason, condition.message.clone()));
        }
        self.context.outbox.send(&self.permit, target, status);
    }

    /// Tells of a warning that was not there before, or was for another reason.
    pub(super) fn warn(&self, target: Target, conditions: &[Condition], previous: &[Condition]) {
        let before = conditions::find(previous, conditions::WARNING).map(|warning| warning.reason.as_str());
        if let Some(warning) = conditions::find(conditions, conditions::WARNING)
            && before != Some(warning.reason.as_str())
            && let Some(reason) = Reason::ALL.iter().find(|known| known.as_str() == warning.reason)
        {
            self.context.events.tell(&self.permit, target, News::Warned(*reason, warning.message.clone()));
        }
    }

    /// Takes objects that are gone out of the count.
    pub(super) fn count(&mut self, present: &HashSet<String>) {
        let gone: Vec<String> = self.counted.keys().filter(|uid| !present.contains(*uid)).cloned().collect();
        self.context.outbox.forget(&gone);
        for uid in gone {
            if let Some((kind, ready)) = self.counted.remove(&uid) {
                self.context.metrics.ready_changed(kind, ready, -1);
            }
        }
    }
}
