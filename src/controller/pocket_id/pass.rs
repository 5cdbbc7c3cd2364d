//! One pass over a connection to Pocket ID: snapshot, plan, ledgers, steps, statuses.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use tracing::Span;
use tracing::field::Empty;

use super::deliver::secret_status;
use super::gather::{self, Gathered, Subject};
use super::{PocketIdObject, Worker};
use crate::api::management::ManagementPolicy;
use crate::api::object::System;
use crate::api::status::ObjectStatus;
use crate::api::{PocketIdConnection, Reason};
use crate::controller::index::Wake;
use crate::controller::managed::Managed;
use crate::controller::outdated::Blocked;
use crate::controller::report::{self, Report};
use crate::controller::status::{self, Facts};
use crate::controller::wait::jittered;
use crate::core::claim::{Entry, Origin, Progress};
use crate::core::ledger;
use crate::core::object::{Mode, Refusal};
use crate::core::plan::{ClaimState, Purpose, Verdict};
use crate::core::pocket_id::claim::{Claim, to_rows};
use crate::core::pocket_id::object::{Logo, Object, Wanted};
use crate::core::pocket_id::plan::{Input, Plan, Step, plan};
use crate::core::pocket_id::secret::Secrecy;
use crate::core::pocket_id::snapshot::Snapshot;

/// How soon it is tried again to write a secret that is in hand.
const SOON: Duration = Duration::from_secs(5);

