//! What the tests of the plan are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::super::*;
pub use crate::api::Reason;
use crate::api::object::System;
use crate::core::claim::{Content, Entry, Ledger, Membership, Origin, PoolItem, Progress, Thing, Wanted};
use crate::core::failure::Failure;
use crate::core::fields::Wishes;
use crate::core::ids::{AclKey, AclPath, GroupId, GuestId, PoolId, RealmId, RoleId, Subject, TokenId, UserId};
use crate::core::ledger::{from_rows, to_rows};
use crate::core::object::{Admission, Adoption, Mode};
pub use crate::core::object::{ObjectKey, Refusal};
use crate::core::snapshot::{Credential, HeldPermissions, Pool, Realm, Realms, Resources, Role, User};
use crate::core::token::{Kept, Token, Wish};
use crate::core::write::{GroupChange, MemberChange, PoolChange};

pub fn group(id: &str) -> Claim {
    Thing::Group(GroupId::parse(id).expect("a group id")).into()
}

pub fn pool(id: &str) -> Claim {
    Thing::Pool(PoolId::parse(id).expect("a pool id")).into()
}

pub fn user(id: &str) -> Claim {
    Thing::User(UserId::parse(id).expect("a user id")).into()
}

pub fn role(id: &str) -> Claim {
    Thing::Role(RoleId::parse(id).expect("a role id")).into()
}

pub fn api_token(id: &str) -> Claim {
    Thing::Token(TokenId::observed(id)).into()
}

pub fn member(group: &str, user: &str) -> Claim {
    Claim::Member(Membership { group: GroupId::observed(group), user: UserId::observed(user) })
}

pub fn guest(pool: &str, number: &str) -> Claim {
    let item = PoolItem::Guest(GuestId::parse(number).expect("a guest"));
    Claim::PoolMember(PoolId::parse(pool).expect("a pool id"), item)
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
        Claim::Thing(Thing::Realm(_) | Thing::SyncJob(_)) => {
            unreachable!("no test wants one this way")
        }
        Claim::Thing(_) => Content::Fields(Wishes::default()),
        Claim::Member(_) => Content::Member,
        Claim::PoolMember(..) => Content::PoolMember { allow_move: false },
        Claim::Acl(_) => Content::Acl { propagate: true },
    };
    Wanted::new(claim, content)
}

pub fn commented(claim: Claim, comment: &str) -> Wanted {
    let mut wishes = Wishes::default();
    wishes.text("comment", Some(comment));
    Wanted::new(claim, Content::Fields(wishes))
}

pub fn object(name: &str, claims: impl IntoIterator<Item = Claim>) -> Object {
    Object {
        key: ObjectKey { kind: "Test", namespace: "default".to_owned(), name: name.to_owned() },
        connection: 0,
        created: 0,
        admission: Admission::Allowed,
        settled: false,
        changed: 0,
        mode: Mode::Manage,
        adoption: Adoption::IfIdentical,
        deletion: None,
        ledger: Ledger::new(),
        written: None,
        token: None,
        roster: None,
        exact: BTreeSet::new(),
        open: BTreeSet::new(),
        wanted: claims.into_iter().map(wanted).collect(),
        refusals: Vec::new(),
        unsure: false,
    }
}

/// What stands and is an object's, in its ledger.
pub fn held(claim: Claim, origin: Origin) -> (Claim, Entry) {
    (claim, Entry { origin, progress: Progress::Applied })
}

/// An object for an API token whose secret was never asked for; its Secret is called as it is.
pub fn token_object(name: &str, token: &str) -> Object {
    let (secret_name, system) = (name.to_owned(), System::ProxmoxVe);
    let wish = Wish { lifetime: None, replace_after: None, rotate_lost: false, requested: None, secret_name, system };
    let secret = Token { wish, issued: None, kept: Kept::Absent, in_hand: false, now: 1 };
    Object { token: Some(secret), ..object(name, [api_token(token)]) }
}

/// A list that could not be read.
pub fn unread<T>() -> Result<T, Failure> {
    Err(Failure { kind: FailureKind::Other, message: "it broke".to_owned() })
}

pub fn permissions(held: &[(&str, &[&str])]) -> HeldPermissions {
    let all = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), true)).collect();
    HeldPermissions(held.iter().map(|(path, names)| ((*path).to_owned(), all(names))).collect())
}

pub const ALL: &[&str] =
    &["Sys.Audit", "Group.Allocate", "User.Modify", "Permissions.Modify", "Pool.Allocate", "Pool.Audit"];

