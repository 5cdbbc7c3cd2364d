//! How long the permission model takes on a Proxmox VE of 10,000 users and 10,000 ACL entries.

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use proxmox_identity::core::ids::{AclKey, AclPath, GroupId, PoolId, RoleId, Subject, TokenId, UserId};
use proxmox_identity::core::permissions::Directory;
use proxmox_identity::core::snapshot::{Credential, Group, HeldPermissions, Pool, Realms, Role, Snapshot, Token, User};
use proxmox_identity::core::version::PveVersion;

const USERS: usize = 10_000;
const ENTRIES: usize = 10_000;
const GROUPS: usize = 200;
const POOLS: usize = 100;
const ROLES: usize = 20;
const NOW: i64 = 1_700_000_000;

fn user(number: usize) -> UserId {
    UserId::observed(&format!("user{number}@corp"))
}

fn group(number: usize) -> GroupId {
    GroupId::observed(&format!("team{number}-corp"))
}

/// Each user in three groups, every tenth with a token; two of three entries for groups, on guests, storages, pools and
/// nodes, and a few on `/`.
fn snapshot() -> Snapshot {
    let groups_of = |number: usize| [number, number * 7 + 1, number * 31 + 2].map(|it| it % GROUPS);
    let mut groups: BTreeMap<GroupId, Group> = (0..GROUPS).map(|it| (group(it), Group::default())).collect();
    let mut users = BTreeMap::new();
    for number in 0..USERS {
        let id = user(number);
        let mut it = User::default();
        for of in groups_of(number).map(group) {
            groups.get_mut(&of).expect("the group").members.insert(id.clone());
            it.groups.insert(of);
        }
        if number % 10 == 0 {
            it.tokens.insert(TokenId::observed(&format!("{id}!ci")), Token::default());
        }
        users.insert(id, it);
    }
    let privileges = |role: usize| (0..=role).map(|it| format!("Area{}.Verb{it}", it % 7)).collect();
    let mut roles: BTreeMap<RoleId, Role> = (0..ROLES)
        .map(|it| (RoleId::observed(&format!("Role{it}")), Role { privileges: privileges(it), special: false }))
        .collect();
    let everything = privileges(ROLES).into_iter().chain(["Permissions.Modify".to_owned()]).collect();
    roles.insert(RoleId::observed("Administrator"), Role { privileges: everything, special: true });
    let pool = |number: usize| PoolId::observed(&format!("pool{}/sub{number}", number % 10));
    let mut acl: BTreeMap<AclKey, bool> = (0..ENTRIES)
        .map(|number| {
            let path = match number % 4 {
                0 => format!("/vms/{}", 100 + number),
                1 => format!("/storage/store{number}"),
                2 => pool(number % POOLS).acl_path().to_string(),
                _ => format!("/nodes/node{}/part{number}", number % 32),
            };
            let subject =
                if number % 3 == 0 { Subject::User(user(number)) } else { Subject::Group(group(number % GROUPS)) };
            let role = RoleId::observed(&format!("Role{}", number % ROLES));
            (AclKey { path: AclPath::observed(&path), subject, role }, number % 5 != 0)
        })
        .collect();
    for (subject, role) in [
        (Subject::Group(group(0)), "Administrator"),
        (Subject::User(user(1)), "Administrator"),
        (Subject::Group(group(1)), "Role3"),
    ] {
        acl.insert(AclKey { path: AclPath::root(), subject, role: RoleId::observed(role) }, true);
    }
    Snapshot {
        credential: Credential::User(UserId::observed(UserId::ROOT)),
        version: PveVersion::observed("9.2.11"),
        permissions: HeldPermissions::default(),
        groups: Ok(groups),
        users: Ok(users),
        roles: Ok(roles),
        acl: Ok(acl),
        realms: Ok(Realms::default()),
        pools: Ok((0..POOLS).map(|it| (pool(it), Pool { comment: String::new(), members: None })).collect()),
        jobs: None,
        resources: None,
    }
}

/// With a hundred members in each pool, which a snapshot shows only where they are managed.
fn directory(snapshot: &Snapshot) -> Directory {
    let mut directory = Directory::of(snapshot).expect("all lists");
    for (number, pool) in directory.pools.values_mut().enumerate() {
        pool.guests = (0..100).map(|it| u64::try_from(number * 100 + it + 100).expect("a small number")).collect();
        pool.storages = BTreeSet::from([format!("store{number}")]);
    }
    directory
}

fn permissions(criterion: &mut Criterion) {
    let snapshot = snapshot();
    let directory = directory(&snapshot);
    let someone = Credential::User(user(4321));
    let path = AclPath::observed("/vms/100");
    let mut group = criterion.benchmark_group("10,000 users, 10,000 entries");
    group.bench_function("everywhere, of one user", |it| {
        it.iter(|| black_box(directory.rights(&someone, NOW).everywhere()));
    });
    group.bench_function("on one path, of one user", |it| {
        it.iter(|| black_box(directory.rights(&someone, NOW).on(&path)));
    });
    let rights = directory.rights(&someone, NOW);
    group.bench_function("on one more path, of the same user", |it| it.iter(|| black_box(rights.on(&path))));
    group.bench_function("from a snapshot to what rights follow from", |it| {
        it.iter(|| black_box(Directory::of(&snapshot)));
    });
    let administrators = || Directory::top(&snapshot).expect("all lists").holders("Permissions.Modify", NOW);
    println!("{} administrators", administrators().users.len());
    group.bench_function("all administrators, from a snapshot", |it| it.iter(|| black_box(administrators())));
    group.finish();
}

criterion_group!(benches, permissions);
criterion_main!(benches);
