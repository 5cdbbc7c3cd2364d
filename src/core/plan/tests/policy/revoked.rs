//! What becomes of what an object has made when it is no longer allowed.

use super::super::fixtures::*;
use super::*;
use crate::api::policy::OnRevoke;
use crate::core::claim::{Entry, Origin, Progress, Scope};
use crate::core::object::{Deletion, Mode};

fn held(claim: Claim, origin: Origin) -> (Claim, Entry) {
    (claim, Entry { origin, progress: Progress::Applied })
}

/// An object with two entries, one made and one taken over, for a group that no rule allows any more.
fn revoked(mode: Mode, deletion: Option<Deletion>) -> (Object, Snapshot) {
    let (own, adopted) = (entry("/vms/100", "A", "team-a"), entry("/vms/100", "B", "team-a"));
    let snapshot = with(empty(), [group("team-a"), own.clone(), adopted.clone()]);
    let ledger = [held(own.clone(), Origin::Created), held(adopted.clone(), Origin::Adopted)].into();
    (Object { mode, deletion, ledger, ..object("o", [own, adopted]) }, snapshot)
}

#[test]
fn what_is_no_longer_allowed_stays_or_goes_as_the_policy_says() {
    let (object, snapshot) = revoked(Mode::Manage, None);
    let keep = planned(&object, &snapshot, &ConnectionPolicy::default());
    assert!(keep.steps.is_empty());
    assert_eq!(keep.verdicts[0].ledger, object.ledger, "it stays in the object's hands");
    let remove = ConnectionPolicy { on_revoke: Some(OnRevoke::Remove), ..ConnectionPolicy::default() };
    let removed = planned(&object, &snapshot, &remove);
    let claims: Vec<String> = removed.steps.iter().flat_map(|step| &step.claims).map(ToString::to_string).collect();
    assert_eq!(claims, ["ACL entry A for group team-a on /vms/100"], "only what was made for it");
    assert_eq!(refusal(&removed, 0).0, Reason::PolicyDenied);
}

#[test]
fn what_was_made_can_always_be_deleted_and_what_was_taken_over_stays() {
    for deletion in [None, Some(Deletion::Delete)] {
        let (object, snapshot) = revoked(Mode::Deleting, deletion);
        let plan = planned(&object, &snapshot, &ConnectionPolicy::default());
        let claims: Vec<String> = plan.steps.iter().flat_map(|step| &step.claims).map(ToString::to_string).collect();
        assert_eq!(claims, ["ACL entry A for group team-a on /vms/100"], "{deletion:?}");
        assert_eq!(plan.verdicts[0].left, [entry("/vms/100", "B", "team-a")]);
    }
}

#[test]
fn an_exact_set_removes_nothing_that_its_object_may_not_touch() {
    let policy = ConnectionPolicy {
        rules: vec![PolicyRule { group_ids: Some(texts(&["team-*"])), ..PolicyRule::default() }],
        ..ConnectionPolicy::default()
    };
    let foreign = [entry("/pool/a", "A", "others"), entry("/pool/a", "A", "team-b")];
    let snapshot =
        with(empty(), [group("team-a"), group("team-b"), group("others"), pool("a")].into_iter().chain(foreign));
    let exact = [Scope::Entries(AclPath::parse("/pool/a").expect("a path"))].into();
    let object = Object { exact, ..object("o", [entry("/pool/a", "A", "team-a")]) };
    let plan = planned(&object, &snapshot, &policy);
    let removed: Vec<String> = plan
        .steps
        .iter()
        .filter(|it| it.purpose == Purpose::Remove)
        .flat_map(|it| &it.claims)
        .map(ToString::to_string)
        .collect();
    assert_eq!(removed, ["ACL entry A for group team-b on /pool/a"]);
    assert_eq!(refusal(&plan, 0).0, Reason::PolicyDenied, "and it is told");
}

#[test]
fn another_namespace_learns_nothing_of_whom_it_loses_to() {
    let of = |namespace: &str, created| {
        let key = ObjectKey { kind: "Test", namespace: namespace.to_owned(), name: format!("of-{namespace}") };
        Object { key, created, ..object("o", [group("g")]) }
    };
    let plan = one(&[of("a", 1), of("b", 2)], &empty());
    let (reason, message) = refusal(&plan, 1);
    assert_eq!(reason, Reason::Conflict);
    assert!(message.contains("an object of another namespace") && !message.contains("of-a"), "{message}");
    let plan = one(
        &[of("a", 1), Object { key: ObjectKey { name: "second".into(), ..of("a", 2).key }, ..of("a", 2) }],
        &empty(),
    );
    assert!(refusal(&plan, 1).1.contains("Test of-a"));
}

#[test]
fn a_namespace_that_may_not_use_the_connection_gets_nothing() {
    let object = Object { admitted: false, ..object("o", [group("g")]) };
    let plan = one(std::slice::from_ref(&object), &empty());
    assert!(plan.steps.is_empty());
    assert!(refusal(&plan, 0).1.contains("allowedNamespaces"));
}
