//! One pass over a connection whose session stands: snapshot, plan, ledgers, steps, statuses.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;
use tracing::Span;
use tracing::field::Empty;

use crate::api::Reason;
use crate::api::object::System;
use crate::api::status::ObjectStatus;
use crate::controller::audit::Audit;
use crate::controller::checks::{self, Allowed};
use crate::controller::connection::Worker;
use crate::controller::connections::Connection;
use crate::controller::deliver::Delivery;
use crate::controller::events::{self, News};
use crate::controller::execute::{self, Done, execute};
use crate::controller::gather::{self, Gathered, Subject};
use crate::controller::kinds::AnyObject;
use crate::controller::managed::Managed;
use crate::controller::outdated::Blocked;
use crate::controller::report::{self, Facts, Report};
use crate::controller::sync;
use crate::core::claim::{Claim, Origin, Thing};
use crate::core::failure::{Failure, FailureKind};
use crate::core::ledger::to_rows;
use crate::core::object::{Mode, Object, Refusal};
use crate::core::plan::{ClaimState, Input, Plan, Verdict, plan};
use crate::core::policy::Policy;
use crate::pve::session::Session;

/// How often a missing Secret is looked for: it is often applied right after what refers to it.
const SECRET_RETRY: Duration = Duration::from_secs(5);

/// How soon it is looked whether another connection's object has taken what passes to it.
const HANDOVER: Duration = Duration::from_millis(500);

/// What one pass did.
pub(super) struct Outcome {
    /// When the next pass is due at the latest.
    pub next: Duration,
    /// What ended it early.
    pub broken: Option<Failure>,
}

