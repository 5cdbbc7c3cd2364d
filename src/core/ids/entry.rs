//! ACL entries: whom they are for, where, and what they grant.

use std::fmt;

use super::{AclPath, GroupId, RoleId, TokenId, UserId};

/// Whom an ACL entry is for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// All members of a group.
    Group(GroupId),
    /// One user.
    User(UserId),
    /// One API token.
    Token(TokenId),
}

impl Subject {
    /// `group`, `user` or `token`, the words of PVE's ACL list.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Group(_) => "group",
            Self::User(_) => "user",
            Self::Token(_) => "token",
        }
    }

    /// The user that it is, or whose token it is.
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::Group(_) => None,
            Self::User(user) => Some(user.clone()),
            Self::Token(token) => Some(token.user()),
        }
    }

    /// The id without its kind.
    pub fn id(&self) -> &str {
        match self {
            Self::Group(id) => id.as_str(),
            Self::User(id) => id.as_str(),
            Self::Token(id) => id.as_str(),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.id())
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// One ACL entry without its `propagate`: PVE's key (recording `acl-propagate`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AclKey {
    /// Where it stands.
    pub path: AclPath,
    /// Whom it is for.
    pub subject: Subject,
    /// What it grants.
    pub role: RoleId,
}

impl fmt::Display for AclKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {} on {}", self.role, self.subject, self.path)
    }
}
