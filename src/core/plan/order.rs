//! A safe order, and ACL entries folded to requests.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::batches;
use crate::core::claim::Claim;
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

/// Orders operations and folds entries.
pub(super) fn steps(operations: Vec<Operation>) -> Vec<Step> {
    let granted: BTreeSet<(AclPath, Subject)> = operations
        .iter()
        .filter_map(|operation| match &operation.act {
            Act::Grant { key, .. } => Some((key.path.clone(), key.subject.clone())),
            Act::Write(_) | Act::Revoke { .. } => None,
        })
        .collect();
    let mut phases: BTreeMap<Phase, Vec<Operation>> = BTreeMap::new();
    for operation in operations {
        phases.entry(phase(&operation.act, &granted)).or_default().push(operation);
    }
    phases.into_values().flat_map(phase_steps).collect()
}

/// The order in which single operations take effect, for judging them one by one.
pub(super) fn sorted(operations: &mut [Operation]) {
    let granted = BTreeSet::new();
    operations.sort_by_key(|operation| phase(&operation.act, &granted));
}

fn phase(act: &Act, granted: &BTreeSet<(AclPath, Subject)>) -> Phase {
    match act {
        Act::Grant { key, .. } if key.role.as_str() == NO_ACCESS => Phase::Deny,
        Act::Grant { .. } => Phase::Grant,
        Act::Revoke { key } if granted.contains(&(key.path.clone(), key.subject.clone())) => Phase::Replace,
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
    /// Two halves, each with its own claims; `None` when there is nothing to split.
    pub fn split(&self) -> Option<(Self, Self)> {
        let Write::Acl(batch) = &self.write else { return None };
        let (left, right) = batch.split()?;
        let part = |batch: AclBatch| {
            let claims: BTreeSet<Claim> =
                batch.entries().map(Claim::Acl).filter(|claim| self.claims.contains(claim)).collect();
            let owners = self.owners.iter().filter(|(_, claim)| claims.contains(claim)).cloned().collect();
            Self { write: Write::Acl(batch), owners, claims, after: self.after.clone(), purpose: self.purpose.clone() }
        };
        Some((part(left), part(right)))
    }
}
