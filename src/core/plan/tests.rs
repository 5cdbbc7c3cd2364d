//! Behaviour of the plan, as sentences; and that planning then applying ends where it should, whatever is claimed.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::core::claim::{Content, Entry, Origin, Progress, Wanted, from_rows, to_rows};
use crate::core::ids::{AclKey, AclPath, GroupId, PoolId, RoleId, Subject, TokenId, UserId};
use crate::core::object::{Adoption, Mode};
use crate::core::snapshot::{Credential, Group, HeldPermissions, Pool, Realms, Role};

fn group(id: &str) -> Claim {
    Claim::Group(GroupId::parse(id).expect("a group id"))
}

fn pool(id: &str) -> Claim {
    Claim::Pool(PoolId::parse(id).expect("a pool id"))
}

fn entry(path: &str, role: &str, group: &str) -> Claim {
    Claim::Acl(AclKey {
        path: AclPath::parse(path).expect("a path"),
        subject: Subject::Group(GroupId::parse(group).expect("a group id")),
        role: RoleId::parse(role).expect("a role id"),
    })
}

fn wanted(claim: Claim) -> Wanted {
    let content = match &claim {
        Claim::Group(_) => Content::Group { comment: None },
        Claim::Pool(_) => Content::Pool { comment: None },
        Claim::Acl(_) => Content::Acl { propagate: true },
        Claim::Realm(_) => unreachable!("no test wants a realm this way"),
    };
    Wanted { claim, content, needs: Vec::new() }
}

fn object(name: &str, claims: impl IntoIterator<Item = Claim>) -> Object {
    Object {
        key: ObjectKey { kind: "Test", namespace: "default".to_owned(), name: name.to_owned() },
        created: 0,
        settled: false,
        mode: Mode::Manage,
        adoption: Adoption::IfIdentical,
        deletion: None,
        ledger: Ledger::new(),
        wanted: claims.into_iter().map(wanted).collect(),
        refusals: Vec::new(),
    }
}

fn permissions(held: &[(&str, &[&str])]) -> HeldPermissions {
    let all = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), true)).collect();
    HeldPermissions(held.iter().map(|(path, names)| ((*path).to_owned(), all(names))).collect())
}

const ALL: &[&str] =
    &["Sys.Audit", "Group.Allocate", "User.Modify", "Permissions.Modify", "Pool.Allocate", "Pool.Audit"];

