//! One write to Proxmox VE: all that the operator can do there.

use std::collections::BTreeSet;

use crate::core::ids::{AclPath, GroupId, PoolId, RealmId, RoleId, Subject};
use crate::core::snapshot::RealmOptions;

/// One request that changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// `POST /access/domains`
    CreateRealm {
        /// The new realm.
        realm: RealmId,
        /// Its `type`.
        kind: &'static str,
        /// Its options, none empty.
        options: RealmOptions,
    },
    /// `PUT /access/domains/{realm}`
    UpdateRealm {
        /// The realm.
        realm: RealmId,
        /// Options to set, none empty.
        set: RealmOptions,
        /// Options to remove, by PVE's names.
        unset: BTreeSet<String>,
        /// Digest of the file as planned against; `None`: read it anew before writing.
        digest: Option<String>,
    },
    /// `DELETE /access/domains/{realm}`
    DeleteRealm {
        /// The realm.
        realm: RealmId,
    },
    /// `POST /access/groups`
    CreateGroup {
        /// The new group.
        group: GroupId,
        /// Its comment; empty for none.
        comment: String,
    },
    /// `PUT /access/groups/{group}`
    UpdateGroup {
        /// The group.
        group: GroupId,
        /// The comment; empty clears.
        comment: String,
    },
    /// `DELETE /access/groups/{group}`
    DeleteGroup {
        /// The group.
        group: GroupId,
    },
    /// `POST /pools`
    CreatePool {
        /// The new pool.
        pool: PoolId,
        /// Its comment; empty for none.
        comment: String,
    },
    /// `PUT /pools?poolid=`
    UpdatePool {
        /// The pool.
        pool: PoolId,
        /// The comment; empty clears.
        comment: String,
    },
    /// `DELETE /pools?poolid=`
    DeletePool {
        /// The pool.
        pool: PoolId,
    },
    /// `PUT /access/acl`
    Acl(AclBatch),
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
