//! User groups: their names, claims and members.

use std::collections::BTreeSet;

use super::holders::Holders;
use super::{Draft, Standing};
use crate::api::Reason;
use crate::api::membership::MembershipPolicy;
use crate::core::claim::{Entry, Origin, Progress};
use crate::core::object::Mode;
use crate::core::plan::ClaimState;
use crate::core::pocket_id::claim::Claim;
use crate::core::pocket_id::ids::{GroupId, UserId};
use crate::core::pocket_id::object::{Object, WantedGroup};
use crate::core::pocket_id::snapshot::{Group, Snapshot};
use crate::core::pocket_id::write::Write;

/// Longest friendly name in characters.
const MAX_FRIENDLY: usize = 50;

impl Draft<'_> {
    pub(super) fn group(&mut self, index: usize, object: &Object, wanted: &WantedGroup, holders: &Holders) {
        let claim = Claim::Group(wanted.name.clone());
        let Some((id, group)) = find(self.input.snapshot, object, &wanted.name) else {
            let shown = wanted.name.chars().take(MAX_FRIENDLY).collect();
            let friendly_name = wanted.friendly_name.clone().unwrap_or(shown);
            self.make(index, &claim, Write::CreateGroup { name: wanted.name.clone(), friendly_name });
            return;
        };
        let (target, missing) = self.target(object, id, wanted);
        let standing = compare(id, group, wanted, target.as_ref(), self.input.snapshot);
        let manages = object.mode == Mode::Manage;
        if let Some(holder) = holders.other_of(id, index).filter(|_| manages) {
            let holder = self.input.objects[holder].key.short();
            let message = format!(
                "the group that is called {} in Pocket ID now is that of {holder}, which gives it its own name back",
                group.name
            );
            return self.refuse(index, &claim, Reason::Conflict, message);
        }
        if manages && group.name != wanted.name && self.input.snapshot.group_named(&wanted.name).is_some() {
            let message = format!(
                "the group was renamed to {:?} in Pocket ID, and another one is called {} now; rename or remove that",
                group.name, wanted.name
            );
            return self.refuse(index, &claim, Reason::AlreadyExists, message);
        }
        if manages && group.from_directory && !standing.fields.is_empty() {
            let message = format!(
                "{claim} belongs to the directory that Pocket ID reads, and differs in {}; change it there, or set \
                 managementPolicy to Observe",
                standing.fields.join(", ")
            );
            return self.refuse(index, &claim, Reason::Forbidden, message);
        }
        if self.take(index, &claim, &standing) {
            self.keep_members(index, object, id, wanted);
            self.correct(index, &claim, standing);
        }
        for user in missing {
            self.lacks(index, format!("no user of Pocket ID is called {user}; it is added as soon as there is one"));
        }
    }

    /// Who is to be in the group, and who of those is not there; `None` when members are not managed.
    fn target(&self, object: &Object, id: &GroupId, wanted: &WantedGroup) -> (Option<BTreeSet<UserId>>, Vec<String>) {
        let snapshot = self.input.snapshot;
        let Some(present) = snapshot.members(id) else { return (None, Vec::new()) };
        let mut missing = Vec::new();
        let mut named: BTreeSet<UserId> = BTreeSet::new();
        for name in &wanted.members {
            match snapshot.user_named(name) {
                Some((user, _)) => drop(named.insert(user.clone())),
                None => missing.push(name.clone()),
            }
        }
        let target = match wanted.policy {
            MembershipPolicy::Ignore => self.without_ours(object, &present, |_| true),
            MembershipPolicy::Additive => {
                let rest = self.without_ours(object, &present, |user| !wanted.members.contains(user));
                rest.into_iter().chain(named).collect()
            }
            MembershipPolicy::Exact => named,
        };
        (Some(target), missing)
    }

    /// Those present, but for members of ours of whom this is so.
    fn without_ours(
        &self,
        object: &Object,
        present: &BTreeSet<UserId>,
        goes: impl Fn(&String) -> bool,
    ) -> BTreeSet<UserId> {
        // Who only observes has a say in nobody, whom it once added neither.
        let held = object.ledger.keys().filter(|_| object.mode != Mode::Observe);
        let ours = held.filter_map(|claim| match claim {
            Claim::Member { group: _, user } => goes(user).then(|| self.input.snapshot.user_named(user))?,
            Claim::Group(_) | Claim::Client(_) | Claim::Logo(_) => None,
        });
        let ours: BTreeSet<&UserId> = ours.map(|(id, _)| id).collect();
        present.iter().filter(|user| !ours.contains(user)).cloned().collect()
    }

    /// What the ledger says of members: those that stand or are to stand, and those that are to go until they are gone.
    fn keep_members(&mut self, index: usize, object: &Object, id: &GroupId, wanted: &WantedGroup) {
        let snapshot = self.input.snapshot;
        let Some(present) = snapshot.members(id) else { return };
        let stands = |name: &str| snapshot.user_named(name).is_some_and(|(user, _)| present.contains(user));
        let ledger = &mut self.plan.verdicts[index].ledger;
        ledger.retain(|claim, _| match claim {
            Claim::Member { group: _, user } => wanted.members.contains(user) || stands(user),
            Claim::Group(_) | Claim::Client(_) | Claim::Logo(_) => true,
        });
        if wanted.policy == MembershipPolicy::Ignore {
            return;
        }
        for user in wanted.members.iter().filter(|user| snapshot.user_named(user).is_some()) {
            let claim = Claim::Member { group: wanted.name.clone(), user: user.clone() };
            let before = object.ledger.get(&claim).copied();
            let entry = match (stands(user), before) {
                (true, before) => {
                    Entry { origin: before.map_or(Origin::Adopted, |it| it.origin), progress: Progress::Applied }
                }
                (false, _) => Entry { origin: Origin::Created, progress: Progress::Intended },
            };
            ledger.insert(claim, entry);
        }
    }

    pub(super) fn release_group(
        &mut self,
        index: usize,
        object: &Object,
        name: &str,
        removes: bool,
        holders: &Holders,
    ) {
        let claim = Claim::Group(name.to_owned());
        let found = find(self.input.snapshot, object, name);
        // What another object stands for is no longer this one's, whatever it is called.
        let Some((id, _)) = found.filter(|(id, _)| holders.other_of(id, index).is_none()) else {
            self.plan.verdicts[index].ledger.clear();
            return;
        };
        if removes {
            return self.remove(index, &claim, Write::DeleteGroup(id.clone()));
        }
        let keeps_all = object.deletion.is_some();
        let created = |claim: &Claim| object.ledger.get(claim).is_some_and(|entry| entry.origin == Origin::Created);
        let present = self.input.snapshot.members(id).unwrap_or_default();
        let member = |user: &str| Claim::Member { group: name.to_owned(), user: user.to_owned() };
        let stays = if keeps_all {
            present.clone()
        } else {
            self.without_ours(object, &present, |user| created(&member(user)))
        };
        if stays != present {
            if !self.holds_back(index, &claim) {
                let purpose = crate::core::plan::Purpose::Update(vec!["members".to_owned()]);
                self.attempt(index, &claim, purpose.clone());
                self.step(index, &claim, purpose, Write::SetMembers { group: id.clone(), users: stays }, None);
            }
            return;
        }
        self.plan.verdicts[index].ledger.retain(|claim, _| claim.is_thing());
        self.state(index, &claim, ClaimState::Standing);
        self.leave(index, &claim);
    }
}

