//! Secrets of clients: asked for with the client, again when the answer was lost, and ended when nobody needs them.

use serde_json::json;

use super::super::*;
use super::fixtures::*;
use crate::api::status::SecretState;
use crate::core::object::ObjectKey;
use crate::core::pocket_id::ids::{ClientId, SecretId};
use crate::core::pocket_id::secret::ClientSecret;
use crate::core::token::{Issued, Kept};

const PVE: &str = "pve";

fn issued(state: SecretState, issue: i64) -> Issued {
    Issued { state, issue, at: Some(NOW - 60), handled: None, restoring: Vec::new() }
}

/// A client of ours with this secret, and Pocket ID in which it stands with these secrets; before 2.14 with none.
fn standing(entry: Entry, secret: ClientSecret, listed: Option<&[&str]>) -> (Object, Snapshot) {
    let mut snapshot = with_client(empty(), PVE, json!({}), &[]);
    snapshot.clients.get_mut(&ClientId::observed(PVE)).expect("a client").secrets = listed.map(secrets);
    (Object { secret: Some(secret), ..client(PVE, &[]).holding(&[(client_claim(PVE), entry)]) }, snapshot)
}

/// The number of the secret that is asked for.
fn asked(plan: &Plan) -> Option<i64> {
    plan.steps.iter().find(|step| matches!(step.write, Write::IssueSecret(_))).map(|step| step.issue.expect("a number"))
}

fn retired(plan: &Plan) -> Vec<&str> {
    let retired = plan.steps.iter().filter_map(|step| match &step.write {
        Write::RetireSecret { secret, .. } => Some(secret.as_str()),
        _ => None,
    });
    retired.collect()
}

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

/// What is asked for, and what is said of the secret of the last object.
fn outcome(plan: &Plan) -> (Option<i64>, Option<(SecretState, i64)>) {
    let secrecy = plan.secrets.last().and_then(Option::as_ref);
    (asked(plan), secrecy.map(|it| (it.issued.state, it.issued.issue)))
}

/// A client may have been made anew, or have got another secret, while it was not the object's.
#[test]
fn what_was_delivered_before_a_client_was_another_objects_does_not_count() {
    use SecretState::{Delivered, Pending, Unknown};
    let mut secret = secret();
    secret.token.issued = Some(issued(Delivered, 2));
    secret.token.kept = Kept::Ours { issue: 2, holds: true };
    let (mut object, snapshot) = standing(CREATED, secret, Some(&["theirs"]));
    object.ledger.clear();
    let plan = planned(std::slice::from_ref(&object), &snapshot);
    assert_eq!(outcome(&plan), (None, Some((Unknown, 2))), "a stranger's");
    let giver = client(PVE, &[]).holding(&[(client_claim(PVE), CREATED)]);
    let giver = Object { key: ObjectKey { name: "giver".to_owned(), ..giver.key.clone() }, ..giver };
    let observer = Object { mode: Mode::Observe, ..giver.clone() };
    let plan = planned(&[observer, object.clone()], &snapshot);
    assert_eq!(outcome(&plan), (None, Some((Unknown, 2))), "that of who observes may be in use");
    let both = [giver.deleted(), object];
    assert_eq!(outcome(&planned(&both, &snapshot)), (Some(3), Some((Pending, 3))), "that of who goes is gone with it");
    let plan = after_failure(&both, &snapshot, &client_claim(PVE), FailureKind::Lost, 0);
    assert_eq!(outcome(&plan), (None, Some((Pending, 3))), "also while it is waited with the request");
}

#[test]
fn who_takes_over_from_an_observer_ends_nobodys_secret() {
    let observer = client(PVE, &[]).holding(&[(client_claim(PVE), CREATED)]);
    let key = ObjectKey { name: "observer".to_owned(), ..observer.key.clone() };
    let observer = Object { key, mode: Mode::Observe, ..observer };
    let (mut heir, snapshot) = standing(CREATED, secret(), Some(&["in-use"]));
    heir.ledger.clear();
    let plan = planned(&[observer, heir.clone()], &snapshot);
    assert_eq!(outcome(&plan), (None, Some((SecretState::Unknown, 0))));
    heir.ledger.insert(client_claim(PVE), CREATED);
    let secret = heir.secret.as_mut().expect("a secret");
    secret.token.issued = plan.secrets[1].as_ref().map(|it| it.issued.clone());
    secret.token.wish.requested = Some("now".to_owned());
    let plan = planned(&[heir], &snapshot);
    assert_eq!(asked(&plan), Some(1), "where a new one is asked for");
    assert_eq!(plan.secrets[0].as_ref().map(|it| it.others.clone()), Some(secrets(&["in-use"])), "that one stays");
}

#[test]
fn a_failed_request_for_a_secret_waits_for_its_time() {
    let mut secret = secret();
    secret.token.issued = Some(issued(SecretState::Pending, 1));
    let (object, snapshot) = standing(CREATED, secret, None);
    for (now, expected) in [(999, None), (1000, Some(1))] {
        let objects = std::slice::from_ref(&object);
        let plan = after_failure(objects, &snapshot, &client_claim(PVE), FailureKind::Lost, now);
        assert_eq!(asked(&plan), expected, "at {now}");
        assert!(matches!(plan.verdicts[0].claims[&client_claim(PVE)], ClaimState::Failed(_)), "at {now}");
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
