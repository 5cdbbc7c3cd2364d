//! One write to Proxmox VE: all that the operator can do there.

use std::collections::BTreeSet;

use crate::core::claim::{PoolItem, Thing};
use crate::core::fields::Fields;
use crate::core::ids::{AclPath, GroupId, PoolId, RoleId, Subject, TokenId, UserId};
use crate::core::secret::Secret;

/// One request that changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Makes a named thing.
    Create {
        /// What.
        thing: Thing,
        /// Its fields, none empty; a realm's `type` is one of them.
        fields: Fields,
    },
    /// Changes fields of a named thing.
    Update {
        /// What.
        thing: Thing,
        /// Fields to set, none empty.
        set: Fields,
        /// Fields to clear.
        unset: BTreeSet<String>,
        /// For a realm: digest of the file as planned against; `None`: read it anew before writing.
        digest: Option<String>,
    },
    /// Removes a named thing.
    Delete {
        /// What.
        thing: Thing,
    },
    /// Gives a token a new secret, and changes fields of it at the same time; its ACL entries stay.
    Regenerate {
        /// Which.
        token: TokenId,
        /// Fields to set.
        set: Fields,
        /// Fields to clear.
        unset: BTreeSet<String>,
    },
    /// `PUT /access/password`: only with a ticket (FACTS 28).
    SetPassword {
        /// Whose.
        user: UserId,
        /// The new password.
        password: Secret,
    },
    /// `PUT /access/users/{user}` with `groups`: all changes of one user's groups at once.
    Groups(GroupChange),
    /// `PUT /pools`: enters or removes members of one pool.
    PoolMembers(PoolChange),
    /// `PUT /access/acl`
    Acl(AclBatch),
}

/// What changes of a user's groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupChange {
    /// Whose.
    pub user: UserId,
    /// The groups to join.
    pub join: BTreeSet<GroupId>,
    /// The groups to leave.
    pub leave: BTreeSet<GroupId>,
    /// The groups to stay in: PVE can add to the list, but to take from it the whole list is sent.
    pub stay: BTreeSet<GroupId>,
}

/// What changes of a pool's members. Adding and removing cannot be mixed in one request (FACTS 83).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolChange {
    /// The pool.
    pub pool: PoolId,
    /// Guests and storages.
    pub items: BTreeSet<PoolItem>,
    /// Added or removed.
    pub change: MemberChange,
}

/// Whether members enter or leave a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemberChange {
    /// They enter.
    Enter {
        /// Guests may be taken from the pool that they are in.
        allow_move: bool,
    },
    /// They leave.
    Leave,
}

/// Roles × subjects at one path, added or removed by one request (FACTS 51).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AclBatch {
    /// Where.
    pub path: AclPath,
    /// Each of these roles …
    pub roles: BTreeSet<RoleId>,
    /// … for each of these subjects.
    pub subjects: BTreeSet<Subject>,
    /// Added or removed.
    pub change: AclChange,
}

/// What an ACL request does with its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AclChange {
    /// Add, or set `propagate` of what stands.
    Grant {
        /// Whether it also counts below the path.
        propagate: bool,
    },
    /// Remove.
    Revoke,
}

impl Write {
    /// Makes a thing.
    pub fn create(thing: Thing, fields: Fields) -> Self {
        Self::Create { thing, fields }
    }

    /// True for what changes the file of the realms, so that its digest changes.
    pub fn is_about_realms(&self) -> bool {
        match self {
            Self::Create { thing, .. } | Self::Update { thing, .. } | Self::Delete { thing } => {
                matches!(thing, Thing::Realm(_))
            }
            Self::Regenerate { .. }
            | Self::SetPassword { .. }
            | Self::Groups(_)
            | Self::PoolMembers(_)
            | Self::Acl(_) => false,
        }
    }

    /// True when the answer has a secret in it that is shown only there.
    pub fn shows_secret(&self) -> bool {
        matches!(self, Self::Create { thing: Thing::Token(_), .. } | Self::Regenerate { .. })
    }
}
