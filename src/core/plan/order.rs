//! A safe order, and ACL entries folded to requests.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::batches;
use crate::core::claim::Claim;
use crate::core::failure::FailureKind;
use crate::core::ids::{AclKey, AclPath, Subject};
use crate::core::permissions::NO_ACCESS;
use crate::core::plan::{Purpose, Step};
use crate::core::write::{AclBatch, AclChange, Write};

/// One change, before entries are folded.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub act: Act,
    pub claim: Claim,
    pub owners: Vec<usize>,
    pub after: BTreeSet<Claim>,
    pub purpose: Purpose,
}

/// What an operation does.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Write(Write),
    Grant { key: AclKey, propagate: bool },
    Revoke { key: AclKey },
}

/// When a change comes. Nobody is without a permission in between, and nobody has more than before or after:
/// what only takes away comes first, what is replaced goes after its replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Revoke,
    Realm,
    Group,
    Pool,
    Deny,
    Grant,
    Replace,
    DeletePool,
    DeleteGroup,
    DeleteRealm,
}

/// Orders operations and folds entries; `changed` tells how recently an object's spec changed.
pub(super) fn steps(
    operations: Vec<Operation>,
    changed: impl Fn(usize) -> u64,
    failed_before: impl Fn(&Claim) -> bool,
) -> Vec<Step> {
    let mut granted: Granted = BTreeMap::new();
    for operation in &operations {
        if let Act::Grant { key, .. } = &operation.act {
            granted.entry((key.path.clone(), key.subject.clone())).or_default().push(operation.claim.clone());
        }
    }
    let mut phases: BTreeMap<Phase, Vec<Operation>> = BTreeMap::new();
    for mut operation in operations {
        let phase = phase(&operation.act, &granted);
        if let (Phase::Replace, Act::Revoke { key }) = (phase, &operation.act) {
            operation.after.extend(granted[&(key.path.clone(), key.subject.clone())].iter().cloned());
        }
        phases.entry(phase).or_default().push(operation);
    }
    let steps = phases.into_values().flat_map(phase_steps).collect();
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
        Act::Write(write) => match write {
            Write::CreateRealm { .. } | Write::UpdateRealm { .. } => Phase::Realm,
            Write::CreateGroup { .. } | Write::UpdateGroup { .. } => Phase::Group,
            Write::CreatePool { .. } | Write::UpdatePool { .. } => Phase::Pool,
            Write::DeletePool { .. } => Phase::DeletePool,
            Write::DeleteGroup { .. } => Phase::DeleteGroup,
            Write::DeleteRealm { .. } => Phase::DeleteRealm,
            Write::Acl(AclBatch { change: AclChange::Grant { .. }, .. }) => Phase::Grant,
            Write::Acl(AclBatch { change: AclChange::Revoke, .. }) => Phase::Revoke,
        },
    }
}

fn phase_steps(operations: Vec<Operation>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut entries: BTreeMap<AclKey, (AclChange, Operation)> = BTreeMap::new();
    for operation in operations {
        match &operation.act {
            Act::Grant { key, propagate } => {
                entries.insert(key.clone(), (AclChange::Grant { propagate: *propagate }, operation));
            }
            Act::Revoke { key } => drop(entries.insert(key.clone(), (AclChange::Revoke, operation))),
            Act::Write(write) => steps.push(Step {
                write: write.clone(),
                owners: operation.owners.iter().map(|owner| (*owner, operation.claim.clone())).collect(),
                claims: BTreeSet::from([operation.claim]),
                after: operation.after,
                purpose: operation.purpose,
            }),
        }
    }
    // Pools: parents are made before what is nested in them, and removed after it.
    steps.sort_by(|a, b| match (&a.write, &b.write) {
        (Write::DeletePool { pool: a }, Write::DeletePool { pool: b }) => b.cmp(a),
        _ => std::cmp::Ordering::Equal,
    });
    for batch in batches::fold(entries.iter().map(|(key, (change, _))| (key.clone(), *change))) {
        steps.push(batch_step(batch, &mut entries));
    }
    steps
}

fn batch_step(batch: AclBatch, entries: &mut BTreeMap<AclKey, (AclChange, Operation)>) -> Step {
    let (mut claims, mut owners, mut after) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
    let mut purpose = None;
    for key in batch.entries() {
        // Two products of one fold may share entries: the first request that names one answers for it.
        let Some((_, operation)) = entries.remove(&key) else { continue };
        owners.extend(operation.owners.iter().map(|owner| (*owner, operation.claim.clone())));
        after.extend(operation.after);
        claims.insert(operation.claim);
        purpose.get_or_insert(operation.purpose);
    }
    Step { write: Write::Acl(batch), claims, owners, after, purpose: purpose.unwrap_or(Purpose::Create) }
}

impl Step {
    /// Two halves, each with its own claims, to find what of a request made it fail; `None` when there is nothing to
    /// find: a path is the same for all of a request, and the right to grant something depends on the role only.
    pub fn split(&self, kind: FailureKind) -> Option<(Self, Self)> {
        let Write::Acl(batch) = &self.write else { return None };
        let (left, right) = match kind {
            FailureKind::Invalid => return None,
            FailureKind::Forbidden => batch.split_roles()?,
            _ => batch.split()?,
        };
        let part = |batch: AclBatch| {
            let claims: BTreeSet<Claim> =
                batch.entries().map(Claim::Acl).filter(|claim| self.claims.contains(claim)).collect();
            let owners = self.owners.iter().filter(|(_, claim)| claims.contains(claim)).cloned().collect();
            Self { write: Write::Acl(batch), owners, claims, after: self.after.clone(), purpose: self.purpose.clone() }
        };
        Some((part(left), part(right)))
    }
}
