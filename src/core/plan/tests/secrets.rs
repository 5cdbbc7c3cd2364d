//! Secrets of tokens that were others' before: of a stranger, or of another object.

use super::fixtures::*;
use crate::api::status::SecretState;
use crate::core::claim::Origin;
use crate::core::object::Mode;
use crate::core::plan::*;
use crate::core::token::{Issued, Kept};

const TOKEN: &str = "u@pve!t";

fn delivered(issue: i64) -> Issued {
    Issued { state: SecretState::Delivered, issue, at: Some(0), handled: None, restoring: Vec::new() }
}

/// Where the token stands.
fn standing() -> Snapshot {
    with(empty(), [user("u@pve"), api_token(TOKEN)])
}

/// What is asked for, and what is said of the secret of the last object.
fn outcome(plan: &Plan) -> (Vec<Option<i64>>, Option<(SecretState, i64)>) {
    let said = plan.verdicts.last().and_then(|verdict| verdict.token.as_ref());
    (plan.steps.iter().map(|step| step.issue).collect(), said.map(|it| (it.state, it.issue)))
}

/// It may have been made anew, or have got another secret, while it was not the object's.
#[test]
fn what_was_delivered_before_a_token_was_another_objects_does_not_count() {
    use SecretState::{Pending, Unknown};
    let mut back = token_object("back", TOKEN);
    let of_back = back.token.as_mut().expect("a token");
    (of_back.issued, of_back.kept) = (Some(delivered(1)), Kept::Ours { issue: 1, holds: true });
    let snapshot = standing();
    let plan = one(std::slice::from_ref(&back), &snapshot);
    assert_eq!(outcome(&plan), (vec![], Some((Unknown, 1))), "a stranger's");
    let ledger = [held(api_token(TOKEN), Origin::Created)].into();
    let mut giver = Object { mode: Mode::Observe, ledger, ..object("giver", []) };
    let plan = one(&[giver.clone(), back.clone()], &snapshot);
    assert_eq!(outcome(&plan), (vec![], Some((Unknown, 1))), "that of who observes may be in use");
    assert!(plan.handing_over && !plan.verdicts[0].ledger.is_empty(), "not before it is stored");
    giver.mode = Mode::Deleting;
    let plan = one(&[giver, back], &snapshot);
    assert_eq!(outcome(&plan), (vec![Some(2)], Some((Pending, 2))), "that of who goes is gone with it");
    assert_eq!(plan.verdicts[1].ledger[&api_token(TOKEN)].origin, Origin::Created);
}

/// Stores what a plan says of an object.
fn store(object: &mut Object, verdict: &Verdict) {
    object.ledger.clone_from(&verdict.ledger);
    if let Some(token) = &mut object.token {
        token.issued.clone_from(&verdict.token);
    }
}

/// That it was once to be made does not make it ours, nor does it make its secret one that nobody uses.
#[test]
fn a_token_that_somebody_else_made_first_keeps_its_secret() {
    let mut objects = [token_object("token", TOKEN)];
    let first = one(&objects, &with(empty(), [user("u@pve")]));
    assert_eq!(outcome(&first), (vec![Some(1)], Some((SecretState::Pending, 1))), "it is to be made");
    store(&mut objects[0], &first.verdicts[0]);
    let failure = Failure { kind: FailureKind::AlreadyExists, message: "exists".to_owned() };
    let failed = FailedClaim { failure, retry_at: 0, tries: 1, hidden: None };
    let memory = Memory { failures: [(api_token(TOKEN), failed)].into(), ..Memory::default() };
    let snapshot = standing();
    for passes in 0..3 {
        let plan = plan(&Input { now: 1, ..input(&objects, &snapshot, &memory) });
        assert!(plan.steps.is_empty(), "{passes} passes later: {:?}", plan.steps);
        store(&mut objects[0], &plan.verdicts[0]);
    }
    assert_eq!(objects[0].ledger[&api_token(TOKEN)].origin, Origin::Adopted);
    let issued = objects[0].token.as_ref().and_then(|token| token.issued.as_ref());
    assert_eq!(issued.map(|issued| issued.state), Some(SecretState::Unknown));
}

/// A secret that was asked for after the token was taken over is in one Secret alone, which is collected with its object
/// unless it is left.
#[test]
fn the_secret_of_a_token_that_was_taken_over_stays_when_the_token_passes_on() {
    for (origin, stays) in [(Origin::Adopted, true), (Origin::Created, false)] {
        let mut giver = token_object("giver", TOKEN);
        let token = giver.token.as_mut().expect("a token");
        (token.issued, token.kept) = (Some(delivered(1)), Kept::Ours { issue: 1, holds: true });
        giver.wanted.clear();
        (giver.mode, giver.ledger) = (Mode::Deleting, [held(api_token(TOKEN), origin)].into());
        let plan = one(&[giver, token_object("heir", TOKEN)], &standing());
        assert!(plan.verdicts[0].ledger.is_empty(), "{origin:?}: it may go");
        assert_eq!(plan.verdicts[0].left.contains(&api_token(TOKEN)), stays, "{origin:?}");
        let (asked, _) = outcome(&plan);
        assert_eq!(asked.is_empty(), stays, "{origin:?}: its heir gets a secret that nobody has, or the Secret stays");
    }
}
