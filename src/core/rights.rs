//! What a write takes where Proxmox VE refuses it without a word about that.

use crate::core::claim::Thing;
use crate::core::failure::{Failure, FailureKind};
use crate::core::ids::AclPath;
use crate::core::visibility::Needed;
use crate::core::write::Write;

impl Write {
    /// A refusal of this write that names the privilege and the path. About users and tokens Proxmox VE says only that a
    /// check failed (recordings `tokens-limited`, `users-delete-unknown`).
    pub fn explain(&self, failure: Failure) -> Failure {
        let Failure { kind, message } = failure;
        let needed = match self {
            Self::Create { thing, .. } | Self::Update { thing, .. } | Self::Delete { thing } => needed(thing),
            Self::Regenerate { .. } | Self::SetPassword { .. } | Self::Groups(_) => Some(modify_users()),
            Self::PoolMembers(_) | Self::Acl(_) => None,
        };
        match needed {
            Some(needed) if kind == FailureKind::Forbidden && !message.contains(" (/") => {
                Failure { kind, message: format!("{message}; it takes {needed}") }
            }
            _ => Failure { kind, message },
        }
    }
}

fn needed(thing: &Thing) -> Option<Needed> {
    match thing {
        Thing::User(_) | Thing::Token(_) => Some(modify_users()),
        Thing::Realm(_) | Thing::SyncJob(_) | Thing::Role(_) | Thing::Group(_) | Thing::Pool(_) => None,
    }
}

fn modify_users() -> Needed {
    Needed { privileges: &["User.Modify"], path: AclPath::observed("/access/groups") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::core::fields::Fields;
    use crate::core::ids::{GroupId, TokenId};

    #[test]
    fn only_a_refusal_that_names_no_right_is_explained() {
        let token = Write::Regenerate {
            token: TokenId::parse("a@pve!ci").expect("a token"),
            set: Fields::new(),
            unset: BTreeSet::new(),
        };
        let group = Write::Delete { thing: Thing::Group(GroupId::parse("g").expect("a group")) };
        let bare = "Permission check failed";
        let named = "Permission check failed (/access/realm/pve, Realm.AllocateUser)";
        for (write, kind, said, explained) in [
            (&token, FailureKind::Forbidden, bare, true),
            (&token, FailureKind::Forbidden, named, false),
            (&token, FailureKind::Invalid, bare, false),
            (&group, FailureKind::Forbidden, bare, false),
        ] {
            let message = write.explain(Failure { kind, message: said.to_owned() }).message;
            let expected =
                if explained { format!("{said}; it takes User.Modify on /access/groups") } else { said.to_owned() };
            assert_eq!(message, expected, "{kind:?}");
        }
    }
}
