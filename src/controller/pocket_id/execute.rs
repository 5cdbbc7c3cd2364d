//! Steps, one at a time, and secrets at once into Kubernetes.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use super::deliver::ClientContents;
use super::pass::{Judged, mark};
use super::{PocketIdObject, Worker};
use crate::controller::audit;
use crate::controller::index::Wake;
use crate::controller::managed::Managed;
use crate::controller::parcel::{InHand, Issue, Parcel};
use crate::core::failure::{Failure, FailureKind};
use crate::core::plan::{FailedClaim, Purpose};
use crate::core::pocket_id::claim::Claim;
use crate::core::pocket_id::ids::SecretId;
use crate::core::pocket_id::plan::Step;
use crate::core::pocket_id::write::Answer;
use crate::pocket_id::session::Session;

/// How long steps are carried out before everything is read and planned again.
const BUDGET: Duration = Duration::from_secs(10);

impl Worker {
    /// Carries out steps until the budget is used up or somebody says stop; answers with how many took effect.
    pub(super) async fn execute(
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
            self.unsent.remove(&step.claim);
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
            self.in_hand.remove(any.uid());
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
