//! The secret of a token: when a new one is due, and whether the one that was shown has arrived.
//!
//! PVE shows a secret once. So that none is lost whatever happens in between, `Pending` is stored with the number of the
//! issue before PVE is asked, and the Secret says which issue it holds: `Pending` whose Secret holds the same issue has
//! arrived, and `Pending` without it is asked for again.

pub mod template;

use crate::api::Reason;
use crate::api::object::System;
use crate::api::status::SecretState;
use crate::core::ids::AclPath;
use crate::core::ids::RoleId;
use crate::core::object::Refusal;

/// What a token's spec says of its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Seconds that each secret works.
    pub lifetime: Option<i64>,
    /// Seconds after which a secret is replaced, whichever comes first.
    pub replace_after: Option<i64>,
    /// Whether a lost Secret is made up for by a new secret.
    pub rotate_lost: bool,
    /// The value of the annotation that asks for a new secret.
    pub requested: Option<String>,
    /// The name of the Secret.
    pub secret_name: String,
    /// Who shows the secret once.
    pub system: System,
}

/// What the status says of the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// How it stands with it.
    pub state: SecretState,
    /// Its number, counted from 1.
    pub issue: i64,
    /// Seconds since 1970 when it was asked for; `None` for one that was taken over.
    pub at: Option<i64>,
    /// The last request that was handled.
    pub handled: Option<String>,
    /// Entries of the token that are to be put back after it was made anew.
    pub restoring: Vec<(AclPath, RoleId, bool)>,
}

/// What stands in Kubernetes under the name of the Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Nothing.
    Absent,
    /// A Secret that is not this object's.
    Foreign {
        /// An object of its kind and name that is gone owned it, and nobody has collected it yet.
        of_namesake: bool,
    },
    /// Ours.
    Ours {
        /// The issue that it says it holds.
        issue: i64,
        /// Whether a secret of this very token is in it.
        holds: bool,
    },
    /// It could not be read.
    Unread(Refusal),
}

impl Kept {
    /// Whether it is what was last issued: a Secret that had the name before may hold one that does not work any more.
    pub fn has(&self, issued: &Issued) -> bool {
        matches!(self, Self::Ours { issue, holds: true } if *issue >= issued.issue)
    }
}

/// Who had a token before it came to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Former {
    /// Nobody of ours that made it: its secrets are somebody's.
    Stranger,
    /// An object that only observes it now, and whose Secret may be in use.
    Observer,
    /// An object that goes, and its Secret with it.
    Leaver,
}

/// A token as the plan sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What the spec says.
    pub wish: Wish,
    /// What the status says.
    pub issued: Option<Issued>,
    /// What stands in Kubernetes.
    pub kept: Kept,
    /// A secret that PVE has shown waits in memory to be written.
    pub in_hand: bool,
    /// Seconds since 1970.
    pub now: i64,
}

/// What to do about the secret of a token that stands and is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing; this is how it stands.
    Keep(Issued),
    /// Ask PVE for a new one, which is this.
    Issue(Issued),
    /// It cannot go on as things are.
    Refuse(Refusal),
}

impl Token {
    /// Seconds since 1970 when a secret is replaced that was asked for at `at`.
    pub fn due(&self, issued: &Issued) -> Option<i64> {
        Some(issued.at?.saturating_add(self.wish.replace_after?))
    }

    /// Seconds since 1970 when a secret expires that is asked for at `at`.
    pub fn expiry(&self, at: i64) -> Option<i64> {
        Some(at.saturating_add(self.wish.lifetime?))
    }

    /// The issue after the present one.
    pub fn fresh(&self) -> Issued {
        let said = self.issued.as_ref().map_or(0, |issued| issued.issue);
        let kept = match self.kept {
            Kept::Ours { issue, .. } => issue,
            Kept::Absent | Kept::Foreign { .. } | Kept::Unread(_) => 0,
        };
        let handled = self.wish.requested.clone();
        Issued {
            state: SecretState::Pending,
            issue: said.max(kept) + 1,
            at: Some(self.now),
            handled,
            restoring: Vec::new(),
        }
    }

    /// An issue that has not arrived is asked for again under its own number, so that nothing new has to be stored.
    pub fn again(&self, issued: Issued) -> Issued {
        let fresh = self.fresh();
        if issued.state == SecretState::Pending && fresh.issue <= issued.issue + 1 { issued } else { fresh }
    }

