//! Who does not say just now what it wants keeps what it holds.

use super::fixtures::*;
use crate::core::claim::{Origin, Scope};
use crate::core::ids::AclPath;
use crate::core::object::Mode;
use crate::core::plan::*;

const TOKEN: &str = "u@pve!t";

/// Objects that hold something and do not say whether they want it.
fn silent(claim: &Claim) -> Vec<(&'static str, Object)> {
    let holder = Object { ledger: [held(claim.clone(), Origin::Created)].into(), ..object("holder", []) };
    // As while a Secret or an object that it refers to cannot be read.
    let refusals = vec![Refusal::new(Reason::DependencyNotReady, "what it refers to does not exist")];
    vec![
        ("it cannot say what it wants", Object { unsure: true, refusals, ..holder.clone() }),
        ("it is denied what it wants", Object { mode: Mode::Denied, ..holder.clone() }),
        ("it was deleted while it was suspended", Object { mode: Mode::DeletingSuspended, ..holder }),
    ]
}

#[test]
fn a_rival_waits_while_the_holder_cannot_say_what_it_wants() {
    let rival = Object { created: -1, wanted: vec![commented(user("u@pve"), "mine")], ..object("rival", []) };
    let snapshot = with(empty(), [user("u@pve")]);
    for (why, holder) in silent(&user("u@pve")) {
        let speaking = Object { ledger: holder.ledger.clone(), ..object("holder", [user("u@pve")]) };
        for holder in [holder, speaking] {
            let plan = one(&[holder, rival.clone()], &snapshot);
            assert_eq!(refusal(&plan, 1).0, Reason::Conflict, "{why}");
            assert!(plan.steps.is_empty() && plan.verdicts[1].ledger.is_empty(), "{why}: {:?}", plan.steps);
            assert!(!plan.verdicts[0].ledger.is_empty(), "{why}");
        }
    }
}

/// The secret in use would die of it.
#[test]
fn a_rival_gets_no_secret_of_a_token_whose_holder_cannot_say_what_it_wants() {
    let rival = Object { created: -1, ..token_object("rival", TOKEN) };
    let snapshot = with(empty(), [user("u@pve"), api_token(TOKEN)]);
    for (why, holder) in silent(&api_token(TOKEN)) {
        let plan = one(&[holder, rival.clone()], &snapshot);
        assert_eq!(refusal(&plan, 1).0, Reason::Conflict, "{why}");
        assert!(plan.steps.is_empty() && plan.verdicts[1].token.is_none(), "{why}: {:?}", plan.steps);
    }
}

#[test]
fn an_exact_set_leaves_what_its_holder_cannot_say_that_it_wants() {
    let (kept, listed) = (entry("/pool/p", "A", "g"), entry("/pool/p", "B", "h"));
    let exact = [Scope::Entries(AclPath::observed("/pool/p"))].into();
    let exact = Object { exact, ..object("exact", [listed.clone()]) };
    let snapshot = with(empty(), [group("g"), group("h"), pool("p"), kept.clone(), listed]);
    assert_eq!(one(std::slice::from_ref(&exact), &snapshot).steps.len(), 1, "what is nobody's goes");
    for (why, holder) in silent(&kept) {
        let plan = one(&[holder, exact.clone()], &snapshot);
        assert!(plan.steps.is_empty(), "{why}: {:?}", plan.steps);
    }
}

#[test]
fn who_goes_leaves_what_another_holder_cannot_say_that_it_wants() {
    let shared = entry("/pool/p", "A", "g");
    let ledger = [held(shared.clone(), Origin::Created)].into();
    let leaver = Object { mode: Mode::Deleting, ledger, ..object("leaver", []) };
    let snapshot = with(empty(), [group("g"), pool("p"), shared.clone()]);
    assert_eq!(one(std::slice::from_ref(&leaver), &snapshot).steps.len(), 1, "with its last holder it goes");
    for (why, holder) in silent(&shared) {
        let plan = one(&[holder, leaver.clone()], &snapshot);
        assert!(plan.steps.is_empty(), "{why}: {:?}", plan.steps);
        assert!(plan.verdicts[1].ledger.is_empty(), "{why}: it need not wait");
    }
}

/// Proxmox VE deletes the tokens of a user with it.
#[test]
fn a_user_stays_while_the_holder_of_its_token_cannot_say_what_it_wants() {
    let ledger = [held(user("u@pve"), Origin::Created)].into();
    let owner = Object { mode: Mode::Deleting, ledger, ..object("owner", []) };
    let snapshot = with(empty(), [user("u@pve"), api_token(TOKEN)]);
    assert_eq!(one(std::slice::from_ref(&owner), &snapshot).steps.len(), 1, "a token of nobody's goes along");
    for (why, holder) in silent(&api_token(TOKEN)) {
        let plan = one(&[owner.clone(), holder], &snapshot);
        assert!(plan.steps.is_empty(), "{why}: {:?}", plan.steps);
        assert_eq!(refusal(&plan, 0).0, Reason::DeletionBlocked, "{why}");
    }
}