impl Worker {
    /// Judges all objects against what stands, stores what is intended, and carries out what fits into the budget. Answers
    /// with when the next pass is due at the latest.
    #[tracing::instrument(
        name = "pass", target = "trace", level = "debug", skip_all,
        fields(connection = %self.key, objects = objects.len(), planned = Empty, done = Empty),
    )]
    pub(super) async fn judge(
        &mut self,
        connection: &PocketIdConnection,
        objects: &[PocketIdObject],
    ) -> Result<Duration, Refusal> {
        let session = self.session(connection, objects).await?;
        let Gathered { subjects, mut inputs, parcels } = self.gather(objects, session.issuer()).await;
        for object in &mut inputs {
            object.ledger.retain(|claim, entry| entry.progress == Progress::Applied || !self.unsent.contains(claim));
        }
        let scope = gather::scope(&inputs);
        let snapshot = session.snapshot(&scope, &mut self.details).await?;
        self.connected(connection, &session, objects).await;
        let now = self.clock().now;
        let plan = plan(&Input { objects: &inputs, snapshot: &snapshot, failures: &self.failures, now });
        self.forget(&plan);
        let judged = Judged { subjects: &subjects, inputs: &inputs, snapshot: &snapshot, plan: &plan };
        let blocked = self.store(&judged).await;
        self.report(&judged, &blocked).await;
        let steps: Vec<&Step> = plan.steps.iter().filter(|step| !blocked.contains(step.owner)).collect();
        let creates = steps.iter().filter(|step| step.purpose == Purpose::Create);
        let new = creates.filter(|step| !inputs[step.owner].ledger.contains_key(&step.claim));
        self.unsent.extend(new.map(|step| step.claim.clone()));
        let planned = steps.len();
        Span::current().record("planned", planned);
        let done = self.execute(&session, &steps, &judged, &parcels).await;
        Span::current().record("done", done);
        Ok(if done > 0 {
            // Realms tell whom their client lets in, which may be others now.
            self.context.changes.count(&self.key);
            let _ = self.context.wake.send(Wake::Referring(self.namespace().to_owned()));
            Duration::ZERO
        } else if planned > 0 || plan.handing_over || !blocked.is_empty() {
            Duration::from_millis(self.clock().back_off(1))
        } else {
            self.next_look()
        })
    }

    /// The resync, or sooner when something is to be tried again.
    fn next_look(&self) -> Duration {
        let now = self.clock().now;
        let retry =
            self.failures.values().map(|failed| Duration::from_millis(failed.retry_at.saturating_sub(now).max(500)));
        let soon = (!self.in_hand.is_empty()).then_some(SOON);
        retry.chain(soon).chain([jittered(self.resync)]).min().unwrap_or(self.resync)
    }

    /// Keeps failures and writes only of claims that are still in question.
    fn forget(&mut self, plan: &Plan) {
        let verdicts = plan.verdicts.iter().flat_map(|verdict| &verdict.claims);
        let open: BTreeSet<&Claim> =
            verdicts.filter(|(_, state)| **state != ClaimState::Standing).map(|(claim, _)| claim).collect();
        self.failures.retain(|claim, _| open.contains(claim));
        self.written.retain(|claim, _| open.contains(claim));
        self.unsent.retain(|claim| open.contains(claim));
    }

    /// Stores finalizers and ledgers before anything is written; answers with the objects for which that failed, and those
    /// that are about to be corrected by what is not so any more.
    async fn store(&mut self, judged: &Judged<'_>) -> Blocked {
        let missing: Vec<_> = judged
            .subjects
            .iter()
            .zip(judged.inputs)
            .enumerate()
            .filter(|(_, (subject, object))| object.mode == Mode::Manage && self.reporter.lacks_finalizer(subject.any))
            .map(|(index, (subject, _))| (index, subject.any))
            .collect();
        let unwritten = self.reporter.add_finalizers(missing.into_iter()).await;
        let owners: BTreeSet<usize> = judged.plan.steps.iter().map(|step| step.owner).collect();
        let settled = owners.iter().map(|index| (*index, &judged.subjects[*index]));
        let settled = settled.filter(|(_, it)| status::is_ready(&it.previous, it.any.generation()));
        let outdated = self.reporter.outdated(settled.map(|(index, it)| (index, it.any))).await;
        let mut blocked = Blocked { unwritten, outdated };
        let mut writes = Vec::new();
        for index in owners.union(&heirs(judged)).copied().filter(|index| !blocked.contains(*index)) {
            let Subject { any, previous } = &judged.subjects[index];
            let mut kept = judged.plan.verdicts[index].clone();
            // What is given up stays in the ledger until the step for it is taken.
            for (claim, entry) in &judged.inputs[index].ledger {
                kept.ledger.entry(claim.clone()).or_insert(*entry);
            }
            let status = self.compose(judged, index, &kept);
            let changed = to_rows(&kept.ledger) != previous.ledger || status.client_secret != previous.client_secret;
            let fresh = previous.observed_generation != Some(any.generation());
            if changed || fresh && !any.is_being_deleted() {
                let (outbox, permit, target) = (self.context.outbox.clone(), self.permit.clone(), any.target());
                writes.push(async move { (index, outbox.store(&permit, target, &status).await) });
            }
        }
        let stored = futures::future::join_all(writes).await;
        blocked.unwritten.extend(stored.into_iter().filter(|(_, stored)| !stored).map(|(index, _)| index));
        blocked
    }

    /// Sends the statuses of all objects that no step is for, and lets go those that are done.
    async fn report(&mut self, judged: &Judged<'_>, blocked: &Blocked) {
        let owners: BTreeSet<usize> = judged.plan.steps.iter().map(|step| step.owner).collect();
        for (index, Subject { any, previous }) in judged.subjects.iter().enumerate() {
            let (object, verdict) = (&judged.inputs[index], &judged.plan.verdicts[index]);
            if blocked.outdated.contains(&index) {
                continue;
            }
            if blocked.unwritten.contains(&index) {
                let message = "its finalizer or its status could not be written to Kubernetes; it is tried again";
                self.reporter.say(*any, previous, &Report::not_ready(Reason::ProgressingWithRetry, message));
                continue;
            }
            // It might be the heir's whose ledger could not be stored.
            if !blocked.is_empty() && gives_up(object, verdict) {
                continue;
            }
            let adopted = |(claim, entry): &(&Claim, &Entry)| {
                entry.origin == Origin::Adopted && !object.ledger.contains_key(*claim)
            };
            let adopted: Vec<&Claim> = verdict.ledger.iter().filter(adopted).map(|(claim, _)| claim).collect();
            self.reporter.adopted(*any, &adopted);
            if is_done(object, verdict) {
                let left = if any.management().management_policy == ManagementPolicy::Observe {
                    &[][..]
                } else {
                    &verdict.left
                };
                self.let_go(any, left).await;
            } else if !owners.contains(&index) || verdict.worst().is_some() {
                if verdict.worst().is_none() {
                    self.settled.stands(any.uid(), any.generation(), object.wanted.clone());
                }
                let status = self.compose(judged, index, verdict);
                self.reporter.send(*any, previous, &status);
            }
        }
    }

    fn compose(&self, judged: &Judged<'_>, index: usize, verdict: &Verdict<Claim>) -> ObjectStatus {
        let Subject { any, previous } = &judged.subjects[index];
        let object = &judged.inputs[index];
        let secret = object.secret.as_ref().zip(judged.plan.secrets[index].as_ref());
        let facts = Facts {
            generation: any.generation(),
            external_id: judged.external_id(index),
            ledger: Some(to_rows(&verdict.ledger)),
            handled: any.reconcile_requested_at(),
            change: self.reporter.change(*any),
            written: None,
            token: None,
            sync_jobs: None,
            sync: None,
            client_secret: secret
                .map(|(secret, secrecy)| secret_status(secret, secrecy, previous.client_secret.as_ref())),
            client_in_use: None,
            sign_in: None,
            logo: mark(object).filter(|_| verdict.stands(|claim| matches!(claim, Claim::Logo(_)))),
            now: Timestamp::now(),
        };
        let mut report = report::report(object.mode, System::PocketId, verdict);
        report.says.warning =
            report.says.warning.take().or_else(|| warning(object, judged.plan.secrets[index].as_ref()));
        facts.status(&report, previous, self.context.progress_deadline)
    }
}

