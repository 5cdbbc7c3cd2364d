//! What becomes of what an object has made when it is no longer allowed.

use super::super::fixtures::*;
use super::*;
use crate::api::policy::OnRevoke;
use crate::core::claim::{Origin, Scope};
use crate::core::object::{Admission, Deletion, Mode};

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
fn who_only_observes_keeps_nothing_standing_also_while_it_is_not_allowed() {
    let object = |mode| Object { mode, ledger: [held(group("g"), Origin::Created)].into(), ..object("o", []) };
    let mut observer = Object { admission: Admission::Refused, ..object(Mode::Observe) };
    observer.wanted = vec![Wanted::new(group("g"), Content::Fields(Wishes::default()))];
    let plan = one(&[observer, object(Mode::Deleting)], &with(empty(), [group("g")]));
    assert_eq!(refusal(&plan, 0).0, Reason::PolicyDenied);
    assert_eq!(plan.steps.iter().map(|step| step.purpose.clone()).collect::<Vec<_>>(), [Purpose::Remove]);
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
    for (admission, reason) in
        [(Admission::Refused, Reason::PolicyDenied), (Admission::Unknown, Reason::DependencyNotReady)]
    {
        let object = Object { admission, ..object("o", [group("g")]) };
        let plan = one(std::slice::from_ref(&object), &empty());
        assert!(plan.steps.is_empty());
        let (told, message) = refusal(&plan, 0);
        assert!(told == reason && message.contains("allowedNamespaces"), "{told} {message}");
    }
}

/// A policy that allows everything but privileges that are denied anyway, and takes back what it no longer allows.
fn anything() -> ConnectionPolicy {
    ConnectionPolicy {
        rules: vec![PolicyRule::default()],
        on_revoke: Some(OnRevoke::Remove),
        ..ConnectionPolicy::default()
    }
}

#[test]
fn what_cannot_be_judged_now_stays_whatever_becomes_of_what_is_not_allowed() {
    type Hide = fn(&mut Object, &mut Snapshot);
    let unseen: [(&str, Hide, Reason); 5] = [
        ("roles", |_, snapshot| snapshot.roles = unread(), Reason::Forbidden),
        ("users", |_, snapshot| snapshot.users = unread(), Reason::Forbidden),
        ("groups", |_, snapshot| snapshot.groups = unread(), Reason::Forbidden),
        ("entries", |_, snapshot| snapshot.permissions = permissions(&[]), Reason::Forbidden),
        ("labels", |object, _| object.admission = Admission::Unknown, Reason::DependencyNotReady),
    ];
    let (object, snapshot) = revoked(Mode::Manage, None);
    assert!(planned(&object, &snapshot, &anything()).steps.is_empty(), "it is allowed");
    for (what, hide, reason) in unseen {
        let (mut object, mut snapshot) = (object.clone(), snapshot.clone());
        hide(&mut object, &mut snapshot);
        let plan = planned(&object, &snapshot, &anything());
        assert!(plan.steps.is_empty(), "{what} are not seen: {:?}", plan.steps);
        assert_eq!(plan.verdicts[0].ledger, object.ledger, "{what}");
        assert_eq!(refusal(&plan, 0).0, reason, "{what}");
    }
}

#[test]
fn what_another_connection_allows_no_more_is_not_removed_by_this_one() {
    let of_ours = entry("/vms/100", "A", "team-b");
    let exact = [Scope::Entries(AclPath::parse("/vms/100").expect("a path"))].into();
    let ours = Object { exact, ..object("ours", [of_ours.clone()]) };
    let (theirs, snapshot) = revoked(Mode::Manage, None);
    let objects = [ours, Object { connection: 1, ..theirs }];
    let snapshot = with(snapshot, [group("team-b"), of_ours]);
    let nothing = ConnectionPolicy { on_revoke: Some(OnRevoke::Remove), ..ConnectionPolicy::default() };
    let policies = [parsed(&anything()), parsed(&nothing)];
    let plan = plan(&Input { policies: &policies, ..input(&objects, &snapshot, &Memory::default()) });
    assert!(plan.steps.is_empty(), "{:?}", plan.steps);
}
