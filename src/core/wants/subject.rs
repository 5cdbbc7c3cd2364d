//! From what a spec says about somebody to who that is in Proxmox VE.

use super::{Named, References, found, key_of};
use crate::api::subject::SubjectName;
use crate::api::{ProxmoxGroup, ProxmoxToken, ProxmoxUser, Reason};
use crate::core::ids::{GroupId, Subject, TokenId, UserId};
use crate::core::object::Refusal;
use crate::core::wants::group::group_id;
use crate::core::wants::token::token_id;
use crate::core::wants::user::user_id;

/// Who somebody is in Proxmox VE, and the object of the namespace that stands for it.
///
/// # Errors
/// When it is none, or what it refers to is not there.
pub fn subject_of(name: Option<SubjectName<'_>>, namespace: &str, references: &References<'_>) -> Named<Subject> {
    let Some(name) = name else {
        let message = "a subject is exactly one of group, groupRef, user, userRef, token and tokenRef";
        return Err(Refusal::new(Reason::InvalidSpec, message));
    };
    match name {
        SubjectName::Group(id) => Ok((Subject::Group(GroupId::parse(id)?), None)),
        SubjectName::GroupRef(it) => {
            let group = group_id(found(&references.groups, it)?, references)?;
            Ok((Subject::Group(group), Some(key_of::<ProxmoxGroup>(namespace, it))))
        }
        SubjectName::User(id) => Ok((Subject::User(UserId::parse(id)?), None)),
        SubjectName::UserRef(it) => {
            let user = user_id(found(&references.users, it)?, references)?;
            Ok((Subject::User(user), Some(key_of::<ProxmoxUser>(namespace, it))))
        }
        SubjectName::Token(id) => Ok((Subject::Token(TokenId::parse(id)?), None)),
        SubjectName::TokenRef(it) => {
            let token = token_id(found(&references.tokens, it)?, references)?;
            Ok((Subject::Token(token), Some(key_of::<ProxmoxToken>(namespace, it))))
        }
    }
}
