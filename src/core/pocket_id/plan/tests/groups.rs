//! Groups themselves: what is taken over, made, made again and kept as it should be.

use super::super::*;
use super::fixtures::*;
use crate::core::pocket_id::ids::GroupId;

#[test]
fn what_stands_already_is_taken_over_as_the_policy_says() {
    use Adoption::{Always, IfIdentical, Never};
    let named = |name: &str| {
        let name = name.to_owned();
        move |object: Object| object.with(|group| group.friendly_name = Some(name))
    };
    let snapshot = with_group(empty(), "team", &["alice"]);
    for (adoption, object, expected) in [
        (IfIdentical, group("team", &[]), Ok(0)),
        (IfIdentical, group("team", &["alice"]), Ok(0)),
        (IfIdentical, named("By hand")(group("team", &[])), Ok(0)),
        (IfIdentical, named("From Git")(group("team", &[])), Err(Reason::AlreadyExists)),
        (IfIdentical, group("team", &["bob"]), Err(Reason::AlreadyExists)),
        (IfIdentical, group("team", &[]).with(|it| it.claims = Some([].into())), Ok(0)),
        (
            IfIdentical,
            group("team", &[]).with(|it| it.claims = Some([("a".to_owned(), "b".to_owned())].into())),
            Err(Reason::AlreadyExists),
        ),
        (Never, group("team", &[]), Err(Reason::AlreadyExists)),
        (Always, group("team", &[]), Ok(0)),
        (Always, named("From Git")(group("team", &["bob"])), Ok(2)),
    ] {
        let object = Object { adoption, ..object };
        let said = format!("{adoption:?} {:?}", object.wanted);
        let plan = planned(&[object], &snapshot);
        match expected {
            Ok(steps) => {
                assert_eq!((plan.steps.len(), refused(&plan, 0)), (steps, None), "{said}");
                assert_eq!(plan.verdicts[0].ledger[&group_claim("team")], ADOPTED, "{said}");
            }
            Err(reason) => {
                assert_eq!((plan.steps.len(), refused(&plan, 0)), (0, Some(reason)), "{said}");
                assert!(plan.verdicts[0].ledger.is_empty(), "{said}");
            }
        }
    }
}

#[test]
fn a_group_is_intended_before_it_is_made_and_ours_when_it_then_stands() {
    let object = group("team", &[]);
    let plan = planned(std::slice::from_ref(&object), &empty());
    let made = Write::CreateGroup { name: "team".to_owned(), friendly_name: "team".to_owned() };
    assert_eq!(writes(&plan), [&made]);
    assert_eq!((plan.verdicts[0].ledger[&group_claim("team")], &plan.steps[0].purpose), (INTENDED, &Purpose::Create));
    // The answer was lost, or the operator killed: what stands now is what was intended.
    let object =
        object.holding(&[(group_claim("team"), INTENDED)]).with(|it| it.friendly_name = Some("Team".to_owned()));
    let plan = planned(&[object], &with_group(empty(), "team", &[]));
    assert_eq!(plan.verdicts[0].ledger[&group_claim("team")], CREATED);
    assert_eq!(plan.steps.len(), 1, "and it gets its friendly name");
}

#[test]
fn an_intention_that_pocket_id_refused_since_somebody_was_first_makes_nothing_ours() {
    let object = group("team", &[]).holding(&[(group_claim("team"), INTENDED)]);
    let object = object.with(|it| it.friendly_name = Some("Team".to_owned()));
    let snapshot = with_group(empty(), "team", &[]);
    let plan = after_failure(&[object], &snapshot, &group_claim("team"), FailureKind::AlreadyExists, 2000);
    assert_eq!((plan.steps.len(), refused(&plan, 0)), (0, Some(Reason::AlreadyExists)));
    assert!(plan.verdicts[0].ledger.is_empty());
}

#[test]
fn what_is_gone_is_made_again_and_ours_from_then_on() {
    let object = group("team", &["alice"]).holding(&[(group_claim("team"), ADOPTED)]);
    let plan = planned(std::slice::from_ref(&object), &empty());
    assert_eq!((plan.steps.len(), &plan.steps[0].purpose), (1, &Purpose::Restore));
    assert_eq!(plan.verdicts[0].ledger[&group_claim("team")], INTENDED);
    let plan = after_failure(&[object], &empty(), &group_claim("team"), FailureKind::Other, 999);
    assert!(plan.steps.is_empty(), "but not before it is time after a failure");
    assert_eq!(plan.verdicts[0].ledger[&group_claim("team")], ADOPTED);
}

