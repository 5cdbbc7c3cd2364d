//! The secret of a token: when a new one is due, and whether the one that was shown has arrived.
//!
//! PVE shows a secret once. So that none is lost whatever happens in between, `Pending` is stored with the number of the
//! issue before PVE is asked, and the Secret says which issue it holds: `Pending` whose Secret holds the same issue has
//! arrived, and `Pending` without it is asked for again.

pub mod template;
#[cfg(test)]
mod tests;

use crate::api::Reason;
use crate::api::object::System;
use crate::api::status::SecretState;
use crate::core::claim::Origin;
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

impl Former {
    /// Whose it was, by whether one of those objects only observes it, and by how they came to it.
    pub fn of(observed: bool, origin: Origin) -> Self {
        match origin {
            _ if observed => Self::Observer,
            Origin::Created => Self::Leaver,
            Origin::Adopted => Self::Stranger,
        }
    }
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
