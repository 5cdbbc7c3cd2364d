//! What the tests of the plan are made of.

use std::collections::{BTreeMap, BTreeSet};

use super::super::*;
use crate::core::claim::{Content, Wanted, from_rows, to_rows};
use crate::core::ids::{AclKey, AclPath, GroupId, PoolId, RoleId, Subject, TokenId};
use crate::core::object::{Adoption, Mode};
use crate::core::snapshot::{Credential, Group, HeldPermissions, Pool, Realms, Role};

pub fn group(id: &str) -> Claim {
    Claim::Group(GroupId::parse(id).expect("a group id"))
}

pub fn pool(id: &str) -> Claim {
    Claim::Pool(PoolId::parse(id).expect("a pool id"))
}

pub fn entry(path: &str, role: &str, group: &str) -> Claim {
    Claim::Acl(AclKey {
        path: AclPath::parse(path).expect("a path"),
        subject: Subject::Group(GroupId::parse(group).expect("a group id")),
        role: RoleId::parse(role).expect("a role id"),
    })
}

pub fn wanted(claim: Claim) -> Wanted {
    let content = match &claim {
        Claim::Group(_) => Content::Group { comment: None },
        Claim::Pool(_) => Content::Pool { comment: None },
        Claim::Acl(_) => Content::Acl { propagate: true },
        Claim::Realm(_) => unreachable!("no test wants a realm this way"),
    };
    Wanted { claim, content, needs: Vec::new() }
}

pub fn object(name: &str, claims: impl IntoIterator<Item = Claim>) -> Object {
    Object {
        key: ObjectKey { kind: "Test", namespace: "default".to_owned(), name: name.to_owned() },
        created: 0,
        settled: false,
        changed: 0,
        mode: Mode::Manage,
        adoption: Adoption::IfIdentical,
        deletion: None,
        ledger: Ledger::new(),
        wanted: claims.into_iter().map(wanted).collect(),
        refusals: Vec::new(),
        unsure: false,
    }
}

pub fn permissions(held: &[(&str, &[&str])]) -> HeldPermissions {
    let all = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), true)).collect();
    HeldPermissions(held.iter().map(|(path, names)| ((*path).to_owned(), all(names))).collect())
}

pub const ALL: &[&str] =
    &["Sys.Audit", "Group.Allocate", "User.Modify", "Permissions.Modify", "Pool.Allocate", "Pool.Audit"];

/// An empty PVE, seen by a credential with all it needs.
pub fn empty() -> Snapshot {
    let role = |id: &str| (RoleId::observed(id), Role { privileges: BTreeSet::new(), special: true });
    Snapshot {
        credential: Credential::Token(TokenId::observed("ops@pve!token")),
        permissions: permissions(&[("/", ALL), ("/access", ALL), ("/access/groups", ALL), ("/pool", ALL)]),
        groups: Ok(BTreeMap::new()),
        users: Ok(BTreeMap::new()),
        roles: Ok(["A", "B", "C", "NoAccess"].into_iter().map(role).collect()),
        acl: Ok(BTreeMap::new()),
        realms: Ok(Realms::default()),
        pools: Ok(BTreeMap::new()),
    }
}

pub fn with(mut snapshot: Snapshot, claims: impl IntoIterator<Item = Claim>) -> Snapshot {
    for claim in claims {
        match claim {
            Claim::Group(id) => drop(snapshot.groups.as_mut().expect("read").insert(id, Group::default())),
            Claim::Pool(id) => drop(snapshot.pools.as_mut().expect("read").insert(id, Pool::default())),
            Claim::Acl(key) => drop(snapshot.acl.as_mut().expect("read").insert(key, true)),
            Claim::Realm(_) => unreachable!("no test has a realm this way"),
        }
    }
    snapshot
}

pub fn stands(snapshot: &Snapshot) -> BTreeSet<Claim> {
    let groups = snapshot.groups.iter().flat_map(|groups| groups.keys().cloned().map(Claim::Group));
    let pools = snapshot.pools.iter().flat_map(|pools| pools.keys().cloned().map(Claim::Pool));
    let acl = snapshot.acl.iter().flat_map(|acl| acl.keys().cloned().map(Claim::Acl));
    groups.chain(pools).chain(acl).collect()
}

pub fn one(objects: &[Object], snapshot: &Snapshot) -> Plan {
    plan(&Input { objects, snapshot, memory: &Memory::default(), frozen: None, now: 0 })
}

/// Plans, stores the ledgers, applies the steps, and once more until nothing is left to do.
pub fn settle(objects: &mut [Object], snapshot: &mut Snapshot) -> Vec<Write> {
    let mut writes = Vec::new();
    for _ in 0..4 {
        let plan = one(objects, snapshot);
        for (object, verdict) in objects.iter_mut().zip(&plan.verdicts) {
            object.ledger = from_rows(&to_rows(&verdict.ledger)).expect("a ledger reads back as it was stored");
        }
        if plan.steps.is_empty() {
            return writes;
        }
        for step in plan.steps {
            snapshot.apply(&step.write);
            writes.push(step.write);
        }
    }
    panic!("four plans did not settle it: {objects:#?}");
}

pub fn refusal(plan: &Plan, object: usize) -> (Reason, String) {
    match plan.verdicts[object].worst() {
        Some(ClaimState::Refused(refusal)) => (refusal.reason, refusal.message.clone()),
        other => panic!("not refused but {other:?}"),
    }
}
