//! What is done about them, and told.

use proptest::prelude::*;

use super::super::fixtures::*;
use super::*;

#[test]
fn whoever_is_gone_is_reported_and_nothing_is_written() {
    let objects = [realm(OnRemoval::Report, "a")];
    let snapshot = pve(&["a@oid", "b@oid", "c@oid", "d@oid", "e@oid", "f@oid"]);
    let plan = one(&objects, &snapshot);
    assert!(plan.steps.is_empty());
    warned(&plan, Reason::UsersNotInSource, &["realm oid", "b@oid, c@oid, d@oid and 2 more", "onRemoval"]);
    assert_eq!(plan.verdicts[0].worst(), None, "the realm itself is as it should be");
    let all = [realm(OnRemoval::Report, "a\nb\nc\nd\ne\nf\nnew")];
    assert_eq!(warning(&one(&all, &snapshot)), None);
}

#[test]
fn who_is_gone_is_told_before_an_issuer_that_does_not_work() {
    let (objects, snapshot) = ([realm(OnRemoval::Report, "a")], pve(&["a@oid", "b@oid"]));
    let issuers = [(RealmId::observed("oid"), "Request failed".to_owned())].into();
    let memory = Memory { issuers, ..Memory::default() };
    let plan = plan(&input(&objects, &snapshot, &memory));
    warned(&plan, Reason::UsersNotInSource, &["b@oid", "; IssuerUnreachable: nobody can sign in"]);
}

#[test]
fn whoever_is_gone_is_disabled_once_and_stays_so() {
    let mut objects = [realm(OnRemoval::Disable, "a\nb")];
    let mut snapshot = pve(&["a@oid", "b@oid", "c@oid"]);
    let plan = one(&objects, &snapshot);
    assert_eq!(plan.steps.len(), 1);
    assert_eq!((&plan.steps[0].purpose, warning(&plan)), (&Purpose::Disable, None));
    assert_eq!(settle(&mut objects, &mut snapshot).len(), 1);
    assert_eq!(enabled(&snapshot), ["a@oid", "b@oid", "other@pve"]);
    assert_eq!(members(&snapshot, "g"), ["a@oid", "b@oid", "c@oid", "other@pve"]);
    // Who comes back may have been disabled by a person meanwhile.
    objects[0] = realm(OnRemoval::Disable, "a\nb\nc");
    assert!(settle(&mut objects, &mut snapshot).is_empty());
    assert_eq!(enabled(&snapshot), ["a@oid", "b@oid", "other@pve"]);
}

#[test]
fn whoever_is_gone_does_not_wait_for_the_options_of_the_realm() {
    let refusals = vec![Refusal::new(Reason::SecretNotFound, "Secret client does not exist")];
    let held = realm(OnRemoval::Disable, "a");
    let mut objects = [Object { wanted: Vec::new(), refusals, unsure: true, ..held }];
    let mut snapshot = pve(&["a@oid", "b@oid"]);
    assert_eq!(settle(&mut objects, &mut snapshot).len(), 1);
    assert_eq!(enabled(&snapshot), ["a@oid", "other@pve"]);
    assert_eq!(refusal(&one(&objects, &snapshot), 0).0, Reason::SecretNotFound);
}

#[test]
fn whoever_is_gone_leaves_all_groups_in_one_request() {
    let mut objects = [realm(OnRemoval::RemoveGroups, "a\nb")];
    let mut snapshot = pve(&["a@oid", "b@oid", "c@oid"]);
    let writes = settle(&mut objects, &mut snapshot);
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_eq!(members(&snapshot, "g"), ["a@oid", "b@oid", "other@pve"]);
    assert_eq!(members(&snapshot, "h"), ["a@oid", "b@oid"]);
    assert!(enabled(&snapshot).contains(&"c@oid".to_owned()));
    assert_eq!(warning(&one(&objects, &snapshot)), None, "nothing is left to do");
}

#[test]
fn a_user_that_cannot_be_disabled_backs_off_alone() {
    let snapshot = pve(&["a@oid", "x@oid", "b@oid", "c@oid"]);
    let objects = [realm(OnRemoval::Disable, "a\nx")];
    let failure = Failure { kind: FailureKind::Forbidden, message: "no User.Modify".to_owned() };
    let mut memory = Memory::default();
    memory.failures.insert(user("b@oid"), FailedClaim { failure, retry_at: 10, tries: 1, hidden: None });
    for (now, steps) in [(1, 1), (11, 2)] {
        let plan = plan(&Input { now, ..input(&objects, &snapshot, &memory) });
        assert_eq!(plan.steps.len(), steps);
        assert!(matches!(plan.verdicts[0].claims[&user("b@oid")], ClaimState::Failed(_)));
    }
}

proptest! {
    #[test]
    fn a_second_plan_is_empty_and_only_those_who_are_gone_are_changed(
        standing in prop::collection::btree_set(prop::sample::select(vec!["a", "b", "c", "d", "e", "f"]), 0..6),
        present in prop::collection::btree_set(prop::sample::select(vec!["a", "b", "c", "d", "e", "f"]), 0..6),
        claimed in prop::sample::select(vec!["a", "b", "c"]),
        disable in any::<bool>(),
    ) {
        let ids: Vec<String> = standing.iter().map(|name| format!("{name}@oid")).collect();
        let mut snapshot = pve(&ids.iter().map(String::as_str).collect::<Vec<_>>());
        let before = enabled(&snapshot);
        let on_removal = if disable { OnRemoval::Disable } else { OnRemoval::RemoveGroups };
        let source: Vec<&str> = present.iter().copied().collect();
        let own = own_object("own", [user(&format!("{claimed}@oid"))]);
        let mut objects = [realm(on_removal, &source.join("\n")), own];
        settle(&mut objects, &mut snapshot);
        prop_assert!(one(&objects, &snapshot).steps.is_empty());
        let kept: BTreeSet<&str> = present.iter().copied().chain([claimed]).collect();
        for name in before.iter().filter_map(|id| id.strip_suffix("@oid")) {
            let id = format!("{name}@oid");
            let whole = enabled(&snapshot).contains(&id) && members(&snapshot, "h").contains(&id);
            prop_assert!(whole || !kept.contains(name), "{id}");
        }
        prop_assert!(members(&snapshot, "g").contains(&"other@pve".to_owned()));
    }
}
