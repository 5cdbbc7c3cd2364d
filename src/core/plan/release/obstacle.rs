//! Why something is not removed now: what is not seen, what still needs it, and what goes before it.

use std::collections::BTreeSet;

use super::Releaser;
use crate::api::Reason;
use crate::core::claim::{Claim, Membership, PoolItem, Thing};
use crate::core::failure::FailureKind;
use crate::core::ids::{AclKey, PoolId, Subject};
use crate::core::object::{ObjectKey, Refusal};
use crate::core::plan::compare::{self, Standing};
use crate::core::plan::stakes::Stake;
use crate::core::plan::{ClaimState, make, still_used};
use crate::core::visibility::Sight;

impl Releaser<'_> {
    /// `Ok(None)`: it is gone. `Ok(Some)`: remove it after these. `Err`: not now.
    pub(super) fn obstacle(
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
            return Err(blocked(still_used(claim, &user)));
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
    pub(super) fn readers<'r>(&'r self, leaving: &[&Stake<'_>]) -> Readers<'r> {
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
}

/// The namespaces in which a message is read.
pub(super) struct Readers<'a>(BTreeSet<&'a str>);

impl Readers<'_> {
    fn may_know(&self, key: &ObjectKey) -> bool {
        self.0.iter().all(|namespace| *namespace == key.namespace)
    }

    fn told_of(&self, key: &ObjectKey) -> String {
        let other = self.0.iter().find(|namespace| **namespace != key.namespace);
        key.as_told_to(other.unwrap_or(&key.namespace.as_str()))
    }
}

/// Whether PVE drops `other` with `claim`, or refuses to delete `claim` while `other` stands.
pub(in crate::core::plan) fn goes_along(other: &Claim, claim: &Claim) -> bool {
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
