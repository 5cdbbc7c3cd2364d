//! One look at what stands: snapshot, plan, ledgers, steps.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, Instant};

use tracing::Span;

use crate::api::Reason;
use crate::controller::audit::Audit;
use crate::controller::checks::{self, Allowed};
use crate::controller::connection::Worker;
use crate::controller::connections::Connection;
use crate::controller::deliver::Delivery;
use crate::controller::events::{self, News};
use crate::controller::execute::{self, Done, Due, execute};
use crate::controller::gather::{Gathered, Subject};
use crate::controller::kinds::AnyObject;
use crate::controller::managed::Managed;
use crate::controller::outdated::Blocked;
use crate::controller::pass::{Outcome, Reported};
use crate::controller::scope::scope;
use crate::controller::sync;
use crate::core::claim::Claim;
use crate::core::failure::FailureKind;
use crate::core::object::{Object, Refusal};
use crate::core::plan::{ClaimState, Input, Plan, Purpose, Verdict, plan};
use crate::core::policy::Policy;
use crate::core::snapshot::Snapshot;
use crate::pve::session::Session;

/// How often a missing Secret is looked for: it is often applied right after what refers to it.
const SECRET_RETRY: Duration = Duration::from_secs(5);

/// How soon it is looked whether another connection's object has taken what passes to it.
const HANDOVER: Duration = Duration::from_millis(500);

/// What one look at what stands came to.
pub(super) struct Look {
    pub outcome: Outcome,
    /// What was judged; nothing when the look ended before that.
    pub judged: Option<Judged>,
}

impl Look {
    fn ended(next: Duration) -> Self {
        Self { outcome: Outcome { next, broken: None }, judged: None }
    }
}

/// What was judged in one look.
pub(super) struct Judged {
    /// By object.
    pub verdicts: Vec<Verdict>,
    /// The objects that steps are for.
    pub owners: BTreeSet<usize>,
    pub blocked: Blocked,
    /// By object, whether there is something about it that somebody waits for.
    pub news: Vec<bool>,
    /// Whether the connection's status says already what was seen.
    pub connected: bool,
    /// Whether there were steps, each took effect, and nothing has to be read anew for what comes next.
    pub all_done: bool,
    /// What stood before the steps.
    pub snapshot: Snapshot,
    /// The objects of other connections to the cluster.
    pub foreign: Vec<Object>,
}

