//! Changes of members of sets folded to requests: PVE takes many in one, and each costs it a rewrite of its file.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::batches;
use crate::core::claim::{Claim, Membership, PoolItem, Thing};
use crate::core::ids::{AclKey, GroupId, PoolId, UserId};
use crate::core::plan::bury::grave;
use crate::core::plan::order::{Act, Operation};
use crate::core::plan::release::goes_along;
use crate::core::plan::{Purpose, Step};
use crate::core::snapshot::Snapshot;
use crate::core::write::{AclChange, GroupChange, MemberChange, PoolChange, Write};

/// Memberships and dangling entries that end with the deletion of their group or user, and need no request of their own.
pub(super) type Along = BTreeMap<Thing, Vec<Operation>>;

/// Takes out what ends with a deletion of this plan.
pub(super) fn along(operations: Vec<Operation>) -> (Vec<Operation>, Along) {
    let deleted: BTreeSet<Thing> = operations.iter().filter_map(|operation| deletes(&operation.act).cloned()).collect();
    let makes = |act: &Act| matches!(act, Act::Write(writes) if matches!(writes.first(), Some(Write::Create { .. })));
    let both = operations.iter().filter(|operation| makes(&operation.act));
    let buried: BTreeSet<Thing> = both.filter_map(|operation| deletes(&operation.act).cloned()).collect();
    let mut along = Along::new();
    let mut rest = Vec::new();
    for operation in operations {
        let ends_with = match &operation.act {
            Act::Leave(Membership { group, user }) => [Thing::Group(group.clone()), Thing::User(user.clone())]
                .into_iter()
                .find(|thing| deleted.contains(thing)),
            Act::Revoke { key } => Some(grave(key)).filter(|thing| buried.contains(thing)),
            _ => None,
        };
        match ends_with {
            Some(thing) => along.entry(thing).or_default().push(operation),
            None => rest.push(operation),
        }
    }
    (rest, along)
}

fn deletes(act: &Act) -> Option<&Thing> {
    match act {
        Act::Write(writes) => writes.iter().find_map(|write| match write {
            Write::Delete { thing } => Some(thing),
            _ => None,
        }),
        _ => None,
    }
}

/// Users that join a group.
pub(super) fn joining(operations: &[Operation]) -> BTreeSet<UserId> {
    let users = operations.iter().filter_map(|operation| match &operation.act {
        Act::Join(membership) => Some(membership.user.clone()),
        _ => None,
    });
    users.collect()
}

/// The members of sets that a request names.
pub(super) fn members_of(write: &Write) -> Box<dyn Iterator<Item = Claim> + '_> {
    match write {
        Write::Acl(batch) => Box::new(batch.entries().map(Claim::Acl)),
        Write::Groups(GroupChange { user, join, leave, stay: _ }) => Box::new(
            join.iter()
                .chain(leave)
                .map(|group| Claim::Member(Membership { group: group.clone(), user: user.clone() })),
        ),
        Write::PoolMembers(PoolChange { pool, items, change: _ }) => {
            Box::new(items.iter().map(|item| Claim::PoolMember(pool.clone(), item.clone())))
        }
        Write::Create { .. }
        | Write::Update { .. }
        | Write::Delete { .. }
        | Write::Regenerate { .. }
        | Write::SetPassword { .. } => Box::new(std::iter::empty()),
    }
}

/// Operations of one phase to steps.
pub(super) struct Fold<'a> {
    pub snapshot: &'a Snapshot,
    pub along: Along,
}

/// Operations by the claim of each.
type Open = BTreeMap<Claim, Operation>;

