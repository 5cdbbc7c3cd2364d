//! When a new secret is due, and whether one has arrived.

use super::*;

fn token(issued: Option<Issued>, kept: Kept) -> Token {
    let wish = Wish {
        lifetime: None,
        replace_after: None,
        rotate_lost: false,
        requested: None,
        secret_name: "s".to_owned(),
        system: System::ProxmoxVe,
    };
    Token { wish, issued, kept, in_hand: false, now: 1000 }
}

fn issued(state: SecretState, issue: i64) -> Issued {
    Issued { state, issue, at: Some(900), handled: None, restoring: Vec::new() }
}

fn ours(issue: i64, holds: bool) -> Kept {
    Kept::Ours { issue, holds }
}

/// The issue and state after, and whether PVE is asked for it.
fn outcome(token: &Token, adopted: bool) -> Result<(bool, i64, SecretState), Reason> {
    match token.next(adopted) {
        Next::Keep(issued) => Ok((false, issued.issue, issued.state)),
        Next::Issue(issued) => Ok((true, issued.issue, issued.state)),
        Next::Refuse(refusal) => Err(refusal.reason),
    }
}

#[test]
fn a_secret_that_may_be_lost_on_its_way_is_asked_for_again_and_one_that_arrived_is_not() {
    use SecretState::{Delivered, Pending, Unknown};
    for (state, kept, adopted, expected) in [
        // Made by us and nothing stored: killed before the status.
        (None, Kept::Absent, false, Ok((true, 1, Pending))),
        // Taken over: never rotated.
        (None, Kept::Absent, true, Ok((false, 0, Unknown))),
        (Some((Unknown, 0)), Kept::Absent, true, Ok((false, 0, Unknown))),
        (None, ours(3, false), true, Ok((false, 0, Unknown))),
        (Some((Unknown, 0)), ours(3, true), true, Ok((false, 3, Delivered))),
        // Of the cluster before.
        (Some((Unknown, 3)), ours(3, true), true, Ok((false, 3, Unknown))),
        // Its Secret is there all the same, as after a restore.
        (None, ours(4, true), true, Ok((false, 4, Delivered))),
        // Killed between PVE's answer and the Secret.
        (Some((Pending, 1)), Kept::Absent, false, Ok((true, 1, Pending))),
        (Some((Pending, 2)), ours(1, true), false, Ok((true, 2, Pending))),
        // An older status came back with a backup.
        (Some((Pending, 2)), ours(5, true), false, Ok((true, 6, Pending))),
        // Killed between the Secret and the status.
        (Some((Pending, 2)), ours(2, true), false, Ok((false, 2, Delivered))),
        (Some((Delivered, 2)), ours(2, true), false, Ok((false, 2, Delivered))),
        (Some((Delivered, 2)), Kept::Absent, false, Err(Reason::SecretLost)),
        (Some((Delivered, 2)), ours(2, false), false, Err(Reason::SecretLost)),
        // What stands under this name is from before it had another one, or from a backup.
        (Some((Delivered, 2)), ours(1, true), false, Err(Reason::SecretLost)),
        (Some((Delivered, 2)), ours(5, true), false, Ok((false, 2, Delivered))),
        (Some((Delivered, 2)), Kept::Foreign { of_namesake: false }, false, Err(Reason::SecretConflict)),
        (None, Kept::Foreign { of_namesake: false }, false, Err(Reason::SecretConflict)),
    ] {
        let said = format!("{state:?} {kept:?} adopted {adopted}");
        let token = token(state.map(|(state, issue)| issued(state, issue)), kept);
        assert_eq!(outcome(&token, adopted), expected, "{said}");
    }
}

#[test]
fn a_secret_that_is_in_the_way_says_whose_it_is_and_how_to_get_rid_of_it() {
    for (of_namesake, said) in [
        (true, "Secret s is left of an object of this name that is gone; remove it: kubectl delete secret s"),
        (false, "Secret s stands there and is not this object's; choose another secretTemplate.name, or remove it"),
    ] {
        let refusal = token(None, Kept::Foreign { of_namesake }).nowhere().expect("a refusal");
        assert_eq!((refusal.reason, refusal.message.as_str()), (Reason::SecretConflict, said));
    }
}

#[test]
fn what_is_made_anew_never_goes_by_a_number_that_was_shown() {
    use SecretState::{Delivered, Pending};
    for (state, kept, in_hand, issue) in [
        (None, Kept::Absent, false, 1),
        // Nothing of it was ever shown, as far as anybody has it.
        (Some((Pending, 2)), Kept::Absent, false, 2),
        (Some((Pending, 2)), ours(1, true), false, 2),
        // Its secret has arrived, or waits to be written, and the token is gone since.
        (Some((Pending, 2)), ours(2, true), false, 3),
        (Some((Pending, 2)), ours(2, false), false, 3),
        (Some((Pending, 2)), ours(1, true), true, 3),
        (Some((Delivered, 2)), ours(2, true), false, 3),
        (Some((Delivered, 2)), Kept::Absent, false, 3),
        (None, ours(4, true), false, 5),
    ] {
        let said = format!("{state:?} {kept:?} in hand {in_hand}");
        let token = Token { in_hand, ..token(state.map(|(state, issue)| issued(state, issue)), kept) };
        assert_eq!(token.first().issue, issue, "{said}");
    }
}

#[test]
fn a_secret_in_hand_is_not_asked_for_again() {
    let token = Token { in_hand: true, ..token(Some(issued(SecretState::Pending, 3)), Kept::Absent) };
    assert_eq!(outcome(&token, false), Ok((false, 3, SecretState::Pending)));
}

#[test]
fn a_secret_is_replaced_when_it_is_old_lost_or_asked_for() {
    let delivered = || token(Some(issued(SecretState::Delivered, 1)), ours(1, true));
    let with = |change: fn(&mut Token)| {
        let mut token = delivered();
        change(&mut token);
        matches!(token.next(false), Next::Issue(_))
    };
    assert!(!with(|_| {}));
    assert!(!with(|token| token.wish.replace_after = Some(101)));
    assert!(with(|token| token.wish.replace_after = Some(100)));
    assert!(with(|token| token.wish.requested = Some("now".to_owned())));
    assert!(!with(|token| {
        token.wish.requested = Some("now".to_owned());
        if let Some(issued) = token.issued.as_mut() {
            issued.handled = Some("now".to_owned());
        }
    }));
    assert!(with(|token| {
        token.kept = Kept::Absent;
        token.wish.rotate_lost = true;
    }));
}
