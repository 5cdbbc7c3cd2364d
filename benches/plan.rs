//! How long a plan of 100,000 ACL entries takes, and folding entries into requests.

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use proxmox_identity::core::batches::fold;
use proxmox_identity::core::claim::{Claim, Content, Entry, Ledger, Origin, Progress, Wanted};
use proxmox_identity::core::ids::{AclKey, AclPath, GroupId, RoleId, Subject, UserId};
use proxmox_identity::core::object::{Admission, Adoption, Mode, Object, ObjectKey};
use proxmox_identity::core::plan::{ClaimState, Input, Memory, Plan, plan};
use proxmox_identity::core::policy::Policy;
use proxmox_identity::core::snapshot::{Credential, Group, HeldPermissions, Realms, Role, Snapshot, User};
use proxmox_identity::core::version::PveVersion;
use proxmox_identity::core::write::AclChange;

const PATHS: usize = 1000;
const GROUPS: usize = 100;

fn group(number: usize) -> GroupId {
    GroupId::observed(&format!("team{number}-corp"))
}

fn entry(path: usize, of: usize) -> AclKey {
    AclKey {
        path: AclPath::observed(&format!("/vms/{}", 100 + path)),
        subject: Subject::Group(group(of)),
        role: RoleId::observed("PVEVMUser"),
    }
}

fn entries() -> impl Iterator<Item = AclKey> {
    (0..PATHS).flat_map(|path| (0..GROUPS).map(move |of| entry(path, of)))
}

/// What root sees.
fn snapshot(acl: BTreeMap<AclKey, bool>) -> Snapshot {
    let held = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), true)).collect();
    let permissions = [("/", held(&["Permissions.Modify", "Sys.Audit"])), ("/access", held(&["Sys.Audit"]))];
    let role = Role { privileges: BTreeSet::from(["VM.Audit".to_owned()]), special: true };
    Snapshot {
        credential: Credential::User(UserId::observed(UserId::ROOT)),
        version: PveVersion::observed("9.2.11"),
        permissions: HeldPermissions(permissions.map(|(path, held)| (path.to_owned(), held)).into()),
        groups: Ok((0..GROUPS).map(|it| (group(it), Group::default())).collect()),
        users: Ok([(UserId::observed(UserId::ROOT), User::default())].into()),
        roles: Ok([(RoleId::observed("PVEVMUser"), role)].into()),
        acl: Ok(acl),
        realms: Ok(Realms::default()),
        pools: Ok(BTreeMap::new()),
        jobs: None,
        resources: None,
    }
}

/// An object that claims these entries, and holds them already or not.
fn object(number: usize, claims: Vec<AclKey>, holds: bool) -> Object {
    let entry = Entry { origin: Origin::Created, progress: Progress::Applied };
    let ledger = |claims: &[AclKey]| claims.iter().map(|key| (Claim::Acl(key.clone()), entry)).collect();
    Object {
        key: ObjectKey { kind: "ProxmoxAcl", namespace: "ops".to_owned(), name: format!("entries-{number}") },
        connection: 0,
        created: 1_700_000_000,
        settled: holds,
        admission: Admission::Allowed,
        changed: 1,
        mode: Mode::Manage,
        adoption: Adoption::IfIdentical,
        deletion: None,
        ledger: if holds { ledger(&claims) } else { Ledger::new() },
        written: None,
        token: None,
        roster: None,
        wanted: claims.into_iter().map(|key| Wanted::new(Claim::Acl(key), Content::Acl { propagate: true })).collect(),
        exact: BTreeSet::new(),
        open: BTreeSet::new(),
        refusals: Vec::new(),
        unsure: false,
    }
}

fn planned(objects: &[Object], snapshot: &Snapshot) -> Plan {
    let (memory, policies) = (Memory::default(), [Policy::default()]);
    plan(&Input { objects, snapshot, memory: &memory, policies: &policies, frozen: None, now: 0 })
}

fn plans(criterion: &mut Criterion) {
    let mut benchmarks = criterion.benchmark_group("plan of 100,000 entries");
    benchmarks.sample_size(10).sampling_mode(SamplingMode::Flat);
    let of_paths = |holds: bool| -> Vec<Object> {
        (0..PATHS).map(|path| object(path, (0..GROUPS).map(|of| entry(path, of)).collect(), holds)).collect()
    };
    let (empty, full) = (snapshot(BTreeMap::new()), snapshot(entries().map(|key| (key, true)).collect()));
    let (fresh, settled) = (of_paths(false), of_paths(true));
    assert_eq!(planned(&fresh, &empty).steps.len(), PATHS, "a request for each path");
    benchmarks.bench_function("all to be made", |it| it.iter(|| black_box(planned(&fresh, &empty))));
    let plan = planned(&settled, &full);
    assert!(plan.verdicts.iter().all(|it| it.claims.values().all(|state| *state == ClaimState::Standing)));
    benchmarks.bench_function("all stand", |it| it.iter(|| black_box(planned(&settled, &full))));
    let single: Vec<Object> = entries().enumerate().map(|(number, key)| object(number, vec![key], true)).collect();
    assert!(planned(&single, &full).steps.is_empty(), "all stands");
    benchmarks.bench_function("an object for each stands", |it| it.iter(|| black_box(planned(&single, &full))));
    benchmarks.finish();
}

fn batches(criterion: &mut Criterion) {
    let mut benchmarks = criterion.benchmark_group("batches");
    benchmarks.sample_size(10).sampling_mode(SamplingMode::Flat);
    let grant = AclChange::Grant { propagate: true };
    let all: Vec<AclKey> = entries().collect();
    let fold_all = |entries: &[AclKey]| fold(entries.iter().map(|key| (key.clone(), grant)));
    benchmarks.bench_function("100,000 entries on 1,000 paths", |it| it.iter(|| black_box(fold_all(&all))));
    // Who has which of 20 roles looks like chance, so that there is little to fold.
    let mixed: Vec<AclKey> = (0..10_000usize)
        .map(|number| AclKey {
            path: AclPath::root(),
            subject: Subject::User(UserId::observed(&format!("user{}@corp", number / 2))),
            role: RoleId::observed(&format!("Role{}", number.wrapping_mul(2_654_435_761) % 20)),
        })
        .collect();
    println!("{} requests for 10,000 entries on one path", fold_all(&mixed).len());
    benchmarks.bench_function("10,000 entries on one path", |it| it.iter(|| black_box(fold_all(&mixed))));
    benchmarks.finish();
}

criterion_group!(benches, plans, batches);
criterion_main!(benches);
