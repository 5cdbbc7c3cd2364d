//! One pass over a connection to Pocket ID: snapshot, plan, ledgers, steps, statuses.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;
use tracing::Span;
use tracing::field::Empty;

use super::deliver::{ClientContents, secret_status};
use super::gather::{self, Gathered, Subject};
use super::way::settings;
use super::{PocketIdObject, Worker};
use crate::api::management::ManagementPolicy;
use crate::api::object::System;
use crate::api::status::ObjectStatus;
use crate::api::{PocketIdConnection, Reason};
use crate::controller::audit;
use crate::controller::connection::{KEEP_CREDENTIAL, jittered};
use crate::controller::index::Wake;
use crate::controller::managed::Managed;
use crate::controller::observer::Observer;
use crate::controller::parcel::{InHand, Issue, Parcel};
use crate::controller::report::{self, Facts, Report};
use crate::core::claim::{Entry, Origin};
use crate::core::failure::{Failure, FailureKind};
use crate::core::object::{Mode, Refusal};
use crate::core::plan::{ClaimState, FailedClaim, Purpose, Verdict};
use crate::core::pocket_id::claim::{Claim, to_rows};
use crate::core::pocket_id::ids::SecretId;
use crate::core::pocket_id::object::{Logo, Object, Wanted};
use crate::core::pocket_id::plan::{Input, Plan, Step, plan};
use crate::core::pocket_id::secret::Secrecy;
use crate::core::pocket_id::snapshot::Snapshot;
use crate::core::pocket_id::write::Answer;
use crate::pocket_id::client::Client;
use crate::pocket_id::details::Details;
use crate::pocket_id::session::Session;

