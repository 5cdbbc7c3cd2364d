//! Who wants and who holds each claim.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::core::claim::{Claim, Content, Entry, Origin, Thing, Wanted};
use crate::core::ids::{AclKey, Subject};
use crate::core::object::{Mode, Object, ObjectKey};
use crate::core::token::Former;

/// One object's interest in one claim.
#[derive(Clone, Copy)]
pub(super) struct Stake<'a> {
    /// Index of the object.
    pub object: usize,
    /// What it wants, if it does.
    pub wanted: Option<&'a Wanted>,
    /// What its ledger says, if it holds it.
    pub entry: Option<Entry>,
}

/// All interests, by claim.
pub(super) struct Stakes<'a> {
    pub by_claim: BTreeMap<&'a Claim, Vec<Stake<'a>>>,
    objects: &'a [Object],
    /// Groups and roles of the entries that objects want or keep, with one such object.
    users: HashMap<Thing, usize>,
    /// Objects that others refer to, with one such object.
    referrers: HashMap<&'a ObjectKey, usize>,
}

impl<'a> Stakes<'a> {
    pub fn new(objects: &'a [Object]) -> Self {
        let mut by_claim: BTreeMap<&Claim, Vec<Stake<'_>>> = BTreeMap::new();
        let (mut users, mut referrers) = (HashMap::new(), HashMap::new());
        let mut used = |claim: &Claim, object: usize| {
            for thing in parts(claim) {
                users.entry(thing).or_insert(object);
            }
        };
        for (index, object) in objects.iter().enumerate() {
            for wanted in &object.wanted {
                let entry = object.ledger.get(&wanted.claim).copied();
                by_claim.entry(&wanted.claim).or_default().push(Stake { object: index, wanted: Some(wanted), entry });
                if object.mode.is_live() {
                    used(&wanted.claim, index);
                    for key in &wanted.needs {
                        referrers.entry(key).or_insert(index);
                    }
                }
            }
            for (claim, entry) in &object.ledger {
                let keeps = match object.mode {
                    Mode::Suspended | Mode::Denied | Mode::DeletingSuspended => true,
                    Mode::Manage => object.unsure,
                    Mode::Observe | Mode::Revoked | Mode::Deleting | Mode::DeletingObserver => false,
                };
                if keeps {
                    used(claim, index);
                }
                let stakes = by_claim.entry(claim).or_default();
                if stakes.last().is_none_or(|last| last.object != index) {
                    stakes.push(Stake { object: index, wanted: None, entry: Some(*entry) });
                }
            }
        }
        Self { by_claim, objects, users, referrers }
    }

    /// A live object with an entry for the group or role: while there is one, the thing is not deleted.
    pub fn user_of(&self, thing: &Thing) -> Option<&'a Object> {
        self.users.get(thing).map(|index| &self.objects[*index])
    }

    /// A live object that refers to this one: while there is one, what this one stands for is not deleted.
    pub fn referrer_of(&self, key: &ObjectKey) -> Option<&'a Object> {
        self.referrers.get(key).map(|index| &self.objects[*index])
    }

    /// True when an object that counts, or is suspended, claims it.
    pub fn is_claimed(&self, claim: &Claim) -> bool {
        self.by_claim.get(claim).is_some_and(|stakes| {
            stakes.iter().any(|stake| {
                self.counts(stake) || (stake.wanted.is_some() && self.objects[stake.object].mode == Mode::Suspended)
            })
        })
    }

    /// Who decides what the claim looks like: the ledger's holder, then the older, then the name.
    pub fn winner(&self, stakes: &[Stake<'a>]) -> Option<Stake<'a>> {
        stakes
            .iter()
            .filter(|stake| stake.wanted.is_some() && self.counts(stake))
            .max_by_key(|stake| {
                let Object { key, created, .. } = &self.objects[stake.object];
                (stake.entry.is_some(), Reverse(*created), Reverse(key))
            })
            .copied()
    }

    /// Whether the object's interest keeps the thing standing: one that is suspended or cannot say what it wants keeps what it
    /// owns.
    pub fn counts(&self, stake: &Stake<'a>) -> bool {
        let object = &self.objects[stake.object];
        match object.mode {
            Mode::Manage => stake.wanted.is_some() || (object.unsure && stake.entry.is_some()),
            Mode::Suspended | Mode::Denied | Mode::DeletingSuspended => stake.entry.is_some(),
            Mode::Observe | Mode::Revoked | Mode::Deleting | Mode::DeletingObserver => false,
        }
    }

    /// The object that keeps a named thing although it does not ask for it: it is denied that, suspended, or cannot say what
    /// it wants.
    pub fn keeper(&self, claim: &Claim, stakes: &[Stake<'a>]) -> Option<usize> {
        claim.thing()?;
        stakes.iter().find(|stake| stake.wanted.is_none() && self.keeps(stake)).map(|stake| stake.object)
    }

    /// What is kept by objects that nothing is done for now: it must not go along with something else either.
    pub fn kept(&self) -> BTreeSet<Claim> {
        let is_still = |stake: &Stake<'a>| stake.wanted.is_none() || self.objects[stake.object].mode != Mode::Manage;
        let kept = |stakes: &[Stake<'a>]| stakes.iter().any(|stake| is_still(stake) && self.keeps(stake));
        self.by_claim.iter().filter(|(_, stakes)| kept(stakes)).map(|(claim, _)| (*claim).clone()).collect()
    }

    fn keeps(&self, stake: &Stake<'a>) -> bool {
        stake.entry.is_some() && self.counts(stake)
    }

    /// How we came to something that other objects of ours hold, and which of them it comes from: it is not a stranger's,
    /// then.
    pub fn inherited(&self, stakes: &[Stake<'a>], heir: usize) -> Option<(Origin, Former)> {
        let givers = || stakes.iter().filter(|stake| stake.object != heir && stake.entry.is_some());
        // `Created` sorts first: what one of us made goes with the last of us.
        let origin = givers().filter_map(|stake| Some(stake.entry?.origin)).min()?;
        let observes =
            |stake: &Stake<'_>| matches!(self.objects[stake.object].mode, Mode::Observe | Mode::DeletingObserver);
        Some((origin, Former::of(givers().any(observes), origin)))
    }
}

/// The group and the role that an entry is made of.
fn parts(claim: &Claim) -> Vec<Thing> {
    let Claim::Acl(AclKey { path: _, subject, role }) = claim else { return Vec::new() };
    let mut parts = vec![Thing::Role(role.clone())];
    if let Subject::Group(group) = subject {
        parts.push(Thing::Group(group.clone()));
    }
    parts
}

/// True when two objects may hold the claim at the same time.
pub(super) fn agree(a: &Wanted, b: &Wanted) -> bool {
    match (&a.content, &b.content) {
        (Content::Acl { propagate: a }, Content::Acl { propagate: b }) => a == b,
        (Content::Member, Content::Member) | (Content::PoolMember { .. }, Content::PoolMember { .. }) => true,
        _ => false,
    }
}
