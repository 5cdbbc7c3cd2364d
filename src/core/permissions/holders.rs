//! Who holds a privilege on `/`. It is asked about everybody in each pass, so only those are evaluated who come into
//! question.

use std::collections::BTreeSet;

use super::Directory;
use crate::core::ids::{AclPath, Subject, TokenId, UserId};
use crate::core::snapshot::Credential;

/// Users and tokens that hold a privilege.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holders {
    /// Users, without `root@pam`.
    pub users: BTreeSet<UserId>,
    /// Tokens, also those of `root@pam`.
    pub tokens: BTreeSet<TokenId>,
}

impl Directory {
    /// Who besides `root@pam` holds a privilege on `/` at `now`. Evaluating one goes through all entries, so ask a
    /// [`Directory::top`], which has only those that count.
    pub fn holders(&self, privilege: &str, now: i64) -> Holders {
        let top = AclPath::root();
        let holds = |credential: &Credential| self.rights(credential, now).holds(&top, privilege);
        let users: BTreeSet<UserId> = self
            .in_question(privilege)
            .into_iter()
            .filter(|user| holds(&Credential::User((*user).clone())))
            .cloned()
            .collect();
        // What a token holds, its user holds too.
        let of_holder = |token: &TokenId| {
            let user = token.user();
            user.is_root() || users.contains(&user)
        };
        let tokens = self.tokens.keys().filter(|token| of_holder(token));
        let tokens = tokens.filter(|token| holds(&Credential::Token((*token).clone()))).cloned().collect();
        Holders { users, tokens }
    }

    /// The users who have a role with the privilege on `/`, whatever else they have there.
    fn in_question(&self, privilege: &str) -> BTreeSet<&UserId> {
        let grants = |role| self.roles.get(role).is_some_and(|privileges| privileges.contains(privilege));
        let keys = self.acl.keys().filter(|key| key.path.as_str() == "/" && grants(&key.role));
        let mut users = BTreeSet::new();
        for key in keys {
            match &key.subject {
                Subject::User(user) if !user.is_root() => drop(users.insert(user)),
                Subject::Group(group) => {
                    users.extend(self.groups.get(group).into_iter().flatten().filter(|it| !it.is_root()));
                }
                Subject::User(_) | Subject::Token(_) => {}
            }
        }
        users
    }
}
