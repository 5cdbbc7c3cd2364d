//! What objects are told while Proxmox VE is not asked: it cannot be reached, the connection is not there, or it is
//! suspended.

use std::collections::HashMap;
use std::time::Instant;

use crate::api::Reason;
use crate::api::conditions::Motion;
use crate::api::management::ManagementPolicy;
use crate::api::policy::UnreachableDeletion;
use crate::api::status::ObjectStatus;
use crate::controller::connection::Worker;
use crate::controller::connections::{Connection, ConnectionKey};
use crate::controller::gather::wants_of;
use crate::controller::kinds::AnyObject;
use crate::controller::managed::Managed;
use crate::controller::references::ByNamespace;
use crate::controller::report::Report;
use crate::controller::status;
use crate::core::ledger::from_rows;
use crate::core::object::{ObjectKey, Refusal};
use crate::core::plan::still_used;

/// Since when the cluster has been away, after this is why it cannot be worked with: nobody answers there, or somebody else. A
/// credential that is missing meanwhile says nothing about it.
fn away_since(before: Option<Instant>, why: Reason, now: Instant) -> Option<Instant> {
    match why {
        Reason::APIUnavailable | Reason::CertificateMismatch | Reason::ClusterChanged => before.or(Some(now)),
        Reason::SecretNotFound => before,
        _ => None,
    }
}

impl Worker {
    /// The connection does not work: it says so at once. Objects that are ready stay so for the deadline, so that a
    /// short outage changes nothing; the others say what they wait for.
    pub(super) async fn unreachable(&mut self, connection: &Connection, objects: &[AnyObject], why: &Refusal) {
        self.failures = self.failures.saturating_add(1);
        let lasted = self.disconnected(connection, why, objects.len()).await;
        self.away = away_since(self.away, why.reason, Instant::now());
        let is_gone = self.away.is_some_and(|since| since.elapsed() >= self.context.progress_deadline);
        let orphan = is_gone && connection.spec.unreachable_deletion() == UnreachableDeletion::Orphan;
        let message = format!("{} is not ready: {}", self.key.short(), why.reason);
        let mut report = Report::not_ready(Reason::ConnectionNotReady, message);
        if why.reason.is_terminal() || lasted >= self.context.progress_deadline {
            report.says.motion = Motion::Stalled;
        }
        let spares_ready = lasted < self.context.progress_deadline;
        let referrers = self.referrers(objects);
        for any in objects {
            let previous = self.reporter.latest(any);
            if any.is_being_deleted() {
                self.delete_blind(any, &previous, orphan, &why.message, &referrers).await;
            } else if !(spares_ready && status::is_ready(&previous, any.generation())) {
                self.reporter.say(any, &previous, &report);
            }
        }
        self.say_checks(&report, spares_ready);
    }

    pub(super) async fn without_connection(&mut self, objects: &[AnyObject]) {
        let message = match (&self.key.namespace, self.context.index.knows_cluster_connections()) {
            (Some(namespace), _) => {
                let offered = ConnectionKey { namespace: None, ..self.key.clone() };
                let hint = match self.context.index.connection(&offered) {
                    Some(_) => format!("create it, or set connectionRef.kind to {}", offered.kind()),
                    None => "create it".to_owned(),
                };
                format!("{} does not exist in namespace {namespace}; {hint}", self.key.short())
            }
            (None, true) => format!("{} does not exist; create it", self.key.short()),
            (None, false) => format!(
                "{} cannot be used: the operator watches one namespace only; use a ProxmoxConnection of this namespace",
                self.key.short()
            ),
        };
        let referrers = self.referrers(objects);
        for any in objects {
            let previous = self.reporter.latest(any);
            if any.is_being_deleted() {
                self.delete_blind(any, &previous, false, &message, &referrers).await;
            } else {
                self.reporter.say(any, &previous, &Report::not_ready(Reason::ConnectionNotFound, message.clone()));
            }
        }
        self.say_checks(&Report::not_ready(Reason::ConnectionNotFound, message), false);
    }

    pub(super) async fn suspended(&mut self, connection: &Connection, objects: &[AnyObject]) {
        self.say_connection(connection, Report::suspended("spec.suspend"), |_| {}).await;
        let by = self.key.short();
        let referrers = self.referrers(objects);
        for any in objects {
            let previous = self.reporter.latest(any);
            if any.is_being_deleted() {
                self.delete_blind(any, &previous, false, &format!("{by} is suspended"), &referrers).await;
            } else {
                self.reporter.say(any, &previous, &Report::suspended(&by));
            }
        }
        self.say_checks(&Report::suspended(&by), false);
    }

    /// Live objects by what they refer to, one for each.
    fn referrers(&self, objects: &[AnyObject]) -> HashMap<ObjectKey, ObjectKey> {
        if !objects.iter().any(AnyObject::is_being_deleted) {
            return HashMap::new();
        }
        let references = ByNamespace::entered(objects, &self.context.index);
        let live = objects.iter().filter(|any| !any.is_being_deleted());
        let needs = live.flat_map(|any| {
            let wanted = wants_of(any, references.of(any.namespace())).wanted.into_iter();
            wanted.flat_map(|wanted| wanted.needs).map(|needed| (needed, any.key()))
        });
        needs.collect()
    }

    /// A deletion without Proxmox VE: what needs nothing there goes, the rest waits and says the way out. What others refer
    /// to stays as it does otherwise: they would lose what they have through it.
    async fn delete_blind(
        &mut self,
        any: &AnyObject,
        previous: &ObjectStatus,
        orphan: bool,
        why: &str,
        referrers: &HashMap<ObjectKey, ObjectKey>,
    ) {
        let observes = any.management().management_policy == ManagementPolicy::Observe;
        if let Some(referrer) = referrers.get(&any.key()).filter(|_| observes || !previous.ledger.is_empty()) {
            let message = still_used(&any.key().short(), &referrer.as_told_to(any.namespace()));
            self.reporter.say(any, previous, &Report::not_ready(Reason::DeletionBlocked, message));
            return;
        }
        if self.reporter.goes_blind(any, previous, orphan, why) {
            let held = from_rows(&previous.ledger).unwrap_or_default();
            let left = if observes { Vec::new() } else { held.into_keys().collect() };
            self.let_go(any, left).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_away_since_nobody_or_somebody_else_has_answered_and_for_no_other_reason() {
        let now = Instant::now();
        let earlier = now.checked_sub(std::time::Duration::from_mins(1));
        for (why, before, since) in [
            (Reason::APIUnavailable, None, Some(now)),
            (Reason::APIUnavailable, earlier, earlier),
            (Reason::ClusterChanged, earlier, earlier),
            // As when a namespace goes with everything in it.
            (Reason::SecretNotFound, earlier, earlier),
            (Reason::SecretNotFound, None, None),
            (Reason::InvalidSpec, earlier, None),
            (Reason::AuthenticationFailed, earlier, None),
        ] {
            assert_eq!(away_since(before, why, now), since, "{why}");
        }
    }
}