impl Fold<'_> {
    pub fn steps(&mut self, operations: Vec<Operation>) -> Vec<Step> {
        let (mut steps, mut open) = (Vec::new(), Open::new());
        let mut entries: Vec<(AclKey, AclChange)> = Vec::new();
        let mut groups: BTreeMap<UserId, (BTreeSet<GroupId>, BTreeSet<GroupId>)> = BTreeMap::new();
        let mut members: BTreeMap<(PoolId, MemberChange, Option<PoolItem>), BTreeSet<PoolItem>> = BTreeMap::new();
        for operation in operations {
            match &operation.act {
                Act::Write(_) => {
                    steps.extend(self.things(operation));
                    continue;
                }
                Act::Grant { key, propagate } => {
                    entries.push((key.clone(), AclChange::Grant { propagate: *propagate }));
                }
                Act::Revoke { key } => entries.push((key.clone(), AclChange::Revoke)),
                Act::Join(Membership { group, user }) => {
                    groups.entry(user.clone()).or_default().0.insert(group.clone());
                }
                Act::Leave(Membership { group, user }) => {
                    groups.entry(user.clone()).or_default().1.insert(group.clone());
                }
                Act::Enter { pool, item, allow_move, alone } => {
                    let change = MemberChange::Enter { allow_move: *allow_move };
                    let apart = alone.then(|| item.clone());
                    members.entry((pool.clone(), change, apart)).or_default().insert(item.clone());
                }
                Act::Withdraw { pool, item } => {
                    let apart = (!self.shows(pool, item)).then(|| item.clone());
                    members.entry((pool.clone(), MemberChange::Leave, apart)).or_default().insert(item.clone());
                }
            }
            open.insert(operation.claim.clone(), operation);
        }
        // Parent pools are made before what is nested in them, and removed after it.
        steps.sort_by(|a, b| match (&a.write, &b.write) {
            (Write::Delete { thing: Thing::Pool(a) }, Write::Delete { thing: Thing::Pool(b) }) => b.cmp(a),
            _ => std::cmp::Ordering::Equal,
        });
        let writes = groups
            .into_iter()
            .map(|(user, (join, leave))| {
                let stay = self.snapshot.groups_of(&user).into_iter().filter(|group| !leave.contains(group)).collect();
                Write::Groups(GroupChange { user, join, leave, stay })
            })
            .chain(
                members
                    .into_iter()
                    .map(|((pool, change, _), items)| Write::PoolMembers(PoolChange { pool, items, change })),
            )
            .chain(batches::fold(entries).into_iter().map(Write::Acl))
            .collect::<Vec<_>>();
        steps.extend(writes.into_iter().map(|write| step(write, &mut open)));
        steps
    }

    fn shows(&self, pool: &PoolId, item: &PoolItem) -> bool {
        let pool = self.snapshot.pools.as_ref().ok().and_then(|pools| pools.get(pool));
        pool.and_then(|pool| pool.members.as_ref()?.as_ref().ok()).is_some_and(|members| members.contains(item))
    }

    /// The requests about one named thing.
    fn things(&mut self, operation: Operation) -> Vec<Step> {
        let deleted = deletes(&operation.act).cloned();
        let Operation { act, claim, owners, mut after, purpose, hidden, issue } = operation;
        let Act::Write(writes) = act else { return Vec::new() };
        let mut claims = BTreeSet::from([claim.clone()]);
        let mut owners: Vec<(usize, Claim)> = owners.into_iter().map(|owner| (owner, claim.clone())).collect();
        let mut falls = Vec::new();
        if let Some(thing) = deleted {
            for along in self.along.remove(&thing).unwrap_or_default() {
                after.remove(&along.claim);
                owners.extend(along.owners.into_iter().map(|owner| (owner, along.claim.clone())));
                claims.insert(along.claim);
            }
            // What is made anew at once gets them back.
            if purpose == Purpose::Remove {
                let entries = self.snapshot.acl.iter().flat_map(BTreeMap::keys).map(|key| Claim::Acl(key.clone()));
                falls = entries.filter(|entry| goes_along(entry, &claim) && !after.contains(entry)).collect();
            }
        }
        let last = writes.len().saturating_sub(1);
        let step = |(index, write): (usize, Write)| Step {
            issue: issue.filter(|_| write.shows_secret()),
            write,
            claims: claims.clone(),
            owners: owners.clone(),
            after: if index == 0 { after.clone() } else { claims.clone() },
            purpose: purpose.clone(),
            hidden: hidden.clone().filter(|_| index == last),
            falls: falls.clone(),
        };
        writes.into_iter().enumerate().map(step).collect()
    }
}

/// The step for a request that names members of a set.
fn step(write: Write, open: &mut Open) -> Step {
    let (mut claims, mut owners, mut after) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
    let mut purpose = None;
    for member in members_of(&write).collect::<Vec<_>>() {
        // Two products of one fold may share entries: the first request that names one answers for it.
        let Some(operation) = open.remove(&member) else { continue };
        owners.extend(operation.owners.iter().map(|owner| (*owner, operation.claim.clone())));
        after.extend(operation.after);
        claims.insert(operation.claim);
        purpose.get_or_insert(operation.purpose);
    }
    let purpose = purpose.unwrap_or(Purpose::Create);
    Step { write, claims, owners, after, purpose, hidden: None, issue: None, falls: Vec::new() }
}
