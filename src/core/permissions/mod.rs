//! What a user or token may do where: PVE's own evaluation, as pure code.
//!
//! The rules, each proven on a recording:
//! - entries on a deeper path replace what came from above (`acl-effective`);
//! - on one path the entries of the user replace those of its groups (`acl-effective`);
//! - `NoAccess` on a path beats the other roles of the same level (`acl-effective`);
//! - an entry without `propagate` counts only on its own path (`acl-propagate`);
//! - rights on a pool reach its guests and storages, never propagated (FACTS 87);
//! - a token without privilege separation is its user; one with it holds what both hold (`tokens-privsep`);
//! - `root@pam` holds everything (`tokens-privsep`).
//!
//! The lockout guard, visibility, policy, access checks and the simulator all use this one evaluation.

mod evaluate;
mod everywhere;
mod explain;
mod holders;
mod inactive;
mod members;
#[cfg(test)]
mod oracle;
mod shown;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use evaluate::Rights;
pub use explain::{Decision, Explanation};
pub use holders::Holders;
pub use inactive::Inactive;
pub use view::Entry;

use crate::core::ids::{AclKey, GroupId, PoolId, RoleId, TokenId, UserId};

/// The role that takes everything away on its path.
pub const NO_ACCESS: &str = "NoAccess";

/// Paths that `GET /access/permissions` always looks at (its answer for an empty PVE).
pub const DEFAULT_PATHS: [&str; 8] = ["/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms"];

/// Privilege → whether it is propagated. A privilege with `false` is held all the same (FACTS 88).
pub type Privileges = BTreeMap<Arc<str>, bool>;

/// Whether a user may be used at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Whether it may log in.
    pub enabled: bool,
    /// Seconds since 1970 after which it may not; 0 for never.
    pub expire: i64,
}

/// What an API token is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Whether its rights are its own entries cut with its user's.
    pub privilege_separation: bool,
    /// Seconds since 1970 after which it is dead; 0 for never.
    pub expire: i64,
}

/// What is in a pool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pool {
    /// Numbers of its guests.
    pub guests: BTreeSet<u64>,
    /// Ids of its storages.
    pub storages: BTreeSet<String>,
}

impl Pool {
    /// The paths of its members.
    fn paths(&self) -> impl Iterator<Item = String> {
        self.guest_paths().chain(self.storage_paths())
    }

    fn guest_paths(&self) -> impl Iterator<Item = String> {
        self.guests.iter().map(|guest| format!("/vms/{guest}"))
    }

    fn storage_paths(&self) -> impl Iterator<Item = String> {
        self.storages.iter().map(|storage| format!("/storage/{storage}"))
    }
}

/// Everything that rights follow from.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    /// Users that exist.
    pub users: BTreeMap<UserId, User>,
    /// Their tokens.
    pub tokens: BTreeMap<TokenId, Token>,
    /// Groups with their members.
    pub groups: BTreeMap<GroupId, BTreeSet<UserId>>,
    /// Roles with what they grant.
    pub roles: BTreeMap<RoleId, BTreeSet<Arc<str>>>,
    /// ACL entries with their `propagate`.
    pub acl: BTreeMap<AclKey, bool>,
    /// Pools with their members.
    pub pools: BTreeMap<PoolId, Pool>,
}

impl Directory {
    /// Every privilege that any role grants: what `root@pam` holds.
    pub fn all_privileges(&self) -> Privileges {
        self.roles.values().flatten().map(|privilege| (privilege.clone(), true)).collect()
    }
}

/// Whether a path is one of a guest or storage, which rights on a pool reach.
pub fn may_be_member(path: &str) -> bool {
    ["/vms/", "/storage/"].iter().any(|top| path.starts_with(top))
}