impl Worker {
    /// Compares what objects want with what stands, stores what is intended, tells what is new, and carries out what fits
    /// into the budget.
    pub(super) async fn look(
        &mut self,
        session: &Session,
        connection: &Connection,
        policy: &Policy,
        objects: &[AnyObject],
        gathered: &Gathered<'_>,
    ) -> Result<Look, Refusal> {
        let begun = Instant::now();
        let inputs = &gathered.inputs;
        let mut scope = scope(inputs);
        scope.every_pool |= policy.looks_into_pools(inputs) || checks::need_pools(&self.checks);
        let peers = self.peers(session.cluster()).await;
        let ending = self.ending();
        let snapshot = tokio::select! {
            snapshot = session.snapshot(&scope, &self.realms) => snapshot?,
            () = ending.reached() => return Ok(Look::ended(Duration::ZERO)),
        };
        if let Some(refusal) = policy.unknown_privileges(&snapshot) {
            return Err(refusal);
        }
        let all = with_all(inputs, &peers.objects);
        let connected = !self.is_known_to_work(connection, session);
        if connected && !self.connected(session, connection, &snapshot, inputs, &all).await {
            return Ok(Look::ended(self.stalled(true)));
        }
        self.memory.sign_ins = self.judge_sign_ins(connection, objects, &snapshot);
        self.memory.issuers = self.issuers.look(session, objects, &snapshot, &self.wake);
        let frozen = gathered.frozen.clone().or(peers.frozen);
        let policies: Vec<Policy> = std::iter::once(policy.clone()).chain(peers.policies).collect();
        let plan = plan(&Input {
            objects: &all,
            snapshot: &snapshot,
            memory: &self.memory,
            policies: &policies,
            frozen: frozen.as_deref(),
            now: self.clock().now,
        });
        let subjects = &gathered.subjects;
        let budget = execute::budget(gathered.took + begun.elapsed());
        let allowed = subjects.iter().zip(&plan.verdicts).filter(|(_, verdict)| !verdict.denied);
        let syncing = self.syncs(session, allowed.map(|(subject, _)| subject.any), &snapshot).await;
        self.forget(&plan);
        let blocked = self.store(subjects, inputs, &plan).await;
        let Plan { steps, verdicts, handing_over, missed: _ } = plan;
        let owners = steps.iter().flat_map(|step| &step.owners).map(|(owner, _)| *owner).collect();
        let news = gathered.subjects.iter().zip(inputs).zip(&verdicts);
        let news = news.map(|((subject, object), verdict)| self.is_news(subject, object, verdict)).collect();
        let foreign = peers.objects;
        let mut judged = Judged { verdicts, owners, blocked, news, connected, all_done: false, snapshot, foreign };
        self.report(gathered, &judged, Reported::News).await;
        // The outbox may wait for this very thread, and what comes next takes long with very many objects.
        tokio::task::yield_now().await;
        let refusals = inputs.iter().flat_map(|object| &object.refusals);
        let waits_for_secret = refusals.into_iter().any(|refusal| refusal.reason == Reason::SecretNotFound);
        let blocked = &judged.blocked;
        let (held, steps): (Vec<_>, Vec<_>) =
            steps.into_iter().partition(|step| step.owners.iter().any(|(owner, _)| blocked.contains(*owner)));
        let held = held.into_iter().flat_map(|step| step.claims).collect();
        let created = steps.iter().filter(|step| step.purpose == Purpose::Create).flat_map(|step| &step.owners);
        let new = created.filter(|(owner, claim)| !inputs[*owner].ledger.contains_key(claim));
        self.memory.unsent.extend(new.map(|(_, claim)| claim.clone()));
        let planned = steps.len();
        Span::current().record("planned", planned);
        let allowed = Allowed { connection, policy: &policies[0] };
        self.judge_checks(objects, &allowed, &judged.snapshot, planned > 0);
        let clock = self.clock_source();
        let stop = || ending.is_reached();
        let audit = Audit { connection: &self.key, cluster: session.cluster(), subjects };
        let (kubernetes, permit) = (&self.context.kubernetes, &self.permit);
        let mut delivery = Delivery { kubernetes, permit, parcels: &gathered.parcels, in_hand: &mut self.in_hand };
        let done =
            execute(session, Due { steps, held, budget }, &mut self.memory, &mut delivery, &audit, &clock, &stop).await;
        Span::current().record("done", done.steps.len());
        self.tell(subjects, &done);
        let stalled = self.stalled(done.steps.is_empty() && (planned > 0 || !blocked.is_empty()));
        let next = match (done.steps.is_empty(), planned, blocked.is_empty()) {
            (false, ..) => Duration::ZERO,
            (true, 0, true) if waits_for_secret || !self.in_hand.is_empty() => self.next_retry().min(SECRET_RETRY),
            (true, 0, true) if syncing => sync::POLL,
            (true, 0, true) if handing_over => HANDOVER,
            (true, 0, true) => self.next_retry(),
            (true, ..) => stalled,
        };
        // Where a secret was shown, what is kept of it is read from Kubernetes, as is what was missing there.
        let shown = done.steps.iter().any(|step| step.issue.is_some());
        let reads_anew = shown || waits_for_secret || inputs.iter().any(lacks_source);
        judged.all_done = planned > 0 && done.steps.len() == planned && blocked.is_empty() && !reads_anew;
        Ok(Look { outcome: Outcome { next, broken: done.broken }, judged: Some(judged) })
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
        self.memory.unsent.retain(|claim| open.contains(claim));
        let number = self.number;
        self.memory.missed.retain(|user, _| plan.missed.contains(user));
        for user in &plan.missed {
            self.memory.missed.entry(user.clone()).or_insert(number);
        }
        let failures = self.memory.failures.iter().filter(|(claim, _)| failed.contains(claim));
        self.retry_at = failures.map(|(_, failed)| failed.retry_at).min();
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

/// Whether a list of users could not be read.
fn lacks_source(object: &Object) -> bool {
    object.roster.as_ref().is_some_and(|roster| roster.present.is_err())
}

/// Our objects and those of other connections.
pub(super) fn with_all<'a>(ours: &'a [Object], foreign: &[Object]) -> Cow<'a, [Object]> {
    if foreign.is_empty() {
        return Cow::Borrowed(ours);
    }
    Cow::Owned(ours.iter().chain(foreign).cloned().collect())
}
