//! Checks of permissions: judged by what a pass read, and told.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;

use crate::api::conditions::{Motion, Ready};
use crate::api::status::ObjectStatus;
use crate::api::{ProxmoxAccessCheck, RECONCILE_REQUESTED_AT, Reason};
use crate::controller::connection::Worker;
use crate::controller::connections::Connection;
use crate::controller::events::News;
use crate::controller::kinds::AnyObject;
use crate::controller::kubernetes::{Target, resource_version};
use crate::controller::references::ByNamespace;
use crate::controller::report::Report;
use crate::controller::status::{self, Facts};
use crate::core::access::{self, Check, Holds};
use crate::core::object::Refusal;
use crate::core::policy::{self, Policy};
use crate::core::snapshot::Snapshot;

const KIND: &str = "ProxmoxAccessCheck";

/// By what it is decided who may ask what.
pub(super) struct Allowed<'a> {
    pub connection: &'a Connection,
    pub policy: &'a Policy,
}

/// Whether the members of all pools must be read for these checks: one request for each pool.
pub(super) fn need_pools(checks: &[ProxmoxAccessCheck]) -> bool {
    checks.iter().any(access::needs_pools)
}

impl Worker {
    /// Judges all checks by what stands. While the pass still writes, one that was not judged before waits: it was
    /// probably made together with what it is about.
    pub(super) fn judge_checks(
        &mut self,
        objects: &[AnyObject],
        allowed: &Allowed<'_>,
        snapshot: &Snapshot,
        writes: bool,
    ) {
        let checks = Arc::clone(&self.checks);
        if checks.is_empty() {
            return;
        }
        let references = ByNamespace::entered(objects, &self.context.index);
        let read = |check: &ProxmoxAccessCheck| self.read(check, &references, allowed);
        for (check, result) in checks.iter().zip(judged(&checks, read, snapshot)) {
            let previous = self.previous(check);
            let report = match result {
                _ if check.spec.suspend => Report::suspended("spec.suspend"),
                Ok(_) | Err(Refusal { reason: Reason::AssertionFailed, .. })
                    if writes && !was_judged(&previous, check.metadata.generation) =>
                {
                    let message = "it is judged once what is under way is written to Proxmox VE";
                    Report::new(Ready::Unknown, Reason::Progressing, message, Motion::Reconciling)
                }
                Ok(Holds { message, warning }) => {
                    let mut report = Report::new(Ready::True, Reason::Succeeded, message, Motion::Settled);
                    report.says.warning = warning.map(|warning| (warning.reason, warning.message));
                    report
                }
                Err(Refusal { reason, message }) => Report::not_ready(reason, message),
            };
            self.say_check(check, &previous, &report);
        }
    }

    /// What a check says, where it may ask.
    fn read(
        &self,
        check: &ProxmoxAccessCheck,
        references: &ByNamespace<'_>,
        allowed: &Allowed<'_>,
    ) -> Result<Check, Refusal> {
        let namespace = check.metadata.namespace.as_deref().unwrap_or_default();
        let Allowed { connection, policy } = allowed;
        let admission = self.context.index.admission(namespace, connection);
        if let Some(refusal) = policy::not_admitted(admission, namespace) {
            return Err(refusal);
        }
        let read = Check::of(check, references.of(namespace))?;
        policy.denies_check(namespace, &read.path, &read.subject).map_or(Ok(read), Err)
    }

    /// Tells all checks the same while Proxmox VE is not asked.
    pub(super) fn say_checks(&mut self, report: &Report, spares_ready: bool) {
        for check in Arc::clone(&self.checks).iter() {
            let previous = self.previous(check);
            let generation = check.metadata.generation.unwrap_or_default();
            if !(spares_ready && status::is_ready(&previous, generation)) {
                self.say_check(check, &previous, report);
            }
        }
    }

    fn previous(&self, check: &ProxmoxAccessCheck) -> ObjectStatus {
        let shown = check.status.as_ref().map(ObjectStatus::from);
        let uid = check.metadata.uid.as_deref().unwrap_or_default();
        self.context.outbox.latest(uid, shown.as_ref(), resource_version(&check.metadata)).into_owned()
    }

    fn say_check(&mut self, check: &ProxmoxAccessCheck, previous: &ObjectStatus, report: &Report) {
        let annotations = check.metadata.annotations.as_ref();
        let handled = annotations.and_then(|all| all.get(RECONCILE_REQUESTED_AT)).map(String::as_str);
        let facts = Facts::unplanned(check.metadata.generation.unwrap_or_default(), handled, previous);
        let status = facts.status(report, previous, self.context.progress_deadline);
        let target = Target::of(check);
        self.reporter.judged(KIND, &target.uid, &status);
        if status == *previous {
            return;
        }
        let failed = status::ready_of(&previous.conditions).1 == Reason::AssertionFailed.as_str();
        if failed && report.says.ready == Ready::True {
            self.context.events.tell(&self.permit, target.clone(), News::Holds(report.says.message.clone()));
        }
        self.reporter.post(target, previous, &status);
    }
}

/// Whether a status has an answer for the spec of this generation.
fn was_judged(previous: &ObjectStatus, generation: Option<i64>) -> bool {
    let (_, reason) = status::ready_of(&previous.conditions);
    previous.observed_generation == generation
        && [Reason::Succeeded, Reason::AssertionFailed].iter().any(|judged| judged.as_str() == reason)
}

/// A panic over checks stays with them.
fn judged(
    checks: &[ProxmoxAccessCheck],
    read: impl Fn(&ProxmoxAccessCheck) -> Result<Check, Refusal>,
    snapshot: &Snapshot,
) -> Vec<Result<Holds, Refusal>> {
    let now = Timestamp::now().as_second();
    let judge = || {
        let read: Vec<_> = checks.iter().map(read).collect();
        access::judge(&read, snapshot, now)
    };
    catch_unwind(AssertUnwindSafe(judge)).unwrap_or_else(|_| {
        let message = "the operator failed on the checks; this is a defect, please report it with them";
        vec![Err(Refusal::new(Reason::InvalidSpec, message)); checks.len()]
    })
}
