//! One object each named thing: who has it, who waits, and what happens when an object goes.

use super::super::*;
use super::fixtures::*;
use super::model::Model;
use crate::core::object::ObjectKey;
use crate::core::pocket_id::ids::{ClientId, GroupId};

#[test]
fn who_holds_it_wins_then_the_older_then_the_name() {
    let held = [(group_claim("team"), CREATED)];
    for (why, first, second, loser) in [
        ("by name", group("team", &[]), group("team", &[]), 1),
        ("the older", Object { created: 2, ..group("team", &[]) }, Object { created: 1, ..group("team", &[]) }, 0),
        ("who has it", group("team", &[]), Object { created: 1, ..group("team", &[]).holding(&held) }, 0),
        ("who lives", group("team", &[]).holding(&held).deleted(), group("team", &[]), 0),
        ("a suspended one that has it", group("team", &[]), suspended(group("team", &[]).holding(&held)), 0),
        ("also when that is deleted", group("team", &[]), waiting(group("team", &[]).holding(&held)), 0),
    ] {
        let plan = planned(&[by("a", first), by("b", second)], &empty());
        assert!(refused(&plan, loser).is_some(), "{why}: {:?}", plan.verdicts);
        assert!(refused(&plan, 1 - loser).is_none(), "{why}: {:?}", plan.verdicts);
        assert!(plan.steps.iter().all(|step| step.owner != loser), "{why}");
    }
}

/// It made the group, and only observes it now.
fn observer(name: &str) -> Object {
    let known = Some(GroupId::observed("team"));
    let made = group("team", &["alice"]).holding(&[(group_claim("team"), CREATED)]);
    Object { mode: Mode::Observe, known, ..by(name, made) }
}

#[test]
fn what_an_observer_once_made_passes_to_who_wants_it_and_does_not_come_back() {
    let younger = Object { created: 1, ..by("b", group("team", &[])) };
    let mut objects = vec![observer("a"), younger, Object { created: 2, ..by("c", group("team", &[])) }];
    let mut model = Model::new(with_group(empty(), "team", &["alice"]));
    let plan = planned(&objects, &model.snapshot);
    assert_eq!(refused(&plan, 1), None, "{:?}", plan.verdicts);
    assert_eq!(refused(&plan, 2), Some(Reason::Conflict), "{:?}", plan.verdicts);
    assert!(!plan.verdicts[0].ledger.is_empty(), "not before it is stored");
    model.settle(&mut objects);
    assert!(objects[0].ledger.is_empty(), "{:?}", objects[0].ledger);
    assert_eq!(objects[1].ledger[&group_claim("team")], CREATED, "to its heir it is not a stranger's");
    objects[0].mode = Mode::Manage;
    let plan = planned(&objects, &model.snapshot);
    assert_eq!((refused(&plan, 0), refused(&plan, 1)), (Some(Reason::Conflict), None), "though it is the oldest");
    assert_eq!(model.snapshot.members(&GroupId::observed("team")), Some(users(&["alice"])), "who was there stays");
}

fn waiting(object: Object) -> Object {
    Object { mode: Mode::DeletingSuspended, ..object }
}

fn suspended(object: Object) -> Object {
    Object { mode: Mode::Suspended, ..object }
}

#[test]
fn the_heir_takes_it_with_its_origin_before_the_first_lets_go() {
    for (what, entry, goes_in_the_end) in [("made by us", CREATED, true), ("taken over", ADOPTED, false)] {
        let members = [(member_claim("team", "alice"), CREATED), (member_claim("team", "carol"), ADOPTED)];
        let first =
            by("a", group("team", &["alice", "carol"])).holding(&[(group_claim("team"), entry)]).holding(&members);
        let heir = by("b", group("team", &["bob"]).with(|it| it.friendly_name = Some("Other".to_owned())));
        let mut model = Model::new(with_group(empty(), "team", &["alice", "carol"]));
        let mut objects = vec![first.deleted(), heir];
        let plan = planned(&objects, &model.snapshot);
        assert!(plan.handing_over && !plan.verdicts[0].ledger.is_empty(), "{what}: not before it is stored");
        let written = model.settle(&mut objects);
        assert!(!written.iter().any(|write| matches!(write, Write::DeleteGroup(_))), "{what}: {written:?}");
        assert_eq!(objects.len(), 1, "{what}: the first may go, its members do not hold it back");
        assert_eq!(objects[0].ledger[&group_claim("team")], entry, "{what}");
        let team = GroupId::observed("team");
        assert_eq!(model.snapshot.members(&team), Some(users(&["bob", "carol"])), "{what}: who was there stays");
        let mut objects: Vec<Object> = objects.into_iter().map(Object::deleted).collect();
        model.settle(&mut objects);
        assert!(objects.is_empty(), "{what}");
        assert_eq!(!model.snapshot.groups.contains_key(&team), goes_in_the_end, "{what}");
    }
}

