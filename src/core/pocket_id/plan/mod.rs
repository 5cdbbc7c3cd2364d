//! From objects and a snapshot to ordered requests: a pure function.
//!
//! Groups come before clients, since clients name groups. What needs an id that Pocket ID has yet to give waits for the
//! next pass. A client is made restricted and without groups, so that nobody gets in until its groups are set; then it
//! gets its secret (FACTS 2).

mod client;
mod group;
mod holders;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::claim::Claim;
use super::object::{Object, Wanted};
use super::secret::Secrecy;
use super::snapshot::Snapshot;
use super::write::Write;
use crate::api::Reason;
use crate::core::claim::{Entry, Origin, Progress};
use crate::core::failure::FailureKind;
use crate::core::object::{Adoption, Deletion, Mode, ObjectKey, Refusal};
use crate::core::plan::{ClaimState, FailedClaim, Purpose, Verdict};
use crate::core::text::first_of;
use holders::Holders;

/// All that a plan is made from.
pub struct Input<'a> {
    /// The objects of the connection.
    pub objects: &'a [Object],
    /// What Pocket ID shows.
    pub snapshot: &'a Snapshot,
    /// Claims whose last step failed.
    pub failures: &'a BTreeMap<Claim, FailedClaim>,
    /// Milliseconds on a monotonic clock of the caller.
    pub now: u64,
}

/// What is to be done, and what became of every object.
#[derive(Debug, Default)]
pub struct Plan {
    /// Requests in order.
    pub steps: Vec<Step>,
    /// By object.
    pub verdicts: Vec<Verdict<Claim>>,
    /// By object, of clients: how it stands with their secrets, to be stored before any step is taken.
    pub secrets: Vec<Option<Secrecy>>,
    /// Whether something is to pass to another object, whose ledger does not say so yet.
    pub handing_over: bool,
}

/// One request, and the claim it is for. It is not sent when one before it for the same object failed.
#[derive(Debug, Clone)]
pub struct Step {
    /// What is sent.
    pub write: Write,
    /// The object it is for, as an index of the input.
    pub owner: usize,
    /// The named thing.
    pub claim: Claim,
    /// What is told of it: the claim, or a part of it.
    pub what: String,
    /// Why.
    pub purpose: Purpose,
    /// The number of the client's secret that its answer shows.
    pub issue: Option<i64>,
}

/// Makes a plan.
pub fn plan(input: &Input<'_>) -> Plan {
    let holders = Holders::new(input.objects);
    let objects = holders.bequeath(input.objects);
    let Input { objects: stored, snapshot, failures, now } = *input;
    let input = &Input { objects: &objects, snapshot, failures, now };
    let mut draft = Draft::new(input);
    // By what they stand for: groups, then clients.
    for is_turn in [is_group as fn(&Object) -> bool, |object| !is_group(object)] {
        for (index, object) in input.objects.iter().enumerate().filter(|(_, object)| is_turn(object)) {
            match object.mode {
                Mode::Manage => draft.compare(index, object, &holders),
                Mode::Observe => {
                    draft.yielded(index, object, stored, &holders);
                    draft.compare(index, object, &holders);
                }
                Mode::Deleting => draft.release(index, object, stored, &holders),
                Mode::Suspended | Mode::Denied | Mode::Revoked | Mode::DeletingSuspended | Mode::DeletingObserver => {}
            }
        }
    }
    draft.plan
}

fn is_group(object: &Object) -> bool {
    matches!(object.wanted, Some(Wanted::Group(_)))
        || object.ledger.keys().any(|claim| matches!(claim, Claim::Group(_)))
}

/// A plan in the making.
struct Draft<'a> {
    input: &'a Input<'a>,
    plan: Plan,
}

/// What stands of a named thing, and what would be sent to make it as wanted.
struct Standing {
    /// The names of the fields that differ.
    fields: Vec<String>,
    writes: Vec<Write>,
}

impl<'a> Draft<'a> {
    fn new(input: &'a Input<'a>) -> Self {
        let verdict = |object: &Object| Verdict {
            ledger: object.ledger.clone(),
            refusals: object.refusals.clone(),
            ..Verdict::default()
        };
        let verdicts = input.objects.iter().map(verdict).collect();
        let secrets = vec![None; input.objects.len()];
        Self { input, plan: Plan { steps: Vec::new(), verdicts, secrets, handing_over: false } }
    }

