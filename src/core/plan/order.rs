//! A safe order, and ACL entries folded to requests.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::claim::{Claim, Membership, PoolItem, SecretVersion, Thing};
use crate::core::failure::FailureKind;
use crate::core::ids::{AclKey, AclPath, PoolId, Subject};
use crate::core::permissions::NO_ACCESS;
use crate::core::plan::fold::{self, Fold};
use crate::core::plan::{Purpose, Step};
use crate::core::snapshot::Snapshot;
use crate::core::write::{AclBatch, AclChange, GroupChange, MemberChange, PoolChange, Write};

/// One change, before members of sets are folded.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub act: Act,
    pub claim: Claim,
    pub owners: Vec<usize>,
    pub after: BTreeSet<Claim>,
    pub purpose: Purpose,
    /// The version of the Secret whose content is written.
    pub hidden: Option<SecretVersion>,
    /// The number of the token's secret that is asked for.
    pub issue: Option<i64>,
}

/// What an operation does.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// Requests about one named thing, one after the other.
    Write(Vec<Write>),
    Join(Membership),
    Leave(Membership),
    Enter {
        pool: PoolId,
        item: PoolItem,
        allow_move: bool,
        /// Never in one request with others.
        alone: bool,
    },
    Withdraw {
        pool: PoolId,
        item: PoolItem,
    },
    Grant {
        key: AclKey,
        propagate: bool,
    },
    Revoke {
        key: AclKey,
    },
}

/// When a change comes. Nobody is without a permission in between, and nobody has more than before or after:
/// what only takes away comes first, what is replaced goes after its replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Revoke,
    Leave,
    Realm,
    SyncJob,
    Role,
    Group,
    User,
    Token,
    Pool,
    Join,
    Withdraw,
    Enter,
    Deny,
    Grant,
    Replace,
    DeletePool,
    DeleteToken,
    DeleteUser,
    DeleteGroup,
    DeleteRole,
    DeleteSyncJob,
    DeleteRealm,
}

/// Orders operations and folds entries; `changed` tells how recently an object's spec changed.
pub(super) fn steps(
    operations: Vec<Operation>,
    snapshot: &Snapshot,
    changed: impl Fn(usize) -> u64,
    failed_before: impl Fn(&Claim) -> bool,
) -> Vec<Step> {
    let mut granted: Granted = BTreeMap::new();
    for operation in &operations {
        if let Act::Grant { key, .. } = &operation.act {
            granted.entry((key.path.clone(), key.subject.clone())).or_default().push(operation.claim.clone());
        }
    }
    let (operations, along) = fold::along(operations);
    let joining = fold::joining(&operations);
    let mut phases: BTreeMap<Phase, Vec<Operation>> = BTreeMap::new();
    for mut operation in operations {
        let phase = match &operation.act {
            // All changes of a user's groups are one request.
            Act::Leave(membership) if joining.contains(&membership.user) => Phase::Join,
            act => phase(act, &granted),
        };
        if let (Phase::Replace, Act::Revoke { key }) = (phase, &operation.act) {
            operation.after.extend(granted[&(key.path.clone(), key.subject.clone())].iter().cloned());
        }
        phases.entry(phase).or_default().push(operation);
    }
    let mut folding = Fold { snapshot, along };
    let steps = phases.into_values().flat_map(|operations| folding.steps(operations)).collect();
    retries_last(newest_first(steps, changed), failed_before)
}

/// The claims that this plan grants, by place and subject.
type Granted = BTreeMap<(AclPath, Subject), Vec<Claim>>;

/// Brings steps for what changed last to the front, with all that they come after.
fn newest_first(mut steps: Vec<Step>, changed: impl Fn(usize) -> u64) -> Vec<Step> {
    let mut wanted_by: BTreeMap<Claim, u64> = BTreeMap::new();
    let mut urgency = vec![0; steps.len()];
    for (step, urgency) in steps.iter().zip(&mut urgency).rev() {
        let own = step.owners.iter().map(|(owner, _)| changed(*owner));
        let followers = step.claims.iter().filter_map(|claim| wanted_by.get(claim).copied());
        *urgency = own.chain(followers).max().unwrap_or_default();
        for claim in &step.after {
            let wanted = wanted_by.entry(claim.clone()).or_default();
            *wanted = (*wanted).max(*urgency);
        }
    }
    // The sort is stable: among equals the order of the phases stays.
    let mut order: Vec<usize> = (0..steps.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(urgency[*index]));
    let mut taken: Vec<Option<Step>> = steps.drain(..).map(Some).collect();
    order.into_iter().filter_map(|index| taken[index].take()).collect()
}

/// Puts what failed before behind the rest, with all that comes after it: nobody waits for somebody else's trouble.
fn retries_last(steps: Vec<Step>, failed_before: impl Fn(&Claim) -> bool) -> Vec<Step> {
    let mut late: BTreeSet<Claim> = BTreeSet::new();
    let (first, last): (Vec<Step>, Vec<Step>) = steps.into_iter().partition(|step| {
        let waits = step.claims.iter().any(&failed_before) || step.after.iter().any(|claim| late.contains(claim));
        if waits {
            late.extend(step.claims.iter().cloned());
        }
        !waits
    });
    first.into_iter().chain(last).collect()
}

/// The order in which single operations take effect, for judging them one by one.
pub(super) fn sorted(operations: &mut [Operation]) {
    let granted = Granted::new();
    operations.sort_by_key(|operation| phase(&operation.act, &granted));
}