impl Worker {
    /// Judges all objects against what stands, stores what is intended, and carries out what fits into the budget.
    #[tracing::instrument(
        name = "pass", target = "trace", level = "debug", skip_all,
        fields(connection = %self.key, objects = objects.len(), planned = Empty, done = Empty),
    )]
    pub(super) async fn judge(
        &mut self,
        session: &Session,
        connection: &Connection,
        policy: Policy,
        objects: &[AnyObject],
    ) -> Result<Outcome, Refusal> {
        let begun = Instant::now();
        let Gathered { subjects, inputs, parcels, frozen } = self.gather(connection, objects).await;
        let mut scope = gather::scope(&inputs);
        scope.every_pool |= policy.looks_into_pools(&inputs) || checks::need_pools(&self.checks);
        let peers = self.peers(session.cluster()).await;
        let ending = self.ending();
        let snapshot = tokio::select! {
            snapshot = session.snapshot(&scope, &self.realms) => snapshot?,
            () = ending.reached() => return Ok(Outcome { next: Duration::ZERO, broken: None }),
        };
        if let Some(refusal) = policy.unknown_privileges(&snapshot) {
            return Err(refusal);
        }
        let all = with_all(&inputs, peers.objects);
        if !self.connected(session, &snapshot, &inputs, &all).await {
            return Ok(Outcome { next: self.stalled(true), broken: None });
        }
        self.memory.sign_ins = self.judge_sign_ins(connection, objects, &snapshot);
        self.memory.issuers = self.issuers.look(session, objects, &snapshot, &self.wake);
        let frozen = frozen.or(peers.frozen);
        let policies: Vec<Policy> = std::iter::once(policy).chain(peers.policies).collect();
        let plan = plan(&Input {
            objects: &all,
            snapshot: &snapshot,
            memory: &self.memory,
            policies: &policies,
            frozen: frozen.as_deref(),
            now: self.clock().now,
        });
        let budget = execute::budget(begun.elapsed());
        let allowed = subjects.iter().zip(&plan.verdicts).filter(|(_, verdict)| !verdict.denied);
        let syncing = self.syncs(session, allowed.map(|(subject, _)| subject.any), &snapshot).await;
        self.forget(&plan);
        let blocked = self.store(&subjects, &inputs, &plan).await;
        self.report(&subjects, &inputs, &plan, &blocked).await;
        let refusals = inputs.iter().flat_map(|object| &object.refusals);
        let waits_for_secret = refusals.into_iter().any(|refusal| refusal.reason == Reason::SecretNotFound);
        let Plan { steps, verdicts: _, handing_over } = plan;
        let steps: Vec<_> =
            steps.into_iter().filter(|step| !step.owners.iter().any(|(owner, _)| blocked.contains(*owner))).collect();
        let planned = steps.len();
        Span::current().record("planned", planned);
        let allowed = Allowed { connection, policy: &policies[0] };
        self.judge_checks(objects, &allowed, &snapshot, planned > 0);
        let clock = self.clock_source();
        let stop = || ending.is_reached();
        let audit = Audit { connection: &self.key, cluster: session.cluster(), subjects: &subjects };
        let (kubernetes, permit) = (&self.context.kubernetes, &self.permit);
        let mut delivery = Delivery { kubernetes, permit, parcels, in_hand: HashMap::new() };
        let done = execute(session, (steps, budget), &mut self.memory, &mut delivery, &audit, &clock, &stop).await;
        let Delivery { in_hand, .. } = delivery;
        self.in_hand.extend(in_hand);
        Span::current().record("done", done.steps.len());
        self.tell(&subjects, &done);
        let stalled = self.stalled(done.steps.is_empty() && (planned > 0 || !blocked.is_empty()));
        let next = match (done.steps.is_empty(), planned, blocked.is_empty()) {
            (false, ..) => Duration::ZERO,
            (true, 0, true) if waits_for_secret || !self.in_hand.is_empty() => self.next_retry().min(SECRET_RETRY),
            (true, 0, true) if syncing => sync::POLL,
            (true, 0, true) if handing_over => HANDOVER,
            (true, 0, true) => self.next_retry(),
            (true, ..) => stalled,
        };
        Ok(Outcome { next, broken: done.broken })
    }

    /// Keeps what was learned only of claims that are still in question.
    fn forget(&mut self, plan: &Plan) {
        let (mut open, mut failed): (HashSet<&Claim>, HashSet<&Claim>) = (HashSet::new(), HashSet::new());
        for (claim, state) in plan.verdicts.iter().flat_map(|verdict| &verdict.claims) {
            match state {
                ClaimState::Standing | ClaimState::Surplus => {}
                ClaimState::Failed(_) | ClaimState::Planned(_) => {
                    open.insert(claim);
                    failed.insert(claim);
                }
                ClaimState::Refused(_) | ClaimState::Differs(_) => drop(open.insert(claim)),
            }
        }
        // That something exists already is kept also while it is refused for that: an intention does not make it ours.
        self.memory.failures.retain(|claim, it| {
            failed.contains(claim) || (open.contains(claim) && it.failure.kind == FailureKind::AlreadyExists)
        });
        self.memory.confirmed_gone.retain(|claim| open.contains(claim));
        self.memory.unshown.retain(|claim| open.contains(claim));
        let failures = self.memory.failures.iter().filter(|(claim, _)| failed.contains(claim));
        self.retry_at = failures.map(|(_, failed)| failed.retry_at).min();
    }

    /// Sends the statuses of all objects that no step is for, and lets go those that are done.
    /// While somebody's ledger could not be stored, nobody gives anything up: it might be the heir's.
    async fn report(&mut self, subjects: &[Subject<'_>], inputs: &[Object], plan: &Plan, blocked: &Blocked) {
        let owners: BTreeSet<usize> =
            plan.steps.iter().flat_map(|step| &step.owners).map(|(owner, _)| *owner).collect();
        let mut leaving = Vec::new();
        // News comes first: who has just applied something waits for it, and thousands of others may be as they were.
        let mut order: Vec<usize> = (0..subjects.len()).collect();
        order.sort_by_key(|index| inputs[*index].settled);
        for index in order {
            let (subject, verdict, object) = (&subjects[index], &plan.verdicts[index], &inputs[index]);
            if blocked.outdated.contains(&index) {
                continue;
            }
            if blocked.unwritten.contains(&index) {
                let message = "its finalizer or its status could not be written to Kubernetes; it is tried again";
                let report = Report::not_ready(Reason::ProgressingWithRetry, message);
                self.reporter.say(subject.any, &subject.previous, &report);
                continue;
            }
            if !blocked.is_empty() && gives_up(object, verdict) {
                continue;
            }
            self.tell_adopted(subject, object, verdict);
            if is_done(object, verdict) {
                leaving.push((subject.any, verdict.left.clone()));
            } else if !owners.contains(&index) || has_trouble(verdict) {
                if !has_trouble(verdict) {
                    let follows = gather::follows(subject.any, &object.wanted);
                    self.settled.stands(subject.any.uid(), subject.any.generation(), follows);
                }
                let status = self.compose(subject, object, verdict);
                self.reporter.send(subject.any, &subject.previous, &status);
            }
        }
        for (any, left) in leaving {
            self.let_go(any, left).await;
        }
    }

    pub(super) fn compose(&self, subject: &Subject<'_>, object: &Object, verdict: &Verdict) -> ObjectStatus {
        let facts = Facts {
            generation: subject.any.generation(),
            external_id: subject.external_id.clone(),
            ledger: Some(to_rows(&verdict.ledger)),
            handled: subject.any.reconcile_requested_at(),
            change: self.reporter.change(subject.any),
            written: verdict.written.clone(),
            token: object
                .token
                .as_ref()
                .zip(verdict.token.as_ref())
                .map(|(it, issued)| report::token_status(it, issued, subject.previous.token.as_ref())),
            sync_jobs: self.jobs.get(subject.any.uid()).cloned(),
            sync: self.synced.get(subject.any.uid()).cloned(),
            client_secret: None,
            logo: None,
            sign_in: self.sign_ins.get(subject.any.uid()).cloned(),
            client_in_use: subject
                .client
                .clone()
                .filter(|_| verdict.stands(|claim| matches!(claim, Claim::Thing(Thing::Realm(_))))),
            now: Timestamp::now(),
        };
        let mut report = report::report(object.mode, System::ProxmoxVe, verdict);
        let realm = subject.external_id.as_deref().unwrap_or_default();
        if matches!(subject.any, AnyObject::Realm(_)) && self.issuers.is_open(realm) {
            // Neither a restart nor another issuer takes back what was said before there is an answer.
            let warning = report.says.warning.take();
            report.says.warning = report::still_warned(warning, &subject.previous, Reason::IssuerUnreachable);
        }
        report::status(&report, facts, &subject.previous, self.context.progress_deadline)
    }

    fn tell_adopted(&self, subject: &Subject<'_>, object: &Object, verdict: &Verdict) {
        let adopted = verdict.ledger.iter().filter(|(claim, entry)| {
            entry.origin == Origin::Adopted && !object.ledger.contains_key(claim) && !claim.is_unowned()
        });
        let adopted: Vec<Claim> = adopted.map(|(claim, _)| claim.clone()).collect();
        self.reporter.adopted(subject.any, &adopted);
    }

    /// Tells what was done for whom.
    fn tell(&mut self, subjects: &[Subject<'_>], done: &Done) {
        if done.lock_timeout {
            self.context.metrics.lock_timeout(&self.key);
        }
        for step in &done.steps {
            for (owner, claims) in step.by_owner() {
                if !step.falls.is_empty() {
                    self.context.events.tell(
                        &self.permit,
                        subjects[owner].any.target(),
                        News::Fell(events::list(&step.falls)),
                    );
                }
                let any = subjects[owner].any;
                if let Some(version) = &step.hidden {
                    self.written.insert(any.uid().to_owned(), version.clone());
                }
                self.reporter.done(any, &step.purpose, &claims);
            }
        }
    }
}

/// Our objects and those of other connections.
fn with_all(ours: &[Object], others: Vec<Object>) -> Cow<'_, [Object]> {
    if others.is_empty() {
        return Cow::Borrowed(ours);
    }
    Cow::Owned(ours.iter().cloned().chain(others).collect())
}

/// True when an object's ledger loses something.
pub(super) fn gives_up(object: &Object, verdict: &Verdict) -> bool {
    object.mode == Mode::Deleting || object.ledger.keys().any(|claim| !verdict.ledger.contains_key(claim))
}

/// True when a deleted object has nothing left to wait for.
fn is_done(object: &Object, verdict: &Verdict) -> bool {
    match object.mode {
        Mode::DeletingObserver => true,
        Mode::Deleting => verdict.ledger.is_empty(),
        Mode::Manage | Mode::Observe | Mode::Suspended | Mode::Denied | Mode::Revoked | Mode::DeletingSuspended => {
            false
        }
    }
}

/// True when something of the object needs attention, whatever else is under way for it.
fn has_trouble(verdict: &Verdict) -> bool {
    verdict.worst().is_some()
}
