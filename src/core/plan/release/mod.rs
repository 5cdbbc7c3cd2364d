//! What is held and no longer wanted: passed on, removed or left.

mod obstacle;

use std::collections::BTreeSet;

pub(super) use self::obstacle::goes_along;

use crate::api::Reason;
use crate::core::claim::{Claim, Entry, Origin, Progress, Thing};
use crate::core::ids::PoolId;
use crate::core::object::{Deletion, Mode, Object, Refusal};
use crate::core::plan::bury;
use crate::core::plan::order::{Act, Operation};
use crate::core::plan::stakes::{Stake, Stakes};
use crate::core::plan::{ClaimState, Draft, Input, Purpose, replace, still_used};
use crate::core::visibility::View;
use crate::core::write::Write;

/// Judges every held claim that its holder no longer wants, members of sets before named things and these backwards:
/// what goes along with another thing in PVE is judged before it.
pub(super) fn unwanted(input: &Input<'_>, view: &View<'_>, stakes: &Stakes<'_>, draft: &mut Draft) {
    let mut releaser = Releaser { input, view, stakes, going: BTreeSet::new(), staying: stakes.kept() };
    // Deeper pools come first: `a/b` sorts after `a`.
    for (claim, interests) in stakes.by_claim.iter().rev() {
        let leaving: Vec<_> = interests.iter().filter(|stake| leaves(stake, &input.objects[stake.object])).collect();
        if leaving.iter().any(|stake| !input.objects[stake.object].is_foreign()) {
            // Who lost it to another one does not keep it.
            let lost = |stake: &Stake<'_>| {
                let state = draft.verdicts[stake.object].claims.get(*claim);
                matches!(state, Some(ClaimState::Refused(refusal)) if refusal.reason == Reason::Conflict)
            };
            let keepers: Vec<_> = interests.iter().filter(|stake| stakes.counts(stake) && !lost(stake)).collect();
            // What another connection's object is to keep must be in its ledger before it is in none of ours.
            let taken = keepers.iter().any(|it| it.entry.is_some() || !input.objects[it.object].is_foreign());
            match (keepers.is_empty(), taken) {
                (false, false) => releaser.hand_over(draft, claim, &leaving),
                (nobody, _) => releaser.release(draft, claim, &leaving, !nobody),
            }
        }
    }
}

/// Whether an object gives the claim up. One that cannot say what it wants gives up nothing.
pub(super) fn leaves(stake: &Stake<'_>, object: &Object) -> bool {
    stake.entry.is_some()
        && match object.mode {
            Mode::Deleting | Mode::Revoked => true,
            Mode::Manage => stake.wanted.is_none() && !object.unsure,
            Mode::Observe | Mode::Suspended | Mode::Denied | Mode::DeletingSuspended | Mode::DeletingObserver => false,
        }
}

struct Releaser<'a> {
    input: &'a Input<'a>,
    view: &'a View<'a>,
    stakes: &'a Stakes<'a>,
    /// Claims that a step of this plan removes.
    going: BTreeSet<Claim>,
    /// Claims that should go and cannot now, and those that somebody keeps who cannot ask for them.
    staying: BTreeSet<Claim>,
}