/// The group that an object stands for: the one that it stood for before, or the one of its name.
fn find<'a>(snapshot: &'a Snapshot, object: &Object, name: &str) -> Option<(&'a GroupId, &'a Group)> {
    let claim = Claim::Group(name.to_owned());
    let known = object.known.as_ref().filter(|_| object.ledger.contains_key(&claim));
    known.and_then(|id| snapshot.groups.get_key_value(id)).or_else(|| snapshot.group_named(name))
}

fn compare(
    id: &GroupId,
    group: &Group,
    wanted: &WantedGroup,
    target: Option<&BTreeSet<UserId>>,
    snapshot: &Snapshot,
) -> Standing {
    let WantedGroup { name, friendly_name, claims, members: _, policy: _ } = wanted;
    let (mut fields, mut writes) = (Vec::new(), Vec::new());
    let shown = friendly_name.as_ref().unwrap_or(&group.friendly_name);
    if group.name != *name {
        fields.push("groupName".to_owned());
    }
    if group.friendly_name != *shown {
        fields.push("friendlyName".to_owned());
    }
    if !fields.is_empty() {
        writes.push(Write::UpdateGroup { group: id.clone(), name: name.clone(), friendly_name: shown.clone() });
    }
    if let Some(claims) = claims.as_ref().filter(|claims| **claims != group.claims) {
        fields.push("customClaims".to_owned());
        writes.push(Write::SetClaims { group: id.clone(), claims: claims.clone() });
    }
    if let (Some(target), Some(present)) = (target, snapshot.members(id))
        && *target != present
    {
        fields.push("members".to_owned());
        writes.push(Write::SetMembers { group: id.clone(), users: target.clone() });
    }
    Standing { fields, writes }
}
