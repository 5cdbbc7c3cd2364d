//! Whose a thing is.

use super::fixtures::*;
use crate::core::claim::{Entry, Origin, Progress};
use crate::core::object::{Adoption, Mode};
use crate::core::plan::*;

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
    with_comment.wanted = vec![commented(group("g"), "ours")];
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
fn an_existing_thing_is_not_ours_because_we_once_intended_it() {
    let mut objects = [object("group", [group("g")])];
    objects[0].wanted = vec![commented(group("g"), "ours")];
    objects[0].ledger.insert(group("g"), Entry { origin: Origin::Created, progress: Progress::Intended });
    let snapshot = with(empty(), [group("g")]);
    let failure = Failure { kind: FailureKind::AlreadyExists, message: "exists".to_owned() };
    let mut memory = Memory::default();
    memory.failures.insert(group("g"), FailedClaim { failure, retry_at: 0, tries: 1, hidden: None });
    let plan = plan(&Input { now: 1, ..input(&objects, &snapshot, &memory) });
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
fn what_an_observer_once_made_passes_to_who_wants_it_and_does_not_come_back() {
    let mut observer = object("a", [group("g")]);
    observer.mode = Mode::Observe;
    observer.created = -1;
    observer.ledger.insert(group("g"), Entry { origin: Origin::Created, progress: Progress::Applied });
    let mut objects = [observer, object("b", [group("g")])];
    let mut snapshot = with(empty(), [group("g")]);
    assert!(!one(&objects, &snapshot).verdicts[0].ledger.is_empty(), "not before it is stored");
    for _ in 0..2 {
        assert!(settle(&mut objects, &mut snapshot).is_empty());
    }
    assert!(objects[0].ledger.is_empty(), "{:?}", objects[0].ledger);
    assert_eq!(objects[1].ledger[&group("g")].origin, Origin::Created, "to its heir it is not a stranger's");
    objects[0].mode = Mode::Manage;
    assert_eq!(refusal(&one(&objects, &snapshot), 0).0, Reason::Conflict, "though it is the older");
}

#[test]
fn what_a_denied_object_has_made_still_belongs_to_it() {
    let mut denied = object("a", []);
    denied.mode = Mode::Denied;
    denied.ledger.insert(group("g"), Entry { origin: Origin::Created, progress: Progress::Applied });
    let plan = one(&[denied, object("b", [group("g")])], &with(empty(), [group("g")]));
    assert_eq!(refusal(&plan, 1).0, Reason::Conflict);
    assert!(plan.verdicts[1].ledger.is_empty() && plan.steps.is_empty());
}
