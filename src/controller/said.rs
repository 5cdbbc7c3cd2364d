//! The status of a connection, to whatever system: written when it says something new, and known until the watch shows it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use kube::core::ObjectMeta;
use serde::Serialize;

use crate::api::connection_status::ConnectionStatus;
use crate::api::pocket_id_connection::PocketIdConnectionStatus;
use crate::api::reason::Severity;
use crate::api::{RECONCILE_REQUESTED_AT, conditions};
use crate::controller::events::News;
use crate::controller::kubernetes::{Target, resource_version};
use crate::controller::report::Report;
use crate::controller::tell::Reporter;

/// What the statuses of all connections have.
pub(super) trait Said: Clone + Default + Serialize + Sync {
    /// Its conditions.
    fn conditions(&self) -> &Vec<Condition>;

    /// The same, to be changed.
    fn conditions_mut(&mut self) -> &mut Vec<Condition>;

    /// A generation was judged, and with it an annotation that asked for that.
    fn judged(&mut self, generation: i64, handled: Option<&String>);

    /// True when nothing differs that is worth a write.
    fn says_the_same_as(&self, other: &Self) -> bool;
}

macro_rules! said {
    ($status:ident, $same:expr) => {
        impl Said for $status {
            fn conditions(&self) -> &Vec<Condition> {
                &self.conditions
            }

            fn conditions_mut(&mut self) -> &mut Vec<Condition> {
                &mut self.conditions
            }

            fn judged(&mut self, generation: i64, handled: Option<&String>) {
                self.observed_generation = Some(generation);
                if let Some(handled) = handled {
                    self.last_handled_reconcile_at = Some(handled.clone());
                }
            }

            fn says_the_same_as(&self, other: &Self) -> bool {
                $same(self, other)
            }
        }
    };
}

said!(ConnectionStatus, ConnectionStatus::says_the_same_as);
said!(PocketIdConnectionStatus, PocketIdConnectionStatus::eq);

/// A status that was stored, and that the watch may not show yet.
pub(super) struct Stored<S> {
    status: S,
    resource_version: u64,
}

impl<S: Said> Stored<S> {
    /// A status that was stored as this version of the connection.
    pub fn new(status: S, resource_version: u64) -> Self {
        Self { status, resource_version }
    }

    /// The status of a connection, as we wrote it where the watch does not show that yet.
    pub fn latest(stored: Option<&Self>, meta: &ObjectMeta, shown: Option<&S>) -> S {
        match stored {
            Some(stored) if resource_version(meta) < stored.resource_version => stored.status.clone(),
            _ => {
                let mut status = shown.cloned().unwrap_or_default();
                status.conditions_mut().retain(|condition| conditions::OURS.contains(&condition.type_.as_str()));
                status
            }
        }
    }
}

impl Reporter {
    /// Writes the status of the connection if it says something new; answers with what was stored.
    pub(super) async fn say_connection<S: Said>(
        &mut self,
        (target, meta): (&Target, &ObjectMeta),
        previous: &S,
        report: Report,
        fill: impl FnOnce(&mut S),
    ) -> Option<Stored<S>> {
        let kind = self.key.kind();
        self.counts(kind, &target.uid, report.says.ready.as_str());
        let generation = meta.generation.unwrap_or_default();
        let mut status = previous.clone();
        fill(&mut status);
        let conditions = report.says.conditions(generation, previous.conditions(), &Time(Timestamp::now()));
        if !conditions::say_the_same(&conditions, previous.conditions()) {
            *status.conditions_mut() = conditions;
        }
        status.judged(generation, meta.annotations.as_ref().and_then(|all| all.get(RECONCILE_REQUESTED_AT)));
        if status.says_the_same_as(previous) {
            return None;
        }
        let before = conditions::find(previous.conditions(), conditions::READY).map(|ready| ready.reason.as_str());
        if report.says.reason.severity() != Severity::Fine && before != Some(report.says.reason.as_str()) {
            tracing::warn!(connection = %self.key, reason = %report.says.reason, "{}", report.says.message);
            let news = News::NotReady(report.says.reason, report.says.message.clone());
            self.context.events.tell(&self.permit, target.clone(), news);
        }
        self.warn(target.clone(), status.conditions(), previous.conditions());
        let result = self.context.kubernetes.write_status(&self.permit, target, &status).await;
        self.context.metrics.status_written(kind, result.is_ok());
        match result {
            Ok(resource_version) => Some(Stored::new(status, resource_version)),
            Err(error) => {
                tracing::warn!(connection = %self.key, %error, "the status could not be written");
                None
            }
        }
    }
}

/// For how long a connection has not worked.
pub(super) fn lasted(conditions: &[Condition]) -> std::time::Duration {
    match conditions::find(conditions, conditions::READY) {
        Some(ready) if ready.status == "False" => {
            Timestamp::now().duration_since(ready.last_transition_time.0).try_into().unwrap_or_default()
        }
        _ => std::time::Duration::ZERO,
    }
}
