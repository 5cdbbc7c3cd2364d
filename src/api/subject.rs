//! Whom something is about: a union that several kinds have.

use crate::api::access_check::CheckSubject;
use crate::api::acl::AclSubject;
use crate::api::refs::ObjectRef;

/// The one field of such a union that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectName<'a> {
    /// The id of a group.
    Group(&'a str),
    /// A ProxmoxGroup.
    GroupRef(&'a ObjectRef),
    /// The id of a user.
    User(&'a str),
    /// A ProxmoxUser.
    UserRef(&'a ObjectRef),
    /// The id of a token.
    Token(&'a str),
    /// A ProxmoxToken.
    TokenRef(&'a ObjectRef),
}

macro_rules! name {
    ($union:ident) => {
        impl $union {
            /// What it names, if that is exactly one thing.
            pub fn name(&self) -> Option<SubjectName<'_>> {
                let Self { group, group_ref, user, user_ref, token, token_ref } = self;
                let names = [
                    group.as_deref().map(SubjectName::Group),
                    group_ref.as_ref().map(SubjectName::GroupRef),
                    user.as_deref().map(SubjectName::User),
                    user_ref.as_ref().map(SubjectName::UserRef),
                    token.as_deref().map(SubjectName::Token),
                    token_ref.as_ref().map(SubjectName::TokenRef),
                ];
                let mut set = names.into_iter().flatten();
                let first = set.next()?;
                set.next().is_none().then_some(first)
            }
        }
    };
}

name!(AclSubject);
name!(CheckSubject);