#[test]
fn two_that_go_at_once_remove_it_once() {
    let held = [(client_claim("pve"), CREATED)];
    let objects =
        [by("a", client("pve", &[])).holding(&held).deleted(), by("b", client("pve", &[])).holding(&held).deleted()];
    let mut model = Model::new(with_client(empty(), "pve", serde_json::json!({}), &[]));
    let mut objects = objects.to_vec();
    assert_eq!(model.settle(&mut objects), [Write::DeleteClient(ClientId::observed("pve"))]);
    assert!(objects.is_empty());
}

#[test]
fn what_we_made_goes_and_what_was_there_stays_unless_the_policy_says_otherwise() {
    use Deletion::{Delete, Orphan};
    for (entry, deletion, goes) in [
        (CREATED, None, true),
        (INTENDED, None, true),
        (ADOPTED, None, false),
        (CREATED, Some(Orphan), false),
        (ADOPTED, Some(Delete), true),
    ] {
        let team = Object { deletion, ..group("team", &[]).holding(&[(group_claim("team"), entry)]).deleted() };
        let pve = Object { deletion, ..client("pve", &[]).holding(&[(client_claim("pve"), entry)]).deleted() };
        let snapshot = with_client(with_group(empty(), "team", &[]), "pve", serde_json::json!({}), &[]);
        let plan = planned(&[team.clone(), pve.clone()], &snapshot);
        let all = [Write::DeleteGroup(GroupId::observed("team")), Write::DeleteClient(ClientId::observed("pve"))];
        let expected: Vec<&Write> = all.iter().filter(|_| goes).collect();
        assert_eq!(writes(&plan), expected, "{entry:?} {deletion:?}");
        let left: Vec<usize> = plan.verdicts.iter().map(|verdict| verdict.left.len()).collect();
        assert_eq!(left, [usize::from(!goes); 2], "{entry:?} {deletion:?}");
        let gone = planned(&[team, pve], &empty());
        assert!(gone.steps.is_empty() && gone.verdicts.iter().all(|it| it.ledger.is_empty()), "it is gone already");
    }
}

#[test]
fn nothing_goes_that_live_objects_refer_to() {
    let user = ObjectKey { kind: "ProxmoxRealm", namespace: "default".to_owned(), name: "oid".to_owned() };
    let users = vec![user];
    let pve = Object { users, ..client("pve", &[]).holding(&[(client_claim("pve"), CREATED)]).deleted() };
    let snapshot = with_client(empty(), "pve", serde_json::json!({}), &[]);
    let plan = planned(std::slice::from_ref(&pve), &snapshot);
    assert_eq!((plan.steps.len(), refused(&plan, 0)), (0, Some(Reason::DeletionBlocked)));
    let orphan = Object { deletion: Some(Deletion::Orphan), ..pve };
    assert!(planned(&[orphan], &snapshot).verdicts[0].ledger.is_empty(), "what stays holds nobody back");
}

#[test]
fn nothing_is_written_for_who_may_not_write() {
    let held = [(group_claim("team"), CREATED)];
    for mode in [Mode::Observe, Mode::Suspended, Mode::DeletingSuspended, Mode::DeletingObserver] {
        for snapshot in [empty(), with_group(empty(), "team", &["bob"])] {
            let object = Object { mode, ..group("team", &["alice"]).holding(&held) };
            let plan = planned(&[object], &snapshot);
            assert_eq!((plan.steps.len(), plan.verdicts[0].ledger.len()), (0, 1), "{mode:?}");
        }
    }
}