    fn compare(&mut self, index: usize, object: &Object, holders: &Holders) {
        let Some(wanted) = &object.wanted else { return };
        let claim = wanted.claim();
        if object.mode == Mode::Manage
            && let Some(winner) = holders.other(&claim, index)
        {
            let winner = self.input.objects[winner].key.short();
            let message =
                format!("{claim} is held by {winner}; remove one of the two objects, or give one another name");
            return self.refuse(index, &claim, Reason::Conflict, message);
        }
        match wanted {
            Wanted::Group(group) => self.group(index, object, group, holders),
            Wanted::Client(client) => self.client(index, object, client),
        }
    }

    /// Nothing of the name stands: it is made. False when nothing is written for it now.
    fn make(&mut self, index: usize, claim: &Claim, write: Write) -> bool {
        let object = &self.input.objects[index];
        let purpose = match object.ledger.get(claim) {
            Some(Entry { progress: Progress::Applied, .. }) => Purpose::Restore,
            _ => Purpose::Create,
        };
        if object.mode == Mode::Observe {
            self.state(index, claim, ClaimState::Differs(None));
            return false;
        }
        if self.holds_back(index, claim) {
            return false;
        }
        // What has to be made again is ours, whoever made it first.
        let entry = Entry { origin: Origin::Created, progress: Progress::Intended };
        self.plan.verdicts[index].ledger.insert(claim.clone(), entry);
        self.attempt(index, claim, purpose.clone());
        self.step(index, claim, purpose, write, None);
        true
    }

    /// Something of the name stands. True when it is this object's, so that it goes on with it.
    fn take(&mut self, index: usize, claim: &Claim, standing: &Standing) -> bool {
        let object = &self.input.objects[index];
        let Standing { fields, writes: _ } = standing;
        if object.mode == Mode::Observe {
            let state =
                if fields.is_empty() { ClaimState::Standing } else { ClaimState::Differs(Some(fields.clone())) };
            self.state(index, claim, state);
            return false;
        }
        let refused = self.input.failures.get(claim).is_some_and(|it| it.failure.kind == FailureKind::AlreadyExists);
        let held = object.ledger.get(claim).filter(|entry| entry.progress == Progress::Applied || !refused);
        let origin = match held {
            Some(entry) => entry.origin,
            None if object.adoption == Adoption::Always => Origin::Adopted,
            None if object.adoption == Adoption::IfIdentical && fields.is_empty() => Origin::Adopted,
            None => {
                let differs = match (object.adoption, fields.as_slice()) {
                    (Adoption::Never, _) | (_, []) => String::new(),
                    (_, fields) => format!(" and differs in {}", fields.join(", ")),
                };
                let message = format!(
                    "{claim} stands in Pocket ID already{differs}; set adoptionPolicy to take it over, or choose another name"
                );
                // An intention that failed for this is none.
                self.plan.verdicts[index].ledger.remove(claim);
                self.refuse(index, claim, Reason::AlreadyExists, message);
                return false;
            }
        };
        self.plan.verdicts[index].ledger.insert(claim.clone(), Entry { origin, progress: Progress::Applied });
        true
    }

    /// Makes what stands as wanted.
    fn correct(&mut self, index: usize, claim: &Claim, standing: Standing) {
        let Standing { fields, writes } = standing;
        if fields.is_empty() {
            return self.state(index, claim, ClaimState::Standing);
        }
        if self.holds_back(index, claim) {
            return;
        }
        let purpose =
            if self.input.objects[index].settled { Purpose::Correct(fields) } else { Purpose::Update(fields) };
        self.attempt(index, claim, purpose.clone());
        for write in writes {
            self.step(index, claim, purpose.clone(), write, None);
        }
    }

    /// `stored`: the objects with what their stored ledgers say.
    fn release(&mut self, index: usize, object: &Object, stored: &[Object], holders: &Holders) {
        for (claim, entry) in object.ledger.iter().filter(|(claim, _)| claim.is_thing()) {
            let removes = match object.deletion {
                Some(Deletion::Orphan) => false,
                Some(Deletion::Delete) => true,
                None => entry.origin == Origin::Created,
            };
            // What stays as it is holds nobody back; an heir would ask for another secret at once.
            let has_heir = || stored.iter().any(|it| it.mode == Mode::Manage && wants(it, claim));
            if !object.users.is_empty() && (removes || has_heir()) {
                self.wait_for_users(index, claim);
                continue;
            }
            if let Some(heir) = holders.other(claim, index) {
                self.hand_over(index, claim, *entry, &stored[heir]);
                continue;
            }
            match claim {
                Claim::Group(name) => self.release_group(index, object, name, removes, holders),
                Claim::Client(id) => self.release_client(index, object, id, removes),
                Claim::Member { .. } | Claim::Logo(_) => {}
            }
        }
    }