/// All that a pass has found out.
pub(super) struct Judged<'a> {
    pub(super) subjects: &'a [Subject<'a>],
    pub(super) inputs: &'a [Object],
    snapshot: &'a Snapshot,
    plan: &'a Plan,
}

impl Judged<'_> {
    /// What the object's thing is called in Pocket ID, once it is the object's.
    fn external_id(&self, index: usize) -> Option<String> {
        let object = &self.inputs[index];
        match object.wanted.as_ref()? {
            Wanted::Client(client) => Some(client.id.to_string()),
            Wanted::Group(group) => {
                let known = object.known.as_ref().filter(|id| self.snapshot.groups.contains_key(*id));
                let found = || self.snapshot.group_named(&group.name).map(|(id, _)| id);
                let holds = self.plan.verdicts[index].ledger.contains_key(&Claim::Group(group.name.clone()));
                known.or_else(found).filter(|_| holds || object.mode == Mode::Observe).map(ToString::to_string)
            }
        }
    }
}

/// What tells the logo that an object wants from others.
pub(super) fn mark(object: &Object) -> Option<String> {
    match &object.wanted {
        Some(Wanted::Client(client)) => client.logo.as_ref().map(Logo::mark),
        Some(Wanted::Group(_)) | None => None,
    }
}

/// Who takes over what another one gives up: it must be stored before that one is let go.
fn heirs(judged: &Judged<'_>) -> BTreeSet<usize> {
    let objects = || judged.inputs.iter().zip(&judged.plan.verdicts).enumerate();
    if !objects().any(|(_, (object, verdict))| gives_up(object, verdict)) {
        return BTreeSet::new();
    }
    let takes = |object: &Object, verdict: &Verdict<Claim>| {
        object.mode.is_live() && ledger::gains(&object.ledger, &verdict.ledger)
    };
    objects().filter(|(_, (object, verdict))| takes(object, verdict)).map(|(index, _)| index).collect()
}

/// True when an object's ledger loses something.
fn gives_up(object: &Object, verdict: &Verdict<Claim>) -> bool {
    object.mode == Mode::Deleting || ledger::loses(&object.ledger, &verdict.ledger)
}

/// True when a deleted object has nothing left to wait for.
fn is_done(object: &Object, verdict: &Verdict<Claim>) -> bool {
    match object.mode {
        Mode::DeletingObserver => true,
        Mode::Deleting => verdict.ledger.is_empty(),
        Mode::Manage | Mode::Observe | Mode::Suspended | Mode::Denied | Mode::Revoked | Mode::DeletingSuspended => {
            false
        }
    }
}

/// What is worth knowing although all is as it should be.
fn warning(object: &Object, secrecy: Option<&Secrecy>) -> Option<(Reason, String)> {
    let unknown = secrecy.is_some_and(|it| it.issued.state == crate::api::status::SecretState::Unknown);
    if unknown {
        let message = format!(
            "the client was taken over, and Pocket ID does not show its secret; ask for a new one with the annotation {}",
            crate::api::ROTATE_REQUESTED_AT
        );
        return Some((Reason::SecretUnknown, message));
    }
    match &object.wanted {
        Some(Wanted::Client(client)) if client.allowed.is_empty() && object.mode == Mode::Manage => Some((
            Reason::NobodyAllowed,
            "no group is allowed, so that nobody can sign in; name some in allowedGroups".to_owned(),
        )),
        _ => None,
    }
}
