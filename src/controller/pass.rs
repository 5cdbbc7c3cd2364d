//! One pass over a connection whose session stands: it gathers, looks, and looks once more, and says what became of all.

use std::time::Duration;

use futures::FutureExt;
use k8s_openapi::jiff::Timestamp;
use tracing::field::Empty;

use crate::api::Reason;
use crate::api::object::System;
use crate::api::status::ObjectStatus;
use crate::controller::connection::Worker;
use crate::controller::connections::Connection;
use crate::controller::gather::{self, Gathered, Subject};
use crate::controller::kinds::AnyObject;
use crate::controller::look::{Judged, with_all};
use crate::controller::managed::Managed;
use crate::controller::report::{self, Report};
use crate::controller::status::{self, Facts};
use crate::core::claim::{Claim, Origin, Thing};
use crate::core::failure::Failure;
use crate::core::ledger::{self, to_rows};
use crate::core::object::{Mode, Object, Refusal};
use crate::core::plan::Verdict;
use crate::core::policy::Policy;
use crate::pve::session::Session;

/// What one pass did.
pub(super) struct Outcome {
    /// When the next pass is due at the latest.
    pub next: Duration,
    /// What ended it early.
    pub broken: Option<Failure>,
}

/// Which objects are reported.
#[derive(Clone, Copy)]
pub(super) enum Reported {
    /// What somebody waits for, before any step.
    News,
    /// The others, thousands it may be, after the steps.
    Settled,
}

impl Worker {
    /// Judges all objects against what stands, stores what is intended, and carries out what fits into the budget. Where
    /// that was all, it is looked at once more: only what was seen to stand is Ready.
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
        let mut gathered = self.gather(connection, objects).await;
        let mut look = Box::pin(self.look(session, connection, &policy, objects, &gathered)).await?;
        let looks_again = |judged: &mut Judged| judged.all_done && !self.is_woken() && self.reread(&mut gathered);
        if look.judged.take_if(looks_again).is_some() {
            look = Box::pin(self.look(session, connection, &policy, objects, &gathered)).await?;
        }
        if let Some(judged) = &look.judged {
            self.report(&gathered, judged, Reported::Settled).await;
            // Whoever waits for an object is served first.
            if !judged.connected && look.outcome.broken.is_none() && !self.ending().is_reached() {
                let all = with_all(&gathered.inputs, &judged.foreign);
                self.connected(session, connection, &judged.snapshot, &gathered.inputs, &all).await;
            }
        }
        Ok(look.outcome)
    }

    /// Whether something has changed since the pass began.
    fn is_woken(&self) -> bool {
        let is_woken = self.wake.notified().now_or_never().is_some();
        if is_woken {
            self.wake.notify_one();
        }
        is_woken
    }

    /// Sends the statuses of objects that no step is for, and lets go those that are done.
    /// While somebody's ledger could not be stored, nobody gives anything up: it might be the heir's.
    pub(super) async fn report(&mut self, gathered: &Gathered<'_>, judged: &Judged, reported: Reported) {
        let Judged { verdicts, owners, blocked, news, connected: _, all_done: _, snapshot: _, foreign: _ } = judged;
        let mut leaving = Vec::new();
        for (index, (subject, object)) in gathered.subjects.iter().zip(&gathered.inputs).enumerate() {
            let is_meant = match reported {
                Reported::News => news[index],
                Reported::Settled => !news[index],
            };
            if !is_meant || blocked.outdated.contains(&index) {
                continue;
            }
            let verdict = &verdicts[index];
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

    /// Whether somebody waits for what is said of an object: for what was applied or asked for, or to know what keeps it from
    /// being ready, what was taken over, or of a sync that was started.
    pub(super) fn is_news(&self, subject: &Subject<'_>, object: &Object, verdict: &Verdict) -> bool {
        let handled = subject.any.reconcile_requested_at();
        let synced = self.synced.get(subject.any.uid());
        !object.settled
            || has_trouble(verdict)
            || verdict.ledger != object.ledger
            || handled.is_some() && handled != subject.previous.last_handled_reconcile_at.as_deref()
            || synced.is_some() && synced != subject.previous.sync.as_ref()
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
                .map(|(it, issued)| status::token_status(it, issued, subject.previous.token.as_ref())),
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
            report.says.warning = status::still_warned(warning, &subject.previous, Reason::IssuerUnreachable);
        }
        facts.status(&report, &subject.previous, self.context.progress_deadline)
    }

    fn tell_adopted(&self, subject: &Subject<'_>, object: &Object, verdict: &Verdict) {
        let adopted = verdict.ledger.iter().filter(|(claim, entry)| {
            entry.origin == Origin::Adopted && !object.ledger.contains_key(claim) && !claim.is_unowned()
        });
        let adopted: Vec<Claim> = adopted.map(|(claim, _)| claim.clone()).collect();
        self.reporter.adopted(subject.any, &adopted);
    }
}

/// True when an object's ledger loses something.
pub(super) fn gives_up(object: &Object, verdict: &Verdict) -> bool {
    object.mode == Mode::Deleting || ledger::loses(&object.ledger, &verdict.ledger)
}

/// True when a deleted object has nothing left to wait for.
fn is_done(object: &Object, verdict: &Verdict) -> bool {
    match object.mode {
        Mode::DeletingObserver => !verdict.referred,
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