#[test]
fn a_group_that_was_renamed_gets_its_name_back_unless_that_is_taken() {
    let object = || Object {
        known: Some(GroupId::observed("old")),
        settled: true,
        ..group("team", &[]).holding(&[(group_claim("team"), CREATED)])
    };
    let snapshot = with_group(empty(), "old", &[]);
    let plan = planned(&[object()], &snapshot);
    let named = Write::UpdateGroup {
        group: GroupId::observed("old"),
        name: "team".to_owned(),
        friendly_name: "By hand".to_owned(),
    };
    assert_eq!(writes(&plan), [&named]);
    assert_eq!(plan.steps[0].purpose, Purpose::Correct(vec!["groupName".to_owned()]));
    let taken = with_group(snapshot, "team", &[]);
    let plan = planned(&[object()], &taken);
    assert_eq!((plan.steps.len(), refused(&plan, 0)), (0, Some(Reason::AlreadyExists)), "another one has it");
    assert_eq!(plan.verdicts[0].ledger[&group_claim("team")], CREATED, "it stays ours");
    let plan = planned(&[object().deleted()], &taken);
    assert_eq!(writes(&plan), [&Write::DeleteGroup(GroupId::observed("old"))], "the one that is ours goes");
}

#[test]
fn who_observes_or_holds_nothing_does_not_follow_a_group_to_another_name() {
    for (what, mode, entries) in [("observes", Mode::Observe, &[][..]), ("holds nothing", Mode::Manage, &[])] {
        let known = Some(GroupId::observed("old"));
        let object = Object { mode, known, ..group("team", &[]).holding(entries) };
        let plan = planned(&[object], &with_group(empty(), "old", &[]));
        let makes = writes(&plan).iter().all(|write| matches!(write, Write::CreateGroup { .. }));
        assert!(makes, "{what}: {:?}", plan.steps);
    }
}

/// Somebody gives a group of ours the name that another object wants: the two must not take it from each other.
#[test]
fn two_objects_do_not_write_one_group_under_two_names_in_turn() {
    let known = Some(GroupId::observed("one"));
    let first = Object { known: known.clone(), ..group("one", &[]).holding(&[(group_claim("one"), CREATED)]) };
    let mut snapshot = with_group(empty(), "one", &[]);
    snapshot.groups.get_mut(&GroupId::observed("one")).expect("a group").name = "two".to_owned();
    let second = group("two", &[]);
    let plan = planned(&[first.clone(), second.clone()], &snapshot);
    assert_eq!(refused(&plan, 1), Some(Reason::Conflict));
    assert_eq!(plan.steps.len(), 1, "the first gives it its name back: {:?}", plan.steps);
    let mut objects = vec![first.clone(), second.clone()];
    let mut model = super::model::Model::new(snapshot.clone());
    model.settle(&mut objects);
    let mut names: Vec<&str> = model.snapshot.groups.values().map(|group| group.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["one", "two"]);
    // Even when both stand for it already, only one writes, and the other does not take it along when it goes.
    let second = Object { known, created: 1, ..second.holding(&[(group_claim("two"), ADOPTED)]) };
    let plan = planned(&[first.clone(), second.clone()], &snapshot);
    assert_eq!((plan.steps.len(), refused(&plan, 1)), (1, Some(Reason::Conflict)));
    let second = Object { deletion: Some(Deletion::Delete), ..second.deleted() };
    let plan = planned(&[first, second], &snapshot);
    assert!(writes(&plan).iter().all(|write| matches!(write, Write::UpdateGroup { .. })), "{:?}", plan.steps);
    assert!(plan.verdicts[1].ledger.is_empty());
}

#[test]
fn what_a_directory_owns_is_not_written_and_can_be_observed() {
    let mut snapshot = with_group(empty(), "team", &["alice"]);
    snapshot.groups.get_mut(&GroupId::observed("team")).expect("a group").from_directory = true;
    let object = || group("team", &["bob"]).holding(&[(group_claim("team"), CREATED)]);
    for (what, object, reason) in [
        ("another member", object(), Some(Reason::Forbidden)),
        ("to be taken over", Object { adoption: Adoption::Always, ..group("team", &["bob"]) }, Some(Reason::Forbidden)),
        ("nothing to write", group("team", &["alice"]), None),
        ("observed", Object { mode: Mode::Observe, ..object() }, None),
    ] {
        let plan = planned(&[object], &snapshot);
        assert_eq!((plan.steps.len(), refused(&plan, 0)), (0, reason), "{what}");
    }
    let plan = planned(&[Object { mode: Mode::Observe, ..object() }], &snapshot);
    let differs = ClaimState::Differs(Some(vec!["members".to_owned()]));
    assert_eq!(plan.verdicts[0].claims[&group_claim("team")], differs);
}
