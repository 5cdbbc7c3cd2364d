//! Statuses and Events of objects on their way, and objects that are let go.

use std::collections::HashSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::api::Reason;
use crate::api::conditions;
use crate::api::status::ObjectStatus;
use crate::controller::connection::Worker;
use crate::controller::deliver;
use crate::controller::events::News;
use crate::controller::kinds::AnyObject;
use crate::controller::kubernetes::Target;
use crate::controller::pass::target;
use crate::controller::report::{self, Facts, Report};
use crate::core::claim::{Claim, Thing};

impl Worker {
    /// Takes the finalizer off.
    pub(super) async fn let_go(&mut self, any: &AnyObject, left: Vec<Claim>) {
        // The Secret of a token that stays must not be collected with its object: nobody could read it again.
        if let (AnyObject::Token(token), true) =
            (any, left.iter().any(|claim| matches!(claim, Claim::Thing(Thing::Token(_)))))
            && let Err(error) = deliver::leave(&self.context.kubernetes, &self.permit, token).await
        {
            tracing::warn!(object = %any.key(), %error, "its Secret could not be released; tried again");
            return;
        }
        if !left.is_empty() {
            self.context.events.tell(&self.permit, target(any), News::Left(left));
        }
        match self.context.kubernetes.remove_finalizer(&self.permit, &target(any)).await {
            Ok(()) => drop(self.released.insert(any.uid().to_owned())),
            Err(error) => tracing::warn!(object = %any.key(), %error, "the finalizer could not be removed"),
        }
    }

    /// Sends a status that does not come from a plan: the ledger stays as it is.
    pub(super) fn say(&mut self, any: &AnyObject, previous: &ObjectStatus, report: &Report) {
        let facts = Facts::unplanned(any.generation(), any.reconcile_requested_at(), previous);
        let status = report::status(report, facts, previous, self.context.progress_deadline);
        self.send(any, previous, &status);
    }

    /// Sends a status if it says something new, and tells of a change for the worse.
    pub(super) fn send(&mut self, any: &AnyObject, previous: &ObjectStatus, status: &ObjectStatus) {
        self.judged(any.kind(), any.uid(), status);
        if status != previous {
            self.changes.remove(any.uid());
            self.post(target(any), previous, status);
        }
    }

    /// Counts something that was judged.
    pub(super) fn judged(&mut self, kind: &'static str, uid: &str, status: &ObjectStatus) {
        let (ready, _) = report::ready_of(status);
        self.counts(kind, uid, ready);
        self.context.metrics.judged(kind, ready == "True");
    }

    /// Counts something by the status of its Ready.
    pub(super) fn counts(&mut self, kind: &'static str, uid: &str, ready: &'static str) {
        let entry = self.counted.entry(uid.to_owned()).or_insert((kind, ""));
        if entry.1 != ready {
            if !entry.1.is_empty() {
                self.context.metrics.ready_changed(kind, entry.1, -1);
            }
            self.context.metrics.ready_changed(kind, ready, 1);
            entry.1 = ready;
        }
    }

    /// Sends a status that says something new, and tells of a change for the worse.
    pub(super) fn post(&self, target: Target, previous: &ObjectStatus, status: &ObjectStatus) {
        let ((ready, reason), (_, reason_before)) = (report::ready_of(status), report::ready_of(previous));
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