impl Releaser<'_> {
    fn hand_over(&mut self, draft: &mut Draft, claim: &Claim, leaving: &[&Stake<'_>]) {
        draft.handing_over = true;
        self.staying.insert(claim.clone());
        for stake in leaving {
            let message = format!("{claim} passes to an object of another connection, which has not taken it yet");
            draft.refuse(stake.object, claim, Reason::DeletionBlocked, message);
        }
    }

    fn release(&mut self, draft: &mut Draft, claim: &Claim, leaving: &[&Stake<'_>], kept_by_another: bool) {
        let leaving = self.not_referred_to(draft, claim, leaving);
        let leaving = leaving.as_slice();
        if leaving.is_empty() {
            return;
        }
        let ours: Vec<&Stake<'_>> = leaving.iter().copied().filter(|stake| !self.is_foreign(claim, stake)).collect();
        let done = |draft: &mut Draft| {
            for stake in leaving {
                draft.verdicts[stake.object].ledger.remove(claim);
            }
        };
        if kept_by_another {
            // Its heir knows nothing of the secret of a token that was taken over: that stays where it is.
            let left = |stake: &&Stake<'_>| matches!(claim, Claim::Thing(Thing::Token(_))) && is_adopted(stake);
            for stake in ours.iter().copied().filter(left) {
                draft.verdicts[stake.object].left.push(claim.clone());
            }
            return done(draft);
        }
        if !ours.iter().any(|stake| removes(claim, stake, &self.input.objects[stake.object])) {
            for stake in ours {
                draft.verdicts[stake.object].left.push(claim.clone());
            }
            return done(draft);
        }
        let proven = ours.iter().any(|stake| stake.entry.is_some_and(|entry| entry.progress == Progress::Applied));
        let state = match self.obstacle(claim, proven, &self.readers(leaving)) {
            Ok(None) => return done(draft),
            Ok(Some(after)) => {
                if self.waits_for_another(draft, claim, leaving) {
                    return;
                }
                if let Claim::Acl(key) = claim
                    && let Some(thing) = bury::dangles(key, self.input.snapshot, self.view)
                    && let Some(first) = leaving.first()
                {
                    bury::bury(draft, &thing, key, first.object);
                }
                self.going.insert(claim.clone());
                let owners: Vec<usize> = leaving.iter().map(|stake| stake.object).collect();
                let mut after = after;
                if let Claim::Thing(Thing::Pool(pool)) = claim {
                    after.extend(self.entries_of_nested(draft, pool, &owners));
                }
                draft.operations.push(Operation {
                    act: removal(claim),
                    claim: claim.clone(),
                    owners,
                    after,
                    purpose: Purpose::Remove,
                    hidden: None,
                    issue: None,
                });
                self.input.attempt(claim, &Purpose::Remove)
            }
            Err(state) => {
                self.staying.insert(claim.clone());
                *state
            }
        };
        for stake in leaving {
            let state = match (&state, self.input.objects[stake.object].mode.is_live()) {
                (ClaimState::Refused(refusal), false) => {
                    ClaimState::Refused(Refusal::new(Reason::DeletionBlocked, refusal.message.clone()))
                }
                (state, _) => state.clone(),
            };
            draft.state(stake.object, claim, state);
        }
    }

    /// Whether an entry stays until one stands that its object wants in its place: nobody is to be without both. It stays with
    /// such objects alone.
    fn waits_for_another(&mut self, draft: &mut Draft, claim: &Claim, leaving: &[&Stake<'_>]) -> bool {
        let states: Vec<_> = leaving
            .iter()
            .map(|stake| replace::hindrance(self.input, self.view, self.stakes, draft, claim, stake))
            .collect();
        let waits = states.iter().any(Option::is_some);
        for (stake, state) in leaving.iter().zip(states).filter(|_| waits) {
            match state {
                Some(state) => draft.state(stake.object, claim, state),
                None => drop(draft.verdicts[stake.object].ledger.remove(claim)),
            }
        }
        if waits {
            self.staying.insert(claim.clone());
            draft.waiting.insert(claim.clone());
        }
        waits
    }

    /// Without the deleted objects that others refer to: these would lose what they have through the reference, also
    /// where the thing itself stays.
    fn not_referred_to<'s>(
        &mut self,
        draft: &mut Draft,
        claim: &Claim,
        leaving: &[&'s Stake<'s>],
    ) -> Vec<&'s Stake<'s>> {
        let mut free = Vec::new();
        for stake in leaving {
            let object = &self.input.objects[stake.object];
            let referrer = self.stakes.referrer_of(&object.key).filter(|_| !object.mode.is_live());
            match referrer.filter(|_| claim.thing().is_some()) {
                Some(referrer) => {
                    let user = referrer.key.as_told_to(&object.key.namespace);
                    let message = still_used(claim, &user);
                    draft.refuse(stake.object, claim, Reason::DeletionBlocked, message);
                    self.staying.insert(claim.clone());
                }
                None => free.push(*stake),
            }
        }
        free
    }

    /// True for what was intended and turned out to exist already: the intention did not make it ours.
    fn is_foreign(&self, claim: &Claim, stake: &Stake<'_>) -> bool {
        let intended = stake.entry.is_some_and(|entry| entry.progress == Progress::Intended);
        let (object, snapshot) = (&self.input.objects[stake.object], self.input.snapshot);
        let somebody = claim.thing().is_some_and(|thing| bury::is_somebody(thing, object, snapshot));
        intended && (self.input.is_in_vain(claim) || somebody)
    }

    /// PVE drops the entries on a pool with it, but not those on a nested one (FACTS 86): a pool made later by the
    /// same name would begin with them. Entries that an object still wants stay.
    fn entries_of_nested(&mut self, draft: &mut Draft, pool: &PoolId, owners: &[usize]) -> BTreeSet<Claim> {
        let (Some(_), Ok(acl)) = (pool.parent(), &self.input.snapshot.acl) else { return BTreeSet::new() };
        let path = pool.acl_path();
        let mut removed = BTreeSet::new();
        for key in acl.keys().filter(|key| key.path == path) {
            let claim = Claim::Acl(key.clone());
            let wanted =
                self.stakes.by_claim.get(&claim).is_some_and(|stakes| stakes.iter().any(|s| self.stakes.counts(s)));
            if wanted || !self.going.insert(claim.clone()) {
                continue;
            }
            draft.operations.push(Operation {
                act: removal(&claim),
                claim: claim.clone(),
                owners: owners.to_vec(),
                after: BTreeSet::new(),
                purpose: Purpose::Remove,
                hidden: None,
                issue: None,
            });
            removed.insert(claim);
        }
        removed
    }
}

fn is_adopted(stake: &Stake<'_>) -> bool {
    stake.entry.is_some_and(|entry| entry.origin == Origin::Adopted)
}

/// Whether the object's leaving means that the thing goes.
pub(super) fn removes(claim: &Claim, stake: &Stake<'_>, object: &Object) -> bool {
    let Some(Entry { origin, .. }) = stake.entry else { return false };
    if claim.is_builtin() {
        return false;
    }
    if object.mode == Mode::Revoked {
        return origin == Origin::Created;
    }
    // Dropped from the spec while the object lives: removed whatever its origin.
    object.mode.is_live()
        || match object.deletion {
            None => origin == Origin::Created,
            Some(Deletion::Delete) => true,
            Some(Deletion::Orphan) => false,
        }
}

pub(super) fn removal(claim: &Claim) -> Act {
    match claim {
        Claim::Thing(thing) => Act::Write(vec![Write::Delete { thing: thing.clone() }]),
        Claim::Member(membership) => Act::Leave(membership.clone()),
        Claim::PoolMember(pool, item) => Act::Withdraw { pool: pool.clone(), item: item.clone() },
        Claim::Acl(key) => Act::Revoke { key: key.clone() },
    }
}