/// How long steps are carried out before everything is read and planned again.
const BUDGET: Duration = Duration::from_secs(10);

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
        let Gathered { subjects, inputs, parcels } = self.gather(objects, session.issuer()).await;
        let scope = gather::scope(&inputs);
        let snapshot = session.snapshot(&scope, &mut self.details).await?;
        self.connected(connection, &session, objects.len()).await;
        let now = self.clock().now;
        let plan = plan(&Input { objects: &inputs, snapshot: &snapshot, failures: &self.failures, now });
        self.forget(&plan);
        let judged = Judged { subjects: &subjects, inputs: &inputs, snapshot: &snapshot, plan: &plan };
        let blocked = self.store(&judged).await;
        self.report(&judged, &blocked).await;
        let steps: Vec<&Step> = plan.steps.iter().filter(|step| !blocked.contains(&step.owner)).collect();
        let planned = steps.len();
        Span::current().record("planned", planned);
        let done = self.execute(&session, &steps, &judged, &parcels).await;
        Span::current().record("done", done);
        Ok(if done > 0 {
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

    async fn session(
        &mut self,
        connection: &PocketIdConnection,
        objects: &[PocketIdObject],
    ) -> Result<Session, Refusal> {
        let settings = match settings(&self.context, connection).await {
            Ok(settings) => Some(settings),
            Err(refusal) if refusal.reason == Reason::SecretNotFound && self.may_use_last(objects) => None,
            Err(refusal) => return Err(refusal),
        };
        if let Some(settings) = settings
            && self.client.as_ref().is_none_or(|(current, _)| *current != settings)
        {
            let observer: Arc<dyn crate::https::observer::CallObserver> =
                Arc::new(Observer::new(&self.context, &self.key));
            let client = Client::new(&settings, &observer)?;
            self.client = Some((settings, client));
            // It may be another Pocket ID.
            self.details = Details::default();
        }
        let Some((_, client)) = &self.client else {
            return Err(Refusal::new(Reason::SecretNotFound, "there is no credential"));
        };
        let session = client.connect(&self.permit).await?;
        self.worked = Some(Instant::now());
        Ok(session)
    }

    /// A namespace that is deleted takes the Secret along before the objects.
    fn may_use_last(&self, objects: &[PocketIdObject]) -> bool {
        self.worked.is_some_and(|worked| worked.elapsed() < KEEP_CREDENTIAL)
            && !objects.is_empty()
            && objects.iter().all(Managed::is_being_deleted)
    }

    /// Keeps failures and writes only of claims that are still in question.
    fn forget(&mut self, plan: &Plan) {
        let verdicts = plan.verdicts.iter().flat_map(|verdict| &verdict.claims);
        let open: BTreeSet<&Claim> =
            verdicts.filter(|(_, state)| **state != ClaimState::Standing).map(|(claim, _)| claim).collect();
        self.failures.retain(|claim, _| open.contains(claim));
        self.written.retain(|claim, _| open.contains(claim));
    }

    /// Stores finalizers and ledgers before anything is written; answers with the objects for which that failed.
    async fn store(&mut self, judged: &Judged<'_>) -> HashSet<usize> {
        let missing: Vec<_> = judged
            .subjects
            .iter()
            .zip(judged.inputs)
            .enumerate()
            .filter(|(_, (subject, object))| object.mode == Mode::Manage && self.reporter.lacks_finalizer(subject.any))
            .map(|(index, (subject, _))| (index, subject.any))
            .collect();
        let mut blocked = self.reporter.add_finalizers(missing.into_iter()).await;
        let owners: BTreeSet<usize> = judged.plan.steps.iter().map(|step| step.owner).collect();
        let mut writes = Vec::new();
        for index in owners.into_iter().filter(|index| !blocked.contains(index)) {
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
        blocked.extend(stored.into_iter().filter(|(_, stored)| !stored).map(|(index, _)| index));
        blocked
    }

    /// Sends the statuses of all objects that no step is for, and lets go those that are done.
    async fn report(&mut self, judged: &Judged<'_>, blocked: &HashSet<usize>) {
        let owners: BTreeSet<usize> = judged.plan.steps.iter().map(|step| step.owner).collect();
        for (index, Subject { any, previous }) in judged.subjects.iter().enumerate() {
            let (object, verdict) = (&judged.inputs[index], &judged.plan.verdicts[index]);
            if blocked.contains(&index) {
                let message = "its finalizer or its status could not be written to Kubernetes; it is tried again";
                self.reporter.say(*any, previous, &Report::not_ready(Reason::ProgressingWithRetry, message));
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
        report::status(&report, facts, previous, self.context.progress_deadline)
    }

    /// Carries out steps until the budget is used up or somebody says stop; answers with how many took effect.
    async fn execute(
        &mut self,
        session: &Session,
        steps: &[&Step],
        judged: &Judged<'_>,
        parcels: &HashMap<usize, Parcel<ClientContents>>,
    ) -> usize {
        let (begun, ending) = (Instant::now(), self.ending());
        let (mut done, mut failed) = (0, BTreeSet::new());
        for step in steps {
            if begun.elapsed() > BUDGET || ending.is_reached() {
                break;
            }
            if failed.contains(&step.owner) {
                continue;
            }
            if self.written.get(&step.claim).is_some_and(|written| written.contains(&step.write)) {
                failed.insert(step.owner);
                self.written.remove(&step.claim);
                self.remember(&step.claim, without_effect());
                continue;
            }
            let any = judged.subjects[step.owner].any;
            let result = session.write(&step.write).await;
            // What was to be removed is not there: that is all we want.
            let result = match result {
                Err(failure) if failure.kind == FailureKind::Gone && step.purpose == Purpose::Remove => {
                    Ok(Answer::Done)
                }
                result => result,
            };
            let told = (&step.purpose, &[&step.what][..], audit::result(result.as_ref().map(drop)));
            audit::line(audit::next(), (&self.key, session.issuer()), any, told);
            match result {
                Ok(answer) => {
                    done += 1;
                    self.failures.remove(&step.claim);
                    // Each secret is another one.
                    if step.issue.is_none() {
                        self.written.entry(step.claim.clone()).or_default().push(step.write.clone());
                    }
                    self.reporter.done(any, &step.purpose, &[&step.what]);
                    self.deliver(step, answer, any, parcels).await;
                    if let (Claim::Logo(_), Some(mark)) = (&step.claim, mark(&judged.inputs[step.owner])) {
                        self.logos.insert(any.uid().to_owned(), mark);
                    }
                }
                Err(failure) => {
                    failed.insert(step.owner);
                    let ends = ends_the_pass(failure.kind);
                    self.remember(&step.claim, failure);
                    if ends {
                        break;
                    }
                }
            }
        }
        done
    }

    /// Takes a secret that was shown into its Secret, before anything else, and has realms take it from there.
    async fn deliver(
        &mut self,
        step: &Step,
        answer: Answer,
        any: &PocketIdObject,
        parcels: &HashMap<usize, Parcel<ClientContents>>,
    ) {
        let (Answer::Secret { id, value }, Some(number), Some(parcel)) = (answer, step.issue, parcels.get(&step.owner))
        else {
            return;
        };
        let issue = Issue { number, id: id.as_ref().map(SecretId::to_string) };
        if parcel.deliver(&self.context.kubernetes, &self.permit, &issue, &value).await {
            // Before 2.14 nobody can sign in until the realm has the new one.
            let _ = self.context.wake.send(Wake::Referring(any.namespace().to_owned()));
        } else {
            self.in_hand.insert(any.uid().to_owned(), InHand { issue, secret: value });
        }
    }

    fn remember(&mut self, claim: &Claim, failure: Failure) {
        let tries = self.failures.get(claim).map_or(1, |failed| failed.tries.saturating_add(1));
        let clock = self.clock();
        let wait = match failure.kind {
            FailureKind::Invalid | FailureKind::Changed => clock.longest,
            _ => clock.back_off(tries),
        };
        let failed = FailedClaim { failure, retry_at: clock.now + wait, tries, hidden: None };
        self.failures.insert(claim.clone(), failed);
    }
}

/// All that a pass has found out.
struct Judged<'a> {
    subjects: &'a [Subject<'a>],
    inputs: &'a [Object],
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
fn mark(object: &Object) -> Option<String> {
    match &object.wanted {
        Some(Wanted::Client(client)) => client.logo.as_ref().map(Logo::mark),
        Some(Wanted::Group(_)) | None => None,
    }
}

/// What was just taken is due again, so that writing it once more at once would never end. Pocket ID keeps names and
/// claims composed (NFC), for example.
fn without_effect() -> Failure {
    let message = "Pocket ID took the change and still shows something else; write it as Pocket ID shows it, or find out who \
                   else writes it";
    Failure { kind: FailureKind::Changed, message: message.to_owned() }
}

/// Whether it is useless to go on: whether it took effect shows when everything is read again.
fn ends_the_pass(kind: FailureKind) -> bool {
    match kind {
        FailureKind::Authentication | FailureKind::Certificate | FailureKind::Unreachable | FailureKind::Lost => true,
        FailureKind::Forbidden
        | FailureKind::Gone
        | FailureKind::MissingReference
        | FailureKind::AlreadyExists
        | FailureKind::Invalid
        | FailureKind::LockTimeout
        | FailureKind::NoQuorum
        | FailureKind::Changed
        | FailureKind::CheckFailed
        | FailureKind::Other => false,
    }
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
