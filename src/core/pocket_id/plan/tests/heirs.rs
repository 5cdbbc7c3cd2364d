//! Clients that were others' before, of an object or of a stranger, with the secrets that are in use.

use serde_json::json;

use super::super::*;
use super::fixtures::*;
use super::model::{deliver, store};
use crate::api::status::SecretState;
use crate::core::object::ObjectKey;
use crate::core::pocket_id::ids::{ClientId, SecretId};
use crate::core::token::Kept;

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
    let giver = client("pve", &[]).holding(&[(client_claim("pve"), CREATED)]);
    let giver = by("giver", giver);
    let observer = Object { mode: Mode::Observe, ..giver.clone() };
    let plan = planned(&[observer, object.clone()], &snapshot);
    assert_eq!(outcome(&plan), (None, Some((Unknown, 2))), "that of who observes may be in use");
    let both = [giver.deleted(), object];
    assert_eq!(outcome(&planned(&both, &snapshot)), (Some(3), Some((Pending, 3))), "that of who goes is gone with it");
    let plan = after_failure(&both, &snapshot, &client_claim("pve"), FailureKind::Lost, 0);
    assert_eq!(outcome(&plan), (None, Some((Pending, 3))), "also while it is waited with the request");
}

#[test]
fn who_takes_over_from_an_observer_ends_nobodys_secret() {
    let observer = client("pve", &[]).holding(&[(client_claim("pve"), CREATED)]);
    let observer = Object { mode: Mode::Observe, ..by("observer", observer) };
    let (mut heir, snapshot) = standing(CREATED, secret(), Some(&["in-use"]));
    heir.ledger.clear();
    let plan = planned(&[observer, heir.clone()], &snapshot);
    assert_eq!(outcome(&plan), (None, Some((SecretState::Unknown, 0))));
    heir.ledger.insert(client_claim("pve"), CREATED);
    let secret = heir.secret.as_mut().expect("a secret");
    secret.token.issued = plan.secrets[1].as_ref().map(|it| it.issued.clone());
    secret.token.wish.requested = Some("now".to_owned());
    let plan = planned(&[heir], &snapshot);
    assert_eq!(asked(&plan), Some(1), "where a new one is asked for");
    assert_eq!(plan.secrets[0].as_ref().map(|it| it.others.clone()), Some(secrets(&["in-use"])), "that one stays");
}

/// As where an object is made anew under another name, and the realm refers to that one then.
#[test]
fn the_secret_that_a_realm_has_works_until_it_has_that_of_the_heir() {
    let giver = by("a", client("pve", &[])).holding(&[(client_claim("pve"), CREATED)]).deleted();
    let (mut heir, mut snapshot) = standing(CREATED, secret(), Some(&["in-use"]));
    heir.ledger.clear();
    let mut objects = [giver, by("b", heir)];
    let plan = planned(&objects, &snapshot);
    let issue = asked(&plan).expect("the heir gets a secret of its own");
    store(&mut objects, &plan);
    let [_, mut heir] = objects;
    deliver(&mut heir, issue, SecretId::observed("new"));
    let standing = snapshot.clients.get_mut(&ClientId::observed("pve")).expect("a client");
    standing.secrets = Some(secrets(&["in-use", "new"]));
    for (realms_have_it, expected) in [(Some(false), &[][..]), (None, &[]), (Some(true), &["in-use"])] {
        heir.secret.as_mut().expect("a secret").realms_have_it = realms_have_it;
        let plan = planned(std::slice::from_ref(&heir), &snapshot);
        assert_eq!(outcome(&plan), (None, Some((SecretState::Delivered, issue))));
        assert_eq!(retired(&plan), expected, "the realms have it: {realms_have_it:?}");
    }
}

/// What a realm reads from the Secret of the one that goes would be gone before it knows the heir.
#[test]
fn a_client_passes_on_only_when_nothing_refers_to_the_one_that_goes() {
    let realm = ObjectKey { kind: "ProxmoxRealm", namespace: "default".to_owned(), name: "oid".to_owned() };
    let snapshot = with_client(empty(), "pve", json!({}), &[]);
    for entry in [CREATED, ADOPTED] {
        let giver = by("a", client("pve", &[])).holding(&[(client_claim("pve"), entry)]).deleted();
        let referred = Object { users: vec![realm.clone()], ..giver.clone() };
        let heir = by("b", client("pve", &[]));
        let plan = planned(&[referred, heir.clone()], &snapshot);
        assert!(plan.steps.is_empty() && plan.verdicts[1].ledger.is_empty(), "{entry:?}: {:?}", plan.steps);
        let told = [refused(&plan, 0), refused(&plan, 1)];
        assert_eq!(told, [Some(Reason::DeletionBlocked), Some(Reason::Conflict)], "{entry:?}");
        let plan = planned(&[giver, heir], &snapshot);
        assert_eq!(plan.verdicts[1].ledger.get(&client_claim("pve")), Some(&entry), "and then it does");
    }
}

/// A secret that was asked for after the client was taken over is in one Secret alone, which is collected with its object
/// unless it is left.
#[test]
fn the_secret_of_a_client_that_was_taken_over_stays_when_the_client_passes_on() {
    let snapshot = with_client(empty(), "pve", json!({}), &[]);
    for (entry, left) in [(ADOPTED, vec![client_claim("pve")]), (CREATED, Vec::new())] {
        let giver = by("a", client("pve", &[])).holding(&[(client_claim("pve"), entry)]).deleted();
        let mut objects = [giver, by("b", client("pve", &[]))];
        let plan = planned(&objects, &snapshot);
        assert_eq!(asked(&plan).is_none(), !left.is_empty(), "{entry:?}: its heir gets a secret, or the Secret stays");
        store(&mut objects, &plan);
        let plan = planned(&objects, &snapshot);
        assert!(plan.verdicts[0].ledger.is_empty(), "{entry:?}: it may go");
        assert_eq!(plan.verdicts[0].left, left, "{entry:?}");
    }
}

/// That it was once to be made does not make it ours, nor does it make its secrets ones that nobody uses.
#[test]
fn a_client_that_somebody_else_made_first_keeps_its_secrets() {
    let (mut object, snapshot) = standing(CREATED, secret(), Some(&["theirs"]));
    object.ledger.clear();
    let mut objects = [object];
    let plan = planned(&objects, &empty());
    assert_eq!(outcome(&plan), (Some(1), Some((SecretState::Pending, 1))), "it is to be made");
    store(&mut objects, &plan);
    let plan = after_failure(&objects, &snapshot, &client_claim("pve"), FailureKind::AlreadyExists, 2000);
    assert!(plan.steps.is_empty(), "{:?}", plan.steps);
    assert_eq!(plan.verdicts[0].ledger.get(&client_claim("pve")), Some(&ADOPTED));
    assert_eq!(outcome(&plan), (None, Some((SecretState::Unknown, 1))));
    store(&mut objects, &plan);
    objects[0].secret.as_mut().expect("a secret").token.wish.requested = Some("now".to_owned());
    let plan = planned(&objects, &snapshot);
    assert_eq!(asked(&plan), Some(2), "where one is asked for");
    assert_eq!(plan.secrets[0].as_ref().map(|it| it.others.clone()), Some(secrets(&["theirs"])), "theirs stay");
}
