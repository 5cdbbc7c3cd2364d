//! The secret of a client: when a new one is due is decided as for tokens; here is when the former ones end.

use std::collections::BTreeSet;

use super::ids::SecretId;
use crate::api::status::SecretState;
use crate::core::token::{Issued, Kept, Next, Token};

/// The key of a client's Secret that has its id.
pub const CLIENT_ID: &str = "clientId";
/// The key of a client's Secret that has its secret.
pub const CLIENT_SECRET: &str = "clientSecret";
/// The key of a client's Secret that has the issuer, to the letter.
pub const ISSUER_URL: &str = "issuerUrl";

/// How long a former secret works beside the new one where nobody tells that it is not needed any more, in seconds.
pub const OVERLAP: i64 = 3600;

/// The secret of a client as the plan sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSecret {
    /// When a new one is due, and whether the one that was shown has arrived.
    pub token: Token,
    /// Secrets that stood before the client was taken over: they are left.
    pub others: BTreeSet<SecretId>,
    /// Whether former secrets may still stand.
    pub retiring: bool,
    /// What Pocket ID calls the one that our Secret holds.
    pub current: Option<SecretId>,
    /// Whether all realms that refer to the client have its present secret; `None` when none does.
    pub realms_have_it: Option<bool>,
    /// How long a former secret works beside the new one where no realm refers to the client, in seconds.
    pub overlap: i64,
}

/// What is to be stored of a client's secret before any step is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrecy {
    /// How it stands with the present one.
    pub issued: Issued,
    /// Secrets that are left.
    pub others: BTreeSet<SecretId>,
    /// Whether former secrets may still stand.
    pub retiring: bool,
}

impl ClientSecret {
    /// Whether it matters now which secrets the client has.
    pub fn needs_list(&self) -> bool {
        let restored = self.token.issued.is_none() && matches!(self.token.kept, Kept::Ours { holds: true, .. });
        self.retiring || restored || matches!(self.token.next(true), Next::Issue(_))
    }

    /// A new one is asked for. Of `listed`, all that stands belongs to others when the client was taken over and nothing
    /// was asked for before. Whether there is anything to retire shows once it has arrived.
    pub fn issuing(&self, issued: Issued, adopted: bool, listed: Option<&BTreeSet<SecretId>>) -> Secrecy {
        let theirs = self.token.issued.as_ref().map_or(adopted, |before| before.state == SecretState::Unknown);
        let others = if theirs { listed.cloned().unwrap_or_default() } else { self.others.clone() };
        Secrecy { issued, others, retiring: true }
    }

    /// The present one stands as `issued`: which former ones are to end now. Secrets whose answer was lost are among them.
    pub fn retiring(&self, issued: &Issued, listed: Option<&BTreeSet<SecretId>>) -> (Secrecy, BTreeSet<SecretId>) {
        let others = match (listed, &self.current) {
            // After a restore without statuses nobody can tell whose the others are.
            (Some(listed), Some(current)) if self.token.issued.is_none() => {
                listed.iter().filter(|id| *id != current).cloned().collect()
            }
            _ => self.others.clone(),
        };
        let keep = |retiring| Secrecy { issued: issued.clone(), others: others.clone(), retiring };
        let (Some(listed), Some(current), SecretState::Delivered) = (listed, &self.current, issued.state) else {
            // Where a client has one secret only, it has no id, and the former one is dead already.
            return (keep(self.retiring && self.current.is_some()), BTreeSet::new());
        };
        let former: BTreeSet<SecretId> =
            listed.iter().filter(|id| *id != current && !others.contains(*id)).cloned().collect();
        let over = issued.at.is_none_or(|at| at.saturating_add(self.overlap) <= self.token.now);
        // Nobody has ever got one before the first.
        let unused = issued.issue == 1 || self.realms_have_it.unwrap_or(over);
        (keep(!former.is_empty()), if unused { former } else { BTreeSet::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::object::System;
    use crate::core::token::Wish;

    fn secret(issue: i64, realms_have_it: Option<bool>, age: i64) -> (ClientSecret, Issued) {
        let issued = Issued {
            state: SecretState::Delivered,
            issue,
            at: Some(10_000 - age),
            handled: None,
            restoring: Vec::new(),
        };
        let kept = Kept::Ours { issue, holds: true };
        let token = Token { wish: wish(), issued: Some(issued.clone()), kept, in_hand: false, now: 10_000 };
        let current = Some(SecretId::observed("new"));
        let others = BTreeSet::from([SecretId::observed("theirs")]);
        (ClientSecret { token, others, retiring: true, current, realms_have_it, overlap: OVERLAP }, issued)
    }

    fn wish() -> Wish {
        let (secret_name, system) = ("s".to_owned(), System::PocketId);
        Wish { lifetime: None, replace_after: None, rotate_lost: false, requested: None, secret_name, system }
    }

    fn ids(ids: &[&str]) -> BTreeSet<SecretId> {
        ids.iter().map(|id| SecretId::observed(id)).collect()
    }

    #[test]
    fn a_former_secret_ends_when_all_realms_have_the_new_one_and_else_with_the_overlap() {
        for (issue, realms, age, ends, why) in [
            (2, Some(false), 9_000, false, "a realm still has the old one"),
            (2, Some(true), 0, true, "all realms have the new one"),
            (2, None, 3_599, false, "nobody tells, and the time is not over"),
            (2, None, 3_600, true, "the time is over"),
            (1, Some(false), 0, true, "a first one whose answer was lost was never used"),
        ] {
            let (secret, issued) = secret(issue, realms, age);
            let (secrecy, retired) = secret.retiring(&issued, Some(&ids(&["new", "old", "theirs"])));
            assert_eq!(retired, if ends { ids(&["old"]) } else { ids(&[]) }, "{why}");
            assert!(secrecy.retiring, "{why}");
        }
    }

    #[test]
    fn with_nothing_left_over_it_is_not_asked_again() {
        let (secret, issued) = secret(2, Some(true), 0);
        let (secrecy, retired) = secret.retiring(&issued, Some(&ids(&["new", "theirs"])));
        assert_eq!((secrecy.retiring, retired), (false, ids(&[])));
    }

    #[test]
    fn what_stood_before_a_client_was_taken_over_stays() {
        let (mut secret, issued) = secret(1, None, 0);
        secret.token.issued = None;
        let secrecy = secret.issuing(issued.clone(), true, Some(&ids(&["theirs", "older"])));
        assert_eq!(secrecy.others, ids(&["theirs", "older"]));
        assert_eq!(secret.issuing(issued, false, Some(&ids(&["lost"]))).others, secret.others);
    }
}
