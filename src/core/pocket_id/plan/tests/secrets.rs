//! Secrets of clients: asked for with the client, again when the answer was lost, and ended when nobody needs them.

use super::super::*;
use super::fixtures::*;
use crate::api::status::SecretState;
use crate::core::pocket_id::ids::SecretId;
use crate::core::token::Kept;

#[test]
fn a_secret_is_asked_for_until_it_has_arrived() {
    use SecretState::{Delivered, Pending, Unknown};
    let ours = |issue| Kept::Ours { issue, holds: true };
    for (what, entry, status, kept, expected, state) in [
        ("killed before it was asked for", CREATED, None, Kept::Absent, Some(1), Pending),
        ("its answer was lost", CREATED, Some(issued(Pending, 1)), Kept::Absent, Some(1), Pending),
        ("the answer to a later one was lost", CREATED, Some(issued(Pending, 3)), ours(2), Some(3), Pending),
        ("it has arrived", CREATED, Some(issued(Pending, 2)), ours(2), None, Delivered),
        ("nothing is due", CREATED, Some(issued(Delivered, 2)), ours(2), None, Delivered),
        ("taken over", ADOPTED, None, Kept::Absent, None, Unknown),
        ("taken over before", ADOPTED, Some(issued(Unknown, 0)), Kept::Absent, None, Unknown),
    ] {
        let mut secret = secret();
        (secret.token.issued, secret.token.kept) = (status, kept);
        for listed in [None, Some(&[][..])] {
            let (object, snapshot) = standing(entry, secret.clone(), listed);
            let plan = planned(&[object], &snapshot);
            let secrecy = plan.secrets[0].as_ref().expect("a secret");
            assert_eq!((asked(&plan), secrecy.issued.state), (expected, state), "{what}");
        }
    }
}

#[test]
fn a_failed_request_for_a_secret_waits_for_its_time() {
    let mut secret = secret();
    secret.token.issued = Some(issued(SecretState::Pending, 1));
    let (object, snapshot) = standing(CREATED, secret, None);
    for (now, expected) in [(999, None), (1000, Some(1))] {
        let objects = std::slice::from_ref(&object);
        let plan = after_failure(objects, &snapshot, &client_claim("pve"), FailureKind::Lost, now);
        assert_eq!(asked(&plan), expected, "at {now}");
        assert!(matches!(plan.verdicts[0].claims[&client_claim("pve")], ClaimState::Failed(_)), "at {now}");
    }
}

/// Otherwise the Secret of a client that is gone would count as that of the new one when its answer is lost.
#[test]
fn a_client_that_is_made_again_never_counts_a_former_secret_as_its_own() {
    use SecretState::{Delivered, Pending};
    let ours = |issue| Kept::Ours { issue, holds: true };
    for (what, status, kept, in_hand, expected) in [
        ("it was delivered", Some(issued(Delivered, 2)), ours(2), false, 3),
        ("it has arrived, and that was not stored yet", Some(issued(Pending, 2)), ours(2), false, 3),
        ("it is still on its way", Some(issued(Pending, 2)), ours(1), true, 3),
        ("it was asked for and never arrived", Some(issued(Pending, 2)), ours(1), false, 2),
        ("its Secret is lost", Some(issued(Delivered, 2)), Kept::Absent, false, 3),
        ("a backup without statuses came back", None, ours(4), false, 5),
    ] {
        let mut secret = secret();
        (secret.token.issued, secret.token.kept, secret.token.in_hand) = (status, kept, in_hand);
        let (object, _) = standing(CREATED, secret, None);
        let plan = planned(&[object], &empty());
        assert_eq!(asked(&plan), Some(expected), "{what}");
        assert_eq!(plan.secrets[0].as_ref().map(|it| it.issued.state), Some(Pending), "{what}");
    }
}

#[test]
fn former_secrets_end_once_nobody_needs_them() {
    for (what, issue, realms_have_it, listed, expected, retiring) in [
        ("all realms have the new one", 2, Some(true), &["new", "old"][..], &["old"][..], true),
        ("a realm has the old one", 2, Some(false), &["new", "old"], &[], true),
        ("no realm uses it, and the overlap is not over", 2, None, &["new", "old"], &[], true),
        ("answers to the first were lost", 1, None, &["lost", "new"], &["lost"], true),
        ("those of others stay", 2, Some(true), &["new", "theirs"], &[], false),
        ("nothing is left over", 2, Some(true), &["new"], &[], false),
        ("ours was deleted by hand", 2, Some(true), &["theirs"], &[], false),
    ] {
        let mut secret = secret();
        secret.token.issued = Some(issued(SecretState::Delivered, issue));
        secret.token.kept = Kept::Ours { issue, holds: true };
        secret.others = secrets(&["theirs"]);
        (secret.retiring, secret.realms_have_it) = (true, realms_have_it);
        secret.current = Some(SecretId::observed("new"));
        let (object, snapshot) = standing(CREATED, secret, Some(listed));
        let plan = planned(&[object], &snapshot);
        assert_eq!(retired(&plan), expected, "{what}");
        assert_eq!(plan.secrets[0].as_ref().map(|it| it.retiring), Some(retiring), "{what}");
        assert_eq!(asked(&plan), None, "{what}");
    }
}

#[test]
fn nothing_ends_before_the_new_secret_has_arrived() {
    let mut secret = secret();
    secret.token.issued = Some(issued(SecretState::Pending, 2));
    secret.token.kept = Kept::Ours { issue: 1, holds: true };
    (secret.retiring, secret.realms_have_it) = (true, Some(true));
    secret.current = Some(SecretId::observed("old"));
    let (object, snapshot) = standing(CREATED, secret.clone(), Some(&["old", "lost"]));
    assert!(retired(&planned(&[object], &snapshot)).is_empty(), "its answer was lost");
    secret.token.in_hand = true;
    let (object, snapshot) = standing(CREATED, secret, Some(&["old", "lost"]));
    let plan = planned(&[object], &snapshot);
    assert!(plan.steps.is_empty(), "it could not be written yet");
    assert!(plan.secrets[0].as_ref().is_some_and(|it| it.retiring));
}

#[test]
fn secrets_of_others_are_left_also_after_a_restore_without_statuses() {
    let mut lost = secret();
    lost.token.kept = Kept::Ours { issue: 3, holds: true };
    lost.current = Some(SecretId::observed("ours"));
    assert!(lost.needs_list());
    let (object, snapshot) = standing(ADOPTED, lost, Some(&["ours", "theirs"]));
    let plan = planned(&[object], &snapshot);
    let secrecy = plan.secrets[0].as_ref().expect("a secret");
    assert_eq!((&secrecy.others, secrecy.issued.state), (&secrets(&["theirs"]), SecretState::Delivered));
    assert!(plan.steps.is_empty());
}

#[test]
fn asked_for_a_new_secret_a_client_that_was_taken_over_keeps_those_of_others() {
    let mut unknown = secret();
    unknown.token.issued = Some(issued(SecretState::Unknown, 0));
    unknown.token.wish.requested = Some("now".to_owned());
    let (object, snapshot) = standing(ADOPTED, unknown, Some(&["theirs", "older"]));
    let plan = planned(&[object], &snapshot);
    assert_eq!(asked(&plan), Some(1));
    assert_eq!(plan.secrets[0].as_ref().map(|it| it.others.clone()), Some(secrets(&["theirs", "older"])));
}