/// An empty PVE, seen by a credential with all it needs.
pub fn empty() -> Snapshot {
    let role = |id: &str| (RoleId::observed(id), Role { privileges: BTreeSet::new(), special: id == "NoAccess" });
    Snapshot {
        credential: Credential::Token(TokenId::observed("ops@pve!token")),
        version: crate::core::version::PveVersion::observed("9.2.11"),
        permissions: permissions(&[("/", ALL), ("/access", ALL), ("/access/groups", ALL), ("/pool", ALL)]),
        groups: Ok(BTreeMap::new()),
        users: Ok(BTreeMap::new()),
        roles: Ok(["A", "B", "C", "NoAccess"].into_iter().map(role).collect()),
        jobs: None,
        resources: Some(Ok(Resources {
            guests: ["100", "101"].into_iter().map(|id| (GuestId::observed(id), None)).collect(),
            storages: BTreeSet::new(),
        })),
        acl: Ok(BTreeMap::new()),
        realms: Ok(Realms {
            digest: None,
            realms: [(
                RealmId::observed("pve"),
                Realm { kind: "pve".to_owned(), default: false, options: Some(Ok(BTreeMap::new())) },
            )]
            .into(),
        }),
        pools: Ok(BTreeMap::new()),
    }
}

/// With these, and with what they cannot be without.
pub fn with(mut snapshot: Snapshot, claims: impl IntoIterator<Item = Claim>) -> Snapshot {
    for claim in claims {
        let parts = match &claim {
            Claim::Thing(_) | Claim::Acl(_) => Vec::new(),
            Claim::Member(Membership { group, user }) => vec![Thing::Group(group.clone()), Thing::User(user.clone())],
            Claim::PoolMember(pool, _) => vec![Thing::Pool(pool.clone())],
        };
        for part in parts {
            if snapshot.shows(&part) == Ok(false) {
                snapshot.apply(&Write::create(part, BTreeMap::new()));
            }
        }
        match claim {
            Claim::Thing(thing) => snapshot.apply(&Write::create(thing, BTreeMap::new())),
            Claim::Member(Membership { group, user }) => {
                let (join, none) = (BTreeSet::from([group]), BTreeSet::new());
                snapshot.apply(&Write::Groups(GroupChange { user, join, leave: none.clone(), stay: none }));
            }
            Claim::PoolMember(pool, item) => {
                let change = MemberChange::Enter { allow_move: true };
                snapshot.apply(&Write::PoolMembers(PoolChange { pool, items: BTreeSet::from([item]), change }));
            }
            Claim::Acl(key) => drop(snapshot.acl.as_mut().expect("read").insert(key, true)),
        }
    }
    snapshot
}

/// Everything that stands and is not built in.
pub fn stands(snapshot: &Snapshot) -> BTreeSet<Claim> {
    let Snapshot {
        credential: _,
        version: _,
        permissions: _,
        groups,
        users,
        roles,
        acl,
        realms: _,
        pools,
        jobs: _,
        resources: _,
    } = snapshot;
    let (groups, users) = (groups.as_ref().expect("read"), users.as_ref().expect("read"));
    let own = |role: &str| !["A", "B", "C", "NoAccess"].contains(&role);
    let mut stands: BTreeSet<Claim> = groups.keys().map(|id| Thing::Group(id.clone()).into()).collect();
    for (id, User { tokens, groups, .. }) in users {
        stands.insert(Thing::User(id.clone()).into());
        stands.extend(tokens.keys().map(|token: &TokenId| Claim::from(Thing::Token(token.clone()))));
        stands.extend(groups.iter().map(|group| member(group.as_str(), id.as_str())));
    }
    let roles = roles.as_ref().expect("read").keys().filter(|id| own(id.as_str()));
    stands.extend(roles.map(|id| Claim::from(Thing::Role(id.clone()))));
    for (id, Pool { members, .. }) in pools.as_ref().expect("read") {
        stands.insert(Thing::Pool(id.clone()).into());
        let members = members.iter().flatten().flatten();
        stands.extend(members.map(|item| Claim::PoolMember(id.clone(), item.clone())));
    }
    stands.extend(acl.as_ref().expect("read").keys().cloned().map(Claim::Acl));
    stands
}

static EVERYTHING: LazyLock<[Policy; 1]> = LazyLock::new(|| [Policy::default()]);

/// Objects that may do everything, at the beginning of time.
pub fn input<'a>(objects: &'a [Object], snapshot: &'a Snapshot, memory: &'a Memory) -> Input<'a> {
    Input { objects, snapshot, memory, policies: EVERYTHING.as_slice(), frozen: None, now: 0 }
}

pub fn one(objects: &[Object], snapshot: &Snapshot) -> Plan {
    plan(&input(objects, snapshot, &Memory::default()))
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
        Some(Trouble::Refused(refusal)) => (refusal.reason, refusal.message.clone()),
        other => panic!("not refused but {other:?}"),
    }
}