    /// The issue of a token that is made now. Whatever was shown before was of one that is gone, and must not count as this
    /// one's.
    pub fn first(&self) -> Issued {
        let shown = |issue: i64| self.in_hand || matches!(self.kept, Kept::Ours { issue: kept, .. } if kept >= issue);
        match &self.issued {
            Some(issued) if !shown(issued.issue) => self.again(issued.clone()),
            Some(_) | None => self.fresh(),
        }
    }

    /// What is to be stored when the token comes to an object that had no say in it: whatever was shown of it before may not
    /// work any more.
    pub fn taken_over(&self, from: Former) -> Option<Issued> {
        match from {
            Former::Stranger => self.issued.as_ref().map(|_| self.unknown()),
            Former::Observer => Some(self.unknown()),
            Former::Leaver => self.issued.as_ref().map(|_| self.fresh()),
        }
    }

    /// A secret of the token that is not in the Secret, if there is any.
    fn unknown(&self) -> Issued {
        let fresh = self.fresh();
        let handled = self.issued.as_ref().map_or(fresh.handled, |said| said.handled.clone());
        Issued { state: SecretState::Unknown, issue: fresh.issue - 1, at: None, handled, restoring: Vec::new() }
    }

    /// Why no secret may be asked for: it would have nowhere to go.
    pub fn nowhere(&self) -> Option<Refusal> {
        match &self.kept {
            Kept::Absent | Kept::Ours { .. } => None,
            Kept::Unread(refusal) => Some(refusal.clone()),
            Kept::Foreign { of_namesake } => {
                let name = &self.wish.secret_name;
                let message = if *of_namesake {
                    format!(
                        "Secret {name} is left of an object of this name that is gone; remove it: kubectl delete secret {name}"
                    )
                } else {
                    format!(
                        "Secret {name} stands there and is not this object's; choose another secretTemplate.name, or remove it"
                    )
                };
                Some(Refusal::new(Reason::SecretConflict, message))
            }
        }
    }

    /// What to do about the secret; `adopted`: the token stood before us.
    pub fn next(&self, adopted: bool) -> Next {
        if let Some(refusal) = self.nowhere() {
            return Next::Refuse(refusal);
        }
        let arrived = |issued: Issued| Next::Keep(Issued { state: SecretState::Delivered, ..issued });
        let (kept_issue, holds) = match self.kept {
            Kept::Ours { issue, holds } => (issue, holds),
            Kept::Absent | Kept::Foreign { .. } | Kept::Unread(_) => (0, false),
        };
        let Some(issued) = self.issued.clone() else {
            let first = Issued { at: None, issue: kept_issue, ..self.fresh() };
            return match (holds, adopted) {
                // As after a restore of a backup without statuses.
                (true, _) => arrived(first),
                (false, true) => Next::Keep(Issued { state: SecretState::Unknown, issue: 0, ..first }),
                (false, false) => Next::Issue(self.fresh()),
            };
        };
        let requested = self.wish.requested.is_some() && self.wish.requested != issued.handled;
        match issued.state {
            SecretState::Pending if self.in_hand => Next::Keep(issued),
            SecretState::Pending if holds && kept_issue == issued.issue => arrived(issued),
            SecretState::Pending => Next::Issue(self.again(issued)),
            _ if requested => Next::Issue(self.fresh()),
            // The Secret may hold one of a cluster that the connection has left.
            SecretState::Unknown if holds && kept_issue > issued.issue => {
                arrived(Issued { issue: kept_issue, ..issued })
            }
            SecretState::Delivered if !self.kept.has(&issued) && self.wish.rotate_lost => Next::Issue(self.fresh()),
            SecretState::Delivered if !self.kept.has(&issued) => Next::Refuse(Refusal::new(
                Reason::SecretLost,
                format!(
                    "Secret {} is gone or does not hold it any more, and {} does not show it again; put it back, or ask for a \
                     new one with the annotation {}",
                    self.wish.secret_name,
                    self.wish.system.name(),
                    crate::api::ROTATE_REQUESTED_AT
                ),
            )),
            SecretState::Delivered if self.due(&issued).is_some_and(|due| due <= self.now) => Next::Issue(self.fresh()),
            SecretState::Unknown | SecretState::Delivered => Next::Keep(issued),
        }
    }
}

#[cfg(test)]
mod tests {
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
}