    /// What an object once made that only observes now is another one's as soon as that has it, and stays so.
    fn yielded(&mut self, index: usize, object: &Object, stored: &[Object], holders: &Holders) {
        for thing in object.ledger.keys().filter(|claim| claim.is_thing()) {
            match holders.other(thing, index).map(|holder| &stored[holder]).filter(|it| it.mode.is_live()) {
                Some(holder) if holder.ledger.contains_key(thing) => self.plan.verdicts[index].ledger.clear(),
                Some(_) => self.plan.handing_over = true,
                None => {}
            }
        }
    }

    /// Another object of the name takes it over. It must be in the ledger of that before it is in none.
    fn hand_over(&mut self, index: usize, claim: &Claim, entry: Entry, heir: &Object) {
        if heir.ledger.contains_key(claim) {
            // The heir knows nothing of the secret of a client that was taken over: that stays where it is.
            if matches!(claim, Claim::Client(_)) && entry.origin == Origin::Adopted {
                self.plan.verdicts[index].left.push(claim.clone());
            }
            return self.plan.verdicts[index].ledger.clear();
        }
        self.plan.handing_over = true;
        let message = format!("{claim} passes to {}, which has not taken it yet", heir.key.short());
        self.refuse(index, claim, Reason::DeletionBlocked, message);
    }

    /// Those that refer to it would lose what they have through it.
    fn wait_for_users(&mut self, index: usize, claim: &Claim) {
        let users: Vec<String> = self.input.objects[index].users.iter().map(ObjectKey::short).collect();
        let named = first_of(&users, 3, ", ");
        let message = format!("{claim} goes when nothing refers to it any more: {named}");
        self.refuse(index, claim, Reason::DeletionBlocked, message);
    }

    /// It is to go: `write` removes what stands of it.
    fn remove(&mut self, index: usize, claim: &Claim, write: Write) {
        if self.holds_back(index, claim) {
            return;
        }
        self.attempt(index, claim, Purpose::Remove);
        self.step(index, claim, Purpose::Remove, write, None);
    }

    /// It stays although the object goes.
    fn leave(&mut self, index: usize, claim: &Claim) {
        self.plan.verdicts[index].ledger.remove(claim);
        self.plan.verdicts[index].left.push(claim.clone());
    }

    /// A claim that failed is not tried again before it is time.
    fn holds_back(&mut self, index: usize, claim: &Claim) -> bool {
        let Some(failed) = self.input.failures.get(claim).filter(|failed| self.input.now < failed.retry_at) else {
            return false;
        };
        self.state(index, claim, ClaimState::Failed(failed.failure.clone()));
        true
    }

    /// What is tried again still is what it was: a status must not flap with each attempt.
    fn attempt(&mut self, index: usize, claim: &Claim, purpose: Purpose) {
        let state = match self.input.failures.get(claim) {
            Some(failed) => ClaimState::Failed(failed.failure.clone()),
            None => ClaimState::Planned(purpose),
        };
        self.state(index, claim, state);
    }

    fn step(&mut self, owner: usize, claim: &Claim, purpose: Purpose, write: Write, issue: Option<i64>) {
        self.plan.steps.push(Step { write, owner, claim: claim.clone(), what: claim.to_string(), purpose, issue });
    }

    fn state(&mut self, index: usize, claim: &Claim, state: ClaimState) {
        self.plan.verdicts[index].claims.insert(claim.clone(), state);
    }

    fn refuse(&mut self, index: usize, claim: &Claim, reason: Reason, message: impl Into<String>) {
        self.state(index, claim, ClaimState::Refused(Refusal::new(reason, message)));
    }

    /// Something that it needs is not there yet; the rest goes on.
    fn lacks(&mut self, index: usize, message: String) {
        self.plan.verdicts[index].refusals.push(Refusal::new(Reason::DependencyNotReady, message));
    }
}

fn wants(object: &Object, claim: &Claim) -> bool {
    object.wanted.as_ref().is_some_and(|wanted| wanted.claim() == *claim)
}
