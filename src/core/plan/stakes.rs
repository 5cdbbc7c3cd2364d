//! Who wants and who holds each claim.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use crate::core::claim::{Claim, Content, Entry, Origin, Wanted};
use crate::core::ids::{AclKey, GroupId, Subject};
use crate::core::object::{Mode, Object};

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
    /// Groups that entries are for which objects want or keep, with one such object.
    users_of_group: HashMap<&'a GroupId, usize>,
}

impl<'a> Stakes<'a> {
    pub fn new(objects: &'a [Object]) -> Self {
        let mut by_claim: BTreeMap<&Claim, Vec<Stake<'_>>> = BTreeMap::new();
        let mut users_of_group = HashMap::new();
        for (index, object) in objects.iter().enumerate() {
            for wanted in &object.wanted {
                let entry = object.ledger.get(&wanted.claim).copied();
                by_claim.entry(&wanted.claim).or_default().push(Stake { object: index, wanted: Some(wanted), entry });
                if let (true, Claim::Acl(key)) = (object.mode.is_live(), &wanted.claim)
                    && let Subject::Group(group) = &key.subject
                {
                    users_of_group.entry(group).or_insert(index);
                }
            }
            for (claim, entry) in &object.ledger {
                let keeps = match object.mode {
                    Mode::Suspended | Mode::DeletingSuspended => true,
                    Mode::Manage => object.unsure,
                    Mode::Observe | Mode::Deleting | Mode::DeletingObserver => false,
                };
                if let (true, Claim::Acl(AclKey { subject: Subject::Group(group), .. })) = (keeps, claim) {
                    users_of_group.entry(group).or_insert(index);
                }
                let stakes = by_claim.entry(claim).or_default();
                if stakes.last().is_none_or(|last| last.object != index) {
                    stakes.push(Stake { object: index, wanted: None, entry: Some(*entry) });
                }
            }
        }
        Self { by_claim, objects, users_of_group }
    }

    /// A live object with an entry for the group: while there is one, the group is not deleted.
    pub fn user_of_group(&self, group: &GroupId) -> Option<&'a Object> {
        self.users_of_group.get(group).map(|index| &self.objects[*index])
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

    /// Whether the object's interest keeps the thing standing: a suspended one keeps what it owns.
    pub fn counts(&self, stake: &Stake<'a>) -> bool {
        match self.objects[stake.object].mode {
            Mode::Manage => stake.wanted.is_some(),
            Mode::Suspended => stake.entry.is_some(),
            Mode::Observe | Mode::Deleting | Mode::DeletingSuspended | Mode::DeletingObserver => false,
        }
    }

    /// How we came to something that other objects of ours hold: it is not a stranger's, then.
    pub fn inherited(stakes: &[Stake<'a>], heir: usize) -> Option<Origin> {
        let origins = stakes.iter().filter(|stake| stake.object != heir).filter_map(|stake| Some(stake.entry?.origin));
        // `Created` sorts first: what one of us made goes with the last of us.
        origins.min()
    }
}

/// True when two objects may hold the claim at the same time.
pub(super) fn agree(a: &Wanted, b: &Wanted) -> bool {
    match (&a.content, &b.content) {
        (Content::Acl { propagate: a }, Content::Acl { propagate: b }) => a == b,
        _ => false,
    }
}
