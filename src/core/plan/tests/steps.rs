//! What is done, what is refused, and in which order.

use std::collections::{BTreeMap, BTreeSet};

use super::fixtures::*;
use crate::core::claim::{Content, Entry, Origin, Progress, Thing, Wanted};
use crate::core::failure::{Failure, FailureKind};
use crate::core::ids::{AclKey, AclPath, RealmId, RoleId, Subject, UserId};
use crate::core::object::{Adoption, Mode};
use crate::core::plan::*;
use crate::core::realm::RealmContent;
use crate::core::snapshot::{OptionValue, Role};

#[test]
fn a_group_and_its_entry_are_made_in_one_go_and_go_with_their_objects() {
    let mut objects = [object("entry", [entry("/", "A", "g")]), object("group", [group("g")])];
    let mut snapshot = empty();
    let writes = settle(&mut objects, &mut snapshot);
    assert!(matches!(&writes[..], [Write::Create { .. }, Write::Acl(_)]), "{writes:?}");
    for object in &mut objects {
        object.mode = Mode::Deleting;
        object.wanted.clear();
    }
    let writes = settle(&mut objects, &mut snapshot);
    assert!(matches!(&writes[..], [Write::Acl(_), Write::Delete { .. }]), "{writes:?}");
    assert!(stands(&snapshot).is_empty());
    assert!(objects.iter().all(|object| object.ledger.is_empty()));
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
    assert_eq!(one(&objects, &snapshot).steps.len(), 1);
    let memory = Memory { confirmed_gone: BTreeSet::from([group("g")]), ..Memory::default() };
    let plan = plan(&input(&objects, &snapshot, &memory));
    assert!(plan.steps.is_empty() && plan.verdicts[0].ledger.is_empty());
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
fn what_was_meant_by_a_group_or_role_that_is_missing_is_said() {
    for (claim, hint) in [
        (entry("/", "A", "staff"), "did you mean staff-PocketID? Else create it with a ProxmoxGroup"),
        (entry("/", "A", "opss"), "did you mean ops? Else create it with a ProxmoxGroup"),
        (entry("/", "A", "planed"), "did you mean planned? Else create it with a ProxmoxGroup"),
        (entry("/", "A", "elsewhere"), "group elsewhere does not exist in PVE yet; create it with a ProxmoxGroup"),
        (entry("/", "noaccess", "ops"), "did you mean NoAccess? Else create it with a ProxmoxRole"),
        (entry("/", "Unheard", "ops"), "check its spelling (case counts) or create it with a ProxmoxRole"),
    ] {
        let objects = [object("it", [claim]), object("other", [group("planned")])];
        let (_, message) = refusal(&one(&objects, &with(empty(), [group("staff-PocketID"), group("ops")])), 0);
        assert!(message.ends_with(hint), "{message}");
    }
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
fn a_role_is_not_taken_away_while_what_replaces_it_does_not_stand() {
    let mut objects = [object("replace", [entry("/vms", "A", "g"), entry("/vms", "A", "h")])];
    let mut snapshot = with(empty(), [group("g"), group("h")]);
    settle(&mut objects, &mut snapshot);
    let failed = |kind| FailedClaim {
        failure: Failure { kind, message: "no".to_owned() },
        retry_at: 1000,
        tries: 1,
        hidden: None,
    };
    for (role, fails) in [("Typo", None), ("B", Some(FailureKind::Forbidden)), ("B", Some(FailureKind::Lost))] {
        let replacement = entry("/vms", role, "g");
        objects[0].wanted = vec![wanted(replacement.clone())];
        let failures = fails.map(|kind| (replacement.clone(), failed(kind))).into_iter().collect();
        let memory = Memory { failures, ..Memory::default() };
        let planned = plan(&input(&objects, &snapshot, &memory));
        let done: Vec<_> = planned.steps.iter().flat_map(|step| step.claims.clone()).collect();
        assert_eq!(done, [entry("/vms", "A", "h")], "{role}: only what nothing takes the place of");
        let held = entry("/vms", "A", "g");
        assert!(planned.verdicts[0].ledger.contains_key(&held), "{role}: it is still the object's");
        assert!(planned.verdicts[0].worst().is_some(), "{role}: and that is said");
        // Who deletes the object wants nothing in its place.
        let gone = [Object { mode: Mode::Deleting, wanted: Vec::new(), ..objects[0].clone() }];
        let planned = plan(&input(&gone, &snapshot, &memory));
        let done: BTreeSet<_> = planned.steps.iter().flat_map(|step| step.claims.clone()).collect();
        assert!(done.contains(&held), "{role}");
    }
}

#[test]
fn a_role_goes_once_anything_stands_in_its_place_and_stays_with_nobody_else() {
    let held = entry("/vms", "A", "g");
    let mut objects = [object("one", [held.clone()]), object("two", [held.clone()])];
    let mut snapshot = with(empty(), [group("g")]);
    settle(&mut objects, &mut snapshot);
    // The one is deleted, and the other wants a role that does not exist.
    objects[0] = Object { mode: Mode::Deleting, wanted: Vec::new(), ..objects[0].clone() };
    objects[1].wanted = vec![wanted(entry("/vms", "Typo", "g"))];
    let plan = one(&objects, &snapshot);
    assert!(plan.steps.is_empty(), "{:?}", plan.steps);
    assert_eq!(plan.verdicts[0].ledger.len(), 0, "who is deleted waits for nobody");
    assert!(plan.verdicts[0].worst().is_none());
    assert!(plan.verdicts[1].ledger.contains_key(&held) && plan.verdicts[1].worst().is_some());
    // Somebody else has granted what it wants.
    let replacement = entry("/vms", "B", "g");
    let mut object = objects[1].clone();
    object.adoption = Adoption::Never;
    object.wanted = vec![wanted(replacement.clone()), wanted(entry("/vms", "Typo", "g"))];
    let plan = one(&[object], &with(snapshot, [replacement]));
    let removed: Vec<_> = plan.steps.iter().flat_map(|step| step.claims.clone()).collect();
    assert_eq!(removed, [held], "nobody is without both");
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
    let plan = plan(&Input { frozen, ..input(&objects, &snapshot, &memory) });
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

#[test]
fn what_changed_last_comes_first_with_all_it_needs() {
    let mut newest = object("newest", [group("z"), entry("/vms", "B", "z")]);
    newest.changed = 2;
    let objects = [object("old", [group("a"), entry("/", "A", "a"), pool("p")]), newest];
    let order: Vec<_> = one(&objects, &empty()).steps.into_iter().flat_map(|step| step.claims).collect();
    assert_eq!(order, [group("z"), entry("/vms", "B", "z"), group("a"), pool("p"), entry("/", "A", "a")]);
}

#[test]
fn only_one_realm_may_be_the_default_one() {
    let realm = |name: &str, created: i64| {
        let options = BTreeMap::from([("default".to_owned(), Some(OptionValue::Plain("1".to_owned())))]);
        let content = Content::Realm(RealmContent { kind: "openid", options, check_connection: false });
        let wanted = vec![Wanted::new(Thing::Realm(RealmId::observed(name)), content)];
        Object { created, wanted, ..object(name, []) }
    };
    let plan = one(&[realm("younger", 2), realm("older", 1)], &empty());
    let flagged = |step: &Step| matches!(&step.write, Write::Create { fields, .. } if fields.contains_key("default"));
    let flags: Vec<bool> = plan.steps.iter().map(flagged).collect();
    assert_eq!(flags.iter().filter(|flag| **flag).count(), 1, "{flags:?}");
    assert_eq!(flags.len(), 2, "the rest of the other realm does not wait");
    let (reason, message) = refusal(&plan, 0);
    assert_eq!(reason, Reason::Conflict);
    assert!(message.contains("Test older"), "{message}");
}
