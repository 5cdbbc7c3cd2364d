//! What is held and no longer wanted: passed on, removed or left.

use std::collections::BTreeSet;

use crate::api::Reason;
use crate::core::claim::{Claim, Entry, Membership, Origin, PoolItem, Progress, Thing};
use crate::core::failure::FailureKind;
use crate::core::ids::{AclKey, PoolId, Subject};
use crate::core::object::{Deletion, Mode, Object, ObjectKey, Refusal};
use crate::core::plan::bury;
use crate::core::plan::compare::{self, Standing};
use crate::core::plan::order::{Act, Operation};
use crate::core::plan::stakes::{Stake, Stakes};
use crate::core::plan::{ClaimState, Draft, Input, Purpose, make, replace};
use crate::core::visibility::{Sight, View};
use crate::core::write::Write;

/// Judges every held claim that its holder no longer wants, members of sets before named things and these backwards:
/// what goes along with another thing in PVE is judged before it.
pub(super) fn unwanted(input: &Input<'_>, view: &View<'_>, stakes: &Stakes<'_>, draft: &mut Draft) {
    let mut releaser = Releaser { input, view, stakes, going: BTreeSet::new(), staying: BTreeSet::new() };
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
    /// Claims that should go and cannot now.
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
                    let message = format!("{claim} is still used by {user}; it goes when that is gone");
                    draft.refuse(stake.object, claim, Reason::DeletionBlocked, message);
                    self.staying.insert(claim.clone());
                }
                None => free.push(*stake),
            }
        }
        free
    }

    /// `Ok(None)`: it is gone. `Ok(Some)`: remove it after these. `Err`: not now.
    fn obstacle(
        &self,
        claim: &Claim,
        proven: bool,
        readers: &Readers<'_>,
    ) -> Result<Option<BTreeSet<Claim>>, Box<ClaimState>> {
        let confirmed = self.input.memory.confirmed_gone.contains(claim);
        match compare::presence(claim, self.input.snapshot, self.view) {
            // What PVE was told to take into a pool it may have stored without ever showing it (FACTS 84).
            Standing::Absent(Sight::Clear) if !proven && !confirmed && self.may_be_stored(claim) => {}
            Standing::Absent(Sight::Clear) => return Ok(None),
            Standing::Absent(Sight::Uncertain) if confirmed => return Ok(None),
            // What was only intended may be somebody else's: it is not removed unseen.
            Standing::Absent(Sight::Uncertain) if !proven => {
                return Err(Box::new(ClaimState::Refused(make::unseen(claim))));
            }
            // Of what cannot be seen, only PVE's answer to a removal tells whether it is gone.
            Standing::Same | Standing::Different { .. } | Standing::Absent(Sight::Uncertain) => {}
            Standing::Absent(Sight::Blocked) => return Err(Box::new(ClaimState::Refused(make::unseen(claim)))),
            Standing::Unread(failure) => return Err(Box::new(ClaimState::Failed(failure))),
        }
        // To take a group from a user's list the whole list is sent, which must be seen whole.
        if matches!(claim, Claim::Member(_)) && self.view.sight_of_users() != Sight::Clear {
            return Err(Box::new(ClaimState::Refused(make::unseen(claim))));
        }
        let blocked = |message: String| Box::new(ClaimState::Refused(Refusal::new(Reason::DeletionBlocked, message)));
        if let Some(why) = self.input.frozen {
            return Err(blocked(format!("{claim} is not removed now: {why}")));
        }
        if let Some(user) = claim.thing().and_then(|thing| self.stakes.user_of(thing)) {
            let user = readers.told_of(&user.key);
            return Err(blocked(format!("{claim} is still used by {user}; it goes when that is gone")));
        }
        let after = self.dependents(claim).map_err(|other| {
            let holders = self.stakes.by_claim.get(&other).into_iter().flatten();
            let mut keys = holders.map(|stake| &self.input.objects[stake.object].key);
            let known = keys.any(|key| readers.may_know(key));
            let what = if known { other.to_string() } else { "what an object of another namespace has".to_owned() };
            blocked(format!("{claim} waits for {what}"))
        })?;
        if let Claim::Thing(Thing::Pool(pool)) = claim
            && let Some(inside) = self.left_inside(pool, &after)
        {
            return Err(blocked(format!("{claim} still has {inside} in it; it goes when that is gone")));
        }
        match self.input.backing_off(claim) {
            Some(failure) => Err(Box::new(ClaimState::Failed(failure.clone()))),
            None => Ok(Some(after)),
        }
    }

    /// Those who read why it does not go.
    fn readers<'r>(&'r self, leaving: &[&Stake<'_>]) -> Readers<'r> {
        Readers(leaving.iter().map(|stake| self.input.objects[stake.object].key.namespace.as_str()).collect())
    }

    /// What PVE refused for lack of rights it has not stored, and it would refuse to remove it.
    fn may_be_stored(&self, claim: &Claim) -> bool {
        let failed = self.input.memory.failures.get(claim).map(|failed| failed.failure.kind);
        match claim {
            Claim::PoolMember(pool, _) => {
                self.input.snapshot.shows(&Thing::Pool(pool.clone())) == Ok(true)
                    && !self.going.contains(claim)
                    && failed != Some(FailureKind::Forbidden)
            }
            Claim::Thing(_) | Claim::Member(_) | Claim::Acl(_) => false,
        }
    }

    /// Something in a pool that does not leave it in this plan: PVE deletes only what is empty (FACTS 86).
    fn left_inside(&self, pool: &PoolId, leaving: &BTreeSet<Claim>) -> Option<String> {
        let pools = self.input.snapshot.pools.as_ref().ok()?;
        let nested = pools.keys().filter(|id| id.parent().as_ref() == Some(pool));
        let nested = nested.map(|id| Claim::Thing(Thing::Pool(id.clone())));
        let members = pools.get(pool).and_then(|pool| pool.members.as_ref()?.as_ref().ok()).into_iter().flatten();
        let members = members.map(|item: &PoolItem| Claim::PoolMember(pool.clone(), item.clone()));
        nested.chain(members).find(|claim| !leaving.contains(claim)).map(|claim| match claim {
            Claim::PoolMember(_, item) => format!("{item}, which nobody here put there,"),
            other => format!("the {other}"),
        })
    }

    /// True for what was intended and turned out to exist already: the intention did not make it ours.
    fn is_foreign(&self, claim: &Claim, stake: &Stake<'_>) -> bool {
        let intended = stake.entry.is_some_and(|entry| entry.progress == Progress::Intended);
        let (object, snapshot) = (&self.input.objects[stake.object], self.input.snapshot);
        let somebody = claim.thing().is_some_and(|thing| bury::is_somebody(thing, object, snapshot));
        intended && (self.input.exists_already(claim) || somebody)
    }

    /// The claims that go in this plan and that PVE would drop or trip over; or one that should go first and cannot.
    fn dependents(&self, claim: &Claim) -> Result<BTreeSet<Claim>, Claim> {
        // Nothing goes along with a member of a set, of which there may be very many.
        if claim.thing().is_none() {
            return Ok(BTreeSet::new());
        }
        match self.staying.iter().find(|other| goes_along(other, claim)) {
            Some(other) => Err(other.clone()),
            None => Ok(self.going.iter().filter(|other| goes_along(other, claim)).cloned().collect()),
        }
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

/// The namespaces in which a message is read.
struct Readers<'a>(BTreeSet<&'a str>);

impl Readers<'_> {
    fn may_know(&self, key: &ObjectKey) -> bool {
        self.0.iter().all(|namespace| *namespace == key.namespace)
    }

    fn told_of(&self, key: &ObjectKey) -> String {
        let other = self.0.iter().find(|namespace| **namespace != key.namespace);
        key.as_told_to(other.unwrap_or(&key.namespace.as_str()))
    }
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

/// Whether PVE drops `other` with `claim`, or refuses to delete `claim` while `other` stands.
pub(super) fn goes_along(other: &Claim, claim: &Claim) -> bool {
    match (claim, other) {
        (Claim::Thing(Thing::Group(group)), Claim::Acl(AclKey { subject: Subject::Group(id), .. })) => id == group,
        (Claim::Thing(Thing::Group(group)), Claim::Member(membership)) => membership.group == *group,
        (Claim::Thing(Thing::Role(role)), Claim::Acl(key)) => key.role == *role,
        (Claim::Thing(Thing::User(user)), Claim::Acl(key)) => key.subject.user().as_ref() == Some(user),
        (Claim::Thing(Thing::User(user)), Claim::Member(Membership { user: id, .. })) => id == user,
        (Claim::Thing(Thing::User(user)), Claim::Thing(Thing::Token(token))) => token.user() == *user,
        (Claim::Thing(Thing::Token(token)), Claim::Acl(AclKey { subject: Subject::Token(id), .. })) => id == token,
        (Claim::Thing(Thing::Pool(pool)), Claim::Thing(Thing::Pool(id))) => id.parent().as_ref() == Some(pool),
        (Claim::Thing(Thing::Pool(pool)), Claim::PoolMember(id, _)) => id == pool,
        (Claim::Thing(Thing::Pool(pool)), Claim::Acl(key)) => key.path == pool.acl_path(),
        _ => false,
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
