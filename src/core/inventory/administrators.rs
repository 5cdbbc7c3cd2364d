//! Who may grant everything: whoever holds `Permissions.Modify` on `/`.

use std::collections::BTreeMap;

use super::Input;
use super::stock::Answered;
use crate::core::claim::{Claim, Thing};
use crate::core::ids::{TokenId, UserId};
use crate::core::permissions::{Directory, Holders};
use crate::core::visibility::Visibility;

/// What makes an administrator: one may grant oneself everything else with it.
const GRANTS_ALL: &str = "Permissions.Modify";

/// The lists of PVE that it follows from.
const LISTS: [&str; 4] = ["acl", "groups", "roles", "users"];

/// All administrators that may be used now, besides `root@pam`, each with whether they are so by the entries that objects
/// answer for alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Administrators {
    /// Users.
    pub users: BTreeMap<UserId, bool>,
    /// Tokens, also those of `root@pam`.
    pub tokens: BTreeMap<TokenId, bool>,
}

impl Administrators {
    /// `None` when not all of what it follows from is seen.
    pub(super) fn of(input: &Input<'_>, answered: &Answered<'_>) -> Option<Self> {
        let lists = input.view.visibility();
        if !LISTS.iter().all(|list| lists.contains(&(*list, Visibility::Known))) {
            return None;
        }
        let mut top = Directory::top(input.snapshot)?;
        let all = top.holders(GRANTS_ALL, input.now);
        top.acl.retain(|key, _| answered.has(&Claim::Acl(key.clone())));
        let Holders { users, tokens } = top.holders(GRANTS_ALL, input.now);
        let by_claim = |token: &TokenId| {
            // A full token of root@pam is so by no entry at all.
            let held = !token.user().is_root() || answered.has(&Thing::Token(token.clone()).into());
            held && tokens.contains(token)
        };
        Some(Self {
            tokens: all.tokens.into_iter().map(|token| (token.clone(), by_claim(&token))).collect(),
            users: all.users.into_iter().map(|user| (user.clone(), users.contains(&user))).collect(),
        })
    }

    /// Their names, users first, each with whether they are so by what objects answer for.
    pub fn names(&self) -> impl Iterator<Item = (&str, bool)> {
        let users = self.users.iter().map(|(id, by_claim)| (id.as_str(), *by_claim));
        users.chain(self.tokens.iter().map(|(id, by_claim)| (id.as_str(), *by_claim)))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.users.len() + self.tokens.len()
    }
}