/// An empty PVE, seen by a credential with all it needs.
fn empty() -> Snapshot {
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

fn with(mut snapshot: Snapshot, claims: impl IntoIterator<Item = Claim>) -> Snapshot {
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

fn stands(snapshot: &Snapshot) -> BTreeSet<Claim> {
    let groups = snapshot.groups.iter().flat_map(|groups| groups.keys().cloned().map(Claim::Group));
    let pools = snapshot.pools.iter().flat_map(|pools| pools.keys().cloned().map(Claim::Pool));
    let acl = snapshot.acl.iter().flat_map(|acl| acl.keys().cloned().map(Claim::Acl));
    groups.chain(pools).chain(acl).collect()
}

fn one(objects: &[Object], snapshot: &Snapshot) -> Plan {
    plan(&Input { objects, snapshot, memory: &Memory::default(), frozen: None, now: 0 })
}

/// Plans, stores the ledgers, applies the steps, and once more until nothing is left to do.
fn settle(objects: &mut [Object], snapshot: &mut Snapshot) -> Vec<Write> {
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

fn refusal(plan: &Plan, object: usize) -> (Reason, String) {
    match plan.verdicts[object].worst() {
        Some(ClaimState::Refused(refusal)) => (refusal.reason, refusal.message.clone()),
        other => panic!("not refused but {other:?}"),
    }
}

#[test]
fn a_group_and_its_entry_are_made_in_one_go_and_go_with_their_objects() {
    let mut objects = [object("entry", [entry("/", "A", "g")]), object("group", [group("g")])];
    let mut snapshot = empty();
    let writes = settle(&mut objects, &mut snapshot);
    assert!(matches!(&writes[..], [Write::CreateGroup { .. }, Write::Acl(_)]), "{writes:?}");
    for object in &mut objects {
        object.mode = Mode::Deleting;
        object.wanted.clear();
    }
    let writes = settle(&mut objects, &mut snapshot);
    assert!(matches!(&writes[..], [Write::Acl(_), Write::DeleteGroup { .. }]), "{writes:?}");
    assert!(stands(&snapshot).is_empty());
    assert!(objects.iter().all(|object| object.ledger.is_empty()));
}

#[test]
fn what_stands_identically_is_adopted_and_stays_when_the_object_goes() {
    let mut objects = [object("group", [group("g")])];
    let mut snapshot = with(empty(), [group("g")]);
    assert!(settle(&mut objects, &mut snapshot).is_empty());
    assert_eq!(objects[0].ledger[&group("g")], Entry { origin: Origin::Adopted, progress: Progress::Applied });
    objects[0].mode = Mode::Deleting;
    objects[0].wanted.clear();
    let plan = one(&objects, &snapshot);
    assert_eq!(plan.verdicts[0].left, [group("g")]);
    assert!(plan.verdicts[0].ledger.is_empty() && plan.steps.is_empty());
}

#[test]
fn what_stands_otherwise_is_refused_with_the_field_until_the_policy_allows_it() {
    let mut with_comment = object("group", [group("g")]);
    with_comment.wanted[0].content = Content::Group { comment: Some("ours".to_owned()) };
    let mut objects = [with_comment];
    let mut snapshot = with(empty(), [group("g")]);
    let plan = one(&objects, &snapshot);
    let (reason, message) = refusal(&plan, 0);
    assert_eq!(reason, Reason::AlreadyExists);
    assert!(message.contains("comment") && plan.steps.is_empty(), "{message}");
    objects[0].adoption = Adoption::Always;
    assert_eq!(settle(&mut objects, &mut snapshot).len(), 1);
    assert_eq!(objects[0].ledger[&group("g")].origin, Origin::Adopted);
}

#[test]
fn a_thing_that_vanished_is_made_again_and_is_ours_then() {
    let mut objects = [object("group", [group("g")])];
    objects[0].ledger.insert(group("g"), Entry { origin: Origin::Adopted, progress: Progress::Applied });
    let mut snapshot = empty();
    let plan = one(&objects, &snapshot);
    assert_eq!(plan.steps[0].purpose, Purpose::Restore);
    settle(&mut objects, &mut snapshot);
    assert_eq!(objects[0].ledger[&group("g")], Entry { origin: Origin::Created, progress: Progress::Applied });
}

#[test]
fn absence_counts_only_where_the_credential_can_see() {
    let mut objects =
        [object("group", [group("g")]), object("pool", [pool("p")]), object("entry", [entry("/", "A", "x")])];
    for object in &mut objects {
        let claim = object.wanted[0].claim.clone();
        object.ledger.insert(claim, Entry { origin: Origin::Created, progress: Progress::Applied });
    }
    let mut blind = empty();
    blind.permissions = permissions(&[("/vms", &["VM.Audit"])]);
    for deleting in [false, true] {
        for object in &mut objects {
            object.mode = if deleting { Mode::Deleting } else { Mode::Manage };
        }
        let plan = one(&objects, &blind);
        assert!(plan.steps.is_empty());
        for (index, object) in objects.iter().enumerate() {
            let expected = if deleting { Reason::DeletionBlocked } else { Reason::Forbidden };
            assert_eq!(refusal(&plan, index).0, expected);
            assert_eq!(plan.verdicts[index].ledger, object.ledger, "nothing is forgotten");
        }
    }
}

#[test]
fn an_entry_hidden_by_a_deeper_no_access_is_not_taken_for_gone() {
    // Group.Allocate on /access/groups is passed on, but an entry for us at /access/groups/g takes it away: the path
    // has an entry and is not among the permissions.
    let mut objects = [object("group", [group("g")])];
    objects[0].ledger.insert(group("g"), Entry { origin: Origin::Created, progress: Progress::Applied });
    objects[0].mode = Mode::Deleting;
    let snapshot = with(empty(), [entry("/access/groups/g", "NoAccess", "ops")]);
    assert_eq!(refusal(&one(&objects, &snapshot), 0).0, Reason::DeletionBlocked);
}

#[test]
fn where_sight_is_uncertain_pve_itself_is_asked_by_the_removal() {
    let mut objects = [object("group", [group("g")])];
    objects[0].ledger.insert(group("g"), Entry { origin: Origin::Created, progress: Progress::Applied });
    objects[0].mode = Mode::Deleting;
    let mut snapshot = empty();
    snapshot.permissions = permissions(&[("/access/groups", &["Group.Allocate"])]);
    let plan = one(&objects, &snapshot);
    assert_eq!(plan.steps.len(), 1);
    let memory = Memory { confirmed_gone: BTreeSet::from([group("g")]), ..Memory::default() };
    let plan = super::plan(&Input { objects: &objects, snapshot: &snapshot, memory: &memory, frozen: None, now: 0 });
    assert!(plan.steps.is_empty() && plan.verdicts[0].ledger.is_empty());
}

#[test]
fn two_objects_for_one_group_conflict_and_the_loser_inherits() {
    let mut older = object("older", [group("g")]);
    older.created = -1;
    let mut objects = [object("a-younger", [group("g")]), older];
    let mut snapshot = empty();
    settle(&mut objects, &mut snapshot);
    let (reason, message) = refusal(&one(&objects, &snapshot), 0);
    assert_eq!(reason, Reason::Conflict);
    assert!(message.contains("Test older"), "{message}");
    objects[1].mode = Mode::Deleting;
    objects[1].wanted.clear();
    assert!(settle(&mut objects, &mut snapshot).is_empty(), "nothing is deleted or made");
    assert_eq!(objects[0].ledger[&group("g")].origin, Origin::Created);
    assert!(objects[1].ledger.is_empty());
}

#[test]
fn the_last_holder_of_a_shared_entry_removes_it() {
    let claim = || entry("/vms", "A", "g");
    let mut objects = [object("first", [claim()]), object("second", [])];
    let mut snapshot = with(empty(), [group("g")]);
    settle(&mut objects, &mut snapshot);
    objects[1].wanted.push(wanted(claim()));
    settle(&mut objects, &mut snapshot);
    for (leaving, remaining) in [(0, 1), (1, 0)] {
        objects[leaving].mode = Mode::Deleting;
        objects[leaving].wanted.clear();
        settle(&mut objects, &mut snapshot);
        assert_eq!(stands(&snapshot).contains(&claim()), remaining == 1);
    }
}

#[test]
fn a_group_that_a_live_object_uses_is_not_deleted() {
    let mut objects = [object("group", [group("g")]), object("entry", [entry("/", "A", "g")])];
    let mut snapshot = empty();
    settle(&mut objects, &mut snapshot);
    objects[0].mode = Mode::Deleting;
    objects[0].wanted.clear();
    let (reason, message) = refusal(&one(&objects, &snapshot), 0);
    assert_eq!(reason, Reason::DeletionBlocked);
    assert!(message.contains("Test entry"), "{message}");
}

#[test]
fn a_missing_role_group_user_or_parent_is_named_and_nothing_is_intended() {
    let user = Claim::Acl(AclKey {
        path: AclPath::root(),
        subject: Subject::User(UserId::observed("alice@PocketID")),
        role: RoleId::observed("A"),
    });
    for (claim, names) in [
        (entry("/", "Nope", "g"), "role Nope"),
        (entry("/", "A", "nobody"), "group nobody"),
        (user, "alice@PocketID"),
        (pool("a/b"), "pool a"),
    ] {
        let objects = [object("it", [claim])];
        let plan = one(&objects, &with(empty(), [group("g")]));
        let (reason, message) = refusal(&plan, 0);
        assert_eq!(reason, Reason::DependencyNotReady);
        assert!(message.contains(names), "{message}");
        assert!(plan.steps.is_empty() && plan.verdicts[0].ledger.is_empty());
    }
}

#[test]
fn an_existing_thing_is_not_ours_because_we_once_intended_it() {
    let mut objects = [object("group", [group("g")])];
    objects[0].wanted[0].content = Content::Group { comment: Some("ours".to_owned()) };
    objects[0].ledger.insert(group("g"), Entry { origin: Origin::Created, progress: Progress::Intended });
    let snapshot = with(empty(), [group("g")]);
    let failure = Failure { kind: FailureKind::AlreadyExists, message: "exists".to_owned() };
    let mut memory = Memory::default();
    memory.failures.insert(group("g"), FailedClaim { failure, retry_at: 0, tries: 1 });
    let plan = plan(&Input { objects: &objects, snapshot: &snapshot, memory: &memory, frozen: None, now: 1 });
    assert_eq!(refusal(&plan, 0).0, Reason::AlreadyExists);
    assert!(plan.verdicts[0].ledger.is_empty());
    assert_eq!(one(&objects, &snapshot).steps.len(), 1, "without that answer, intended and standing is ours");
}

#[test]
fn a_suspended_object_keeps_what_it_owns_and_writes_nothing() {
    let mut objects = [object("group", [group("g")]), object("other", [group("g")])];
    let mut snapshot = empty();
    settle(&mut objects[..1], &mut snapshot);
    objects[0].mode = Mode::Suspended;
    let mut drifted = empty();
    assert!(settle(&mut objects, &mut drifted).is_empty());
    assert_eq!(refusal(&one(&objects, &drifted), 1).0, Reason::Conflict);
    objects[0].mode = Mode::DeletingSuspended;
    assert!(!one(&objects[..1], &snapshot).verdicts[0].ledger.is_empty(), "its deletion waits");
}

#[test]
fn an_observer_writes_nothing_and_tells_the_difference() {
    let mut objects = [object("group", [group("g")])];
    objects[0].mode = Mode::Observe;
    let plan = one(&objects, &empty());
    assert_eq!(plan.verdicts[0].claims[&group("g")], ClaimState::Differs(None));
    assert!(plan.steps.is_empty() && plan.verdicts[0].ledger.is_empty());
}

#[test]
fn revocations_come_first_and_a_replaced_role_goes_after_its_replacement() {
    let mut objects = [object("replace", [entry("/vms", "A", "g")]), object("revoke", [entry("/pool", "A", "g")])];
    let mut snapshot = with(empty(), [group("g")]);
    settle(&mut objects, &mut snapshot);
    objects[0].wanted = vec![wanted(entry("/vms", "B", "g")), wanted(entry("/vms", "NoAccess", "g"))];
    objects[1].wanted = vec![wanted(entry("/storage", "A", "g"))];
    let order: Vec<_> = one(&objects, &snapshot).steps.into_iter().flat_map(|step| step.claims).collect();
    let expected = [
        entry("/pool", "A", "g"),
        entry("/vms", "NoAccess", "g"),
        entry("/storage", "A", "g"),
        entry("/vms", "B", "g"),
        entry("/vms", "A", "g"),
    ];
    assert_eq!(order, expected);
}

#[test]
fn while_an_object_cannot_be_read_nothing_is_removed() {
    let mut objects = [object("group", [group("g")])];
    let mut snapshot = empty();
    settle(&mut objects, &mut snapshot);
    objects[0].mode = Mode::Deleting;
    objects[0].wanted.clear();
    let memory = Memory::default();
    let frozen = Some("ProxmoxAcl x cannot be read");
    let plan = plan(&Input { objects: &objects, snapshot: &snapshot, memory: &memory, frozen, now: 0 });
    assert!(plan.steps.is_empty());
    assert!(refusal(&plan, 0).1.contains("ProxmoxAcl x"));
}

#[test]
fn entries_on_a_nested_pool_go_with_it() {
    let mut objects = [object("pool", [pool("a/b")])];
    let mut snapshot = with(empty(), [pool("a"), group("g")]);
    settle(&mut objects, &mut snapshot);
    let mut snapshot = with(snapshot, [entry("/pool/a/b", "A", "g"), entry("/pool/a", "A", "g")]);
    objects[0].mode = Mode::Deleting;
    objects[0].wanted.clear();
    settle(&mut objects, &mut snapshot);
    assert_eq!(stands(&snapshot), BTreeSet::from([pool("a"), group("g"), entry("/pool/a", "A", "g")]));
}

#[test]
fn a_change_that_would_lock_the_operator_out_is_refused_and_the_rest_goes_on() {
    let ops = |path: &str, role: &str| {
        Claim::Acl(AclKey {
            path: AclPath::observed(path),
            subject: Subject::User(UserId::observed("ops@pve")),
            role: RoleId::observed(role),
        })
    };
    let mut snapshot = with(empty(), [ops("/", "Ops"), group("g")]);
    let all = ALL.iter().map(|name| (*name).to_owned()).collect();
    let roles = snapshot.roles.as_mut().expect("read");
    roles.insert(RoleId::observed("Ops"), Role { privileges: all, special: false });
    // A role on a deeper path replaces what comes from above, so that granting can take away.
    for (claim, refused) in [
        (ops("/access", "A"), true),
        (ops("/", "NoAccess"), true),
        (ops("/vms", "A"), false),
        (ops("/access", "Ops"), false),
    ] {
        let objects = [object("own", [claim.clone()]), object("other", [group("new"), entry("/", "A", "g")])];
        let plan = one(&objects, &snapshot);
        let steps: BTreeSet<Claim> = plan.steps.iter().flat_map(|step| step.claims.clone()).collect();
        assert_eq!(steps.contains(&claim), !refused, "{claim}");
        assert!(steps.contains(&group("new")) && steps.contains(&entry("/", "A", "g")));
        if refused {
            assert_eq!(refusal(&plan, 0).0, Reason::WouldLockOut);
            assert!(plan.verdicts[0].ledger.is_empty());
        }
    }
    let mut held = object("own", []);
    held.ledger.insert(ops("/", "Ops"), Entry { origin: Origin::Created, progress: Progress::Applied });
    held.mode = Mode::Deleting;
    let (reason, message) = refusal(&one(&[held, object("other", [group("g")])], &snapshot), 0);
    assert_eq!(reason, Reason::DeletionBlocked);
    assert!(message.contains("by hand"), "{message}");
}

/// A small world in which claims meet often.
fn any_claim() -> impl Strategy<Value = Claim> {
    let path = prop::sample::select(vec!["/", "/vms", "/pool/a/b"]);
    let role = prop::sample::select(vec!["A", "B", "NoAccess"]);
    let id = prop::sample::select(vec!["g1", "g2", "g3"]);
    prop_oneof![
        3 => (path, role, id.clone()).prop_map(|(path, role, id)| entry(path, role, id)),
        1 => id.prop_map(group),
        1 => prop::sample::select(vec!["a", "a/b", "c"]).prop_map(pool),
    ]
}

fn any_claims() -> impl Strategy<Value = BTreeSet<Claim>> {
    prop::collection::btree_set(any_claim(), 0..12)
}

proptest! {
    #[test]
    fn planning_then_applying_gives_what_was_wanted_and_nothing_more(
        first in prop::collection::vec(any_claims(), 1..5),
        second in prop::collection::vec(any_claims(), 5),
        foreign in any_claims(),
        deleted in prop::collection::vec(any::<bool>(), 5),
    ) {
        let mut snapshot = with(empty(), foreign.iter().cloned());
        let mut objects: Vec<Object> =
            first.iter().enumerate().map(|(i, claims)| object(&format!("o{i}"), claims.iter().cloned())).collect();
        settle(&mut objects, &mut snapshot);
        // The specs change, and some objects are deleted.
        for (index, object) in objects.iter_mut().enumerate() {
            object.wanted.clear();
            if deleted[index] {
                object.mode = Mode::Deleting;
            } else {
                object.wanted = second[index].iter().cloned().map(wanted).collect();
            }
        }
        settle(&mut objects, &mut snapshot);
        let plan = one(&objects, &snapshot);
        prop_assert!(plan.steps.is_empty(), "a second plan is empty");
        let now = stands(&snapshot);
        let mut explained: BTreeSet<Claim> = foreign.clone();
        for (object, verdict) in objects.iter().zip(&plan.verdicts) {
            for (claim, state) in &verdict.claims {
                match state {
                    ClaimState::Standing => prop_assert!(now.contains(claim)),
                    ClaimState::Refused(_) => {}
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            explained.extend(object.ledger.keys().cloned());
        }
        prop_assert!(now.is_subset(&explained), "{now:?} {explained:?}");
    }

    #[test]
    fn a_ledger_reads_back_as_it_was_stored(claims in prop::collection::btree_map(any_claim(), any::<(bool, bool)>(), 0..40)) {
        let ledger: Ledger = claims
            .into_iter()
            .map(|(claim, (created, applied))| {
                let origin = if created { Origin::Created } else { Origin::Adopted };
                let progress = if applied { Progress::Applied } else { Progress::Intended };
                (claim, Entry { origin, progress })
            })
            .collect();
        prop_assert_eq!(from_rows(&to_rows(&ledger)), Ok(ledger));
    }
}