fn phase(act: &Act, granted: &Granted) -> Phase {
    match act {
        Act::Grant { key, .. } if key.role.as_str() == NO_ACCESS => Phase::Deny,
        Act::Grant { .. } => Phase::Grant,
        Act::Revoke { key } if granted.contains_key(&(key.path.clone(), key.subject.clone())) => Phase::Replace,
        Act::Revoke { .. } => Phase::Revoke,
        Act::Leave(_) => Phase::Leave,
        Act::Join(_) => Phase::Join,
        Act::Enter { .. } => Phase::Enter,
        Act::Withdraw { .. } => Phase::Withdraw,
        // What is deleted to be made anew comes when it is made: what others do for it would go with its former self.
        Act::Write(writes) => {
            let made = writes.iter().find(|write| matches!(write, Write::Create { .. }));
            made.or(writes.first()).map_or(Phase::User, phase_of)
        }
    }
}

fn phase_of(write: &Write) -> Phase {
    match write {
        Write::Create { thing, .. } | Write::Update { thing, .. } => match thing {
            Thing::Realm(_) => Phase::Realm,
            Thing::SyncJob(_) => Phase::SyncJob,
            Thing::Role(_) => Phase::Role,
            Thing::Group(_) => Phase::Group,
            Thing::User(_) => Phase::User,
            Thing::Token(_) => Phase::Token,
            Thing::Pool(_) => Phase::Pool,
        },
        Write::Delete { thing } => match thing {
            Thing::Realm(_) => Phase::DeleteRealm,
            Thing::SyncJob(_) => Phase::DeleteSyncJob,
            Thing::Role(_) => Phase::DeleteRole,
            Thing::Group(_) => Phase::DeleteGroup,
            Thing::User(_) => Phase::DeleteUser,
            Thing::Token(_) => Phase::DeleteToken,
            Thing::Pool(_) => Phase::DeletePool,
        },
        Write::Regenerate { .. } => Phase::Token,
        Write::SetPassword { .. } => Phase::User,
        Write::Groups(_) => Phase::Join,
        Write::PoolMembers(PoolChange { change: MemberChange::Enter { .. }, .. }) => Phase::Enter,
        Write::PoolMembers(PoolChange { change: MemberChange::Leave, .. }) => Phase::Withdraw,
        Write::Acl(AclBatch { change: AclChange::Grant { .. }, .. }) => Phase::Grant,
        Write::Acl(AclBatch { change: AclChange::Revoke, .. }) => Phase::Revoke,
    }
}

impl Step {
    /// Two halves, each with its own claims, to find what of a request made it fail; `None` when there is nothing to
    /// find: a path is the same for all of a request, and the right to grant something depends on the role only.
    pub fn split(&self, kind: FailureKind) -> Option<(Self, Self)> {
        let (left, right) = match &self.write {
            Write::Acl(batch) => {
                let (left, right) = match kind {
                    FailureKind::Invalid => return None,
                    FailureKind::Forbidden => batch.split_roles()?,
                    _ => batch.split()?,
                };
                (Write::Acl(left), Write::Acl(right))
            }
            Write::Groups(change) => {
                let (left, right) = change.split()?;
                (Write::Groups(left), Write::Groups(right))
            }
            Write::PoolMembers(change) => {
                let (left, right) = change.split()?;
                (Write::PoolMembers(left), Write::PoolMembers(right))
            }
            Write::Create { .. }
            | Write::Update { .. }
            | Write::Delete { .. }
            | Write::Regenerate { .. }
            | Write::SetPassword { .. } => return None,
        };
        Some((self.part(left), self.part(right)))
    }

    fn part(&self, write: Write) -> Self {
        let mut claims: BTreeSet<Claim> =
            fold::members_of(&write).filter(|claim| self.claims.contains(claim)).collect();
        // What a token gets back is for the token.
        if claims.is_empty() {
            claims.clone_from(&self.claims);
        }
        let owners = self.owners.iter().filter(|(_, claim)| claims.contains(claim)).cloned().collect();
        let Self { after, purpose, hidden, .. } = self;
        let (after, purpose, hidden) = (after.clone(), purpose.clone(), hidden.clone());
        Self { write, claims, owners, after, purpose, hidden, issue: None, falls: Vec::new() }
    }
}

impl GroupChange {
    /// Two halves that together are this change: first what only leaves, since then what joins can be added alone.
    fn split(&self) -> Option<(Self, Self)> {
        let Self { user, join, leave, stay } = self;
        let part = |join: BTreeSet<_>, leave: BTreeSet<_>| Self { user: user.clone(), join, leave, stay: stay.clone() };
        if !leave.is_empty() && !join.is_empty() {
            return Some((part(BTreeSet::new(), leave.clone()), part(join.clone(), BTreeSet::new())));
        }
        let half = (join.len() > 1).then_some(join.len() / 2)?;
        let (left, right) = (join.iter().take(half), join.iter().skip(half));
        Some((part(left.cloned().collect(), BTreeSet::new()), part(right.cloned().collect(), BTreeSet::new())))
    }
}

impl PoolChange {
    fn split(&self) -> Option<(Self, Self)> {
        let Self { pool, items, change } = self;
        let half = (items.len() > 1).then_some(items.len() / 2)?;
        let part = |items: BTreeSet<PoolItem>| Self { pool: pool.clone(), items, change: *change };
        Some((part(items.iter().take(half).cloned().collect()), part(items.iter().skip(half).cloned().collect())))
    }
}
