//! What an object says should stand in Proxmox VE, one thing at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use crate::api::status::{LedgerEntry, LedgerState as Progress, Origin};
use crate::core::ids::{AclKey, AclPath, GroupId, IdError, PoolId, RealmId, RoleId, Subject, TokenId, UserId};
use crate::core::object::ObjectKey;
use crate::core::realm::RealmContent;

/// One thing that may stand in PVE. Realms, groups and pools are named: one object holds them.
/// ACL entries are members of a set: several objects may hold the same one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claim {
    /// A realm.
    Realm(RealmId),
    /// A group.
    Group(GroupId),
    /// A pool.
    Pool(PoolId),
    /// One ACL entry.
    Acl(AclKey),
}

impl Claim {
    /// True for what is always there: it is managed without being owned, and left as it is.
    pub fn is_builtin(&self) -> bool {
        matches!(self, Self::Realm(id) if matches!(id.as_str(), "pam" | "pve"))
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Realm(id) => write!(f, "realm {id}"),
            Self::Group(id) => write!(f, "group {id}"),
            Self::Pool(id) => write!(f, "pool {id}"),
            Self::Acl(key) => write!(f, "ACL entry {key}"),
        }
    }
}

/// A claim with what it should look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What should stand.
    pub claim: Claim,
    /// How.
    pub content: Content,
    /// The objects it refers to: nothing is made before they are fine.
    pub needs: Vec<ObjectKey>,
}

/// How a claimed thing should look. Fields that are `None` are not managed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Of a realm.
    Realm(RealmContent),
    /// Of a group.
    Group {
        /// Empty clears.
        comment: Option<String>,
    },
    /// Of a pool.
    Pool {
        /// Empty clears.
        comment: Option<String>,
    },
    /// Of an ACL entry.
    Acl {
        /// Whether it also counts below its path.
        propagate: bool,
    },
}

/// What the ledger says of one claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// How we came to it.
    pub origin: Origin,
    /// How far it has come: intended before the first write, applied once seen standing.
    pub progress: Progress,
}

/// The claims that an object has intended or applied.
pub type Ledger = BTreeMap<Claim, Entry>;

/// Why a stored row cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Not of the form that [`to_rows`] writes.
    #[error("ledger row {0:?} is not of a form this version writes")]
    Form(String),
    /// An id in it is none.
    #[error(transparent)]
    Id(#[from] IdError),
}

/// Folds a ledger into the rows of a status, such as `group admins` or `acl / PVEAuditor,PVEAdmin group:a,user:b@pve`:
/// ACL entries become products of roles and subjects. An object of 64 roles and 1,024 subjects has 65,536 entries;
/// spelled out they would not fit into etcd.
pub fn to_rows(ledger: &Ledger) -> Vec<LedgerEntry> {
    let mut rows = Vec::new();
    let row = |claim, Entry { origin, progress: state }: Entry| LedgerEntry { claim, origin, state };
    let mut products: BTreeMap<(&AclPath, Entry), BTreeMap<&RoleId, BTreeSet<&Subject>>> = BTreeMap::new();
    for (claim, entry) in ledger {
        match claim {
            Claim::Realm(id) => rows.push(row(format!("realm {id}"), *entry)),
            Claim::Group(id) => rows.push(row(format!("group {id}"), *entry)),
            Claim::Pool(id) => rows.push(row(format!("pool {id}"), *entry)),
            Claim::Acl(AclKey { path, subject, role }) => {
                products.entry((path, *entry)).or_default().entry(role).or_default().insert(subject);
            }
        }
    }
    for ((path, entry), by_role) in products {
        let mut folded: BTreeMap<&BTreeSet<&Subject>, Vec<&RoleId>> = BTreeMap::new();
        for (role, subjects) in &by_role {
            folded.entry(subjects).or_default().push(role);
        }
        for (subjects, roles) in folded {
            let roles = roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(",");
            let subjects = subjects.iter().map(|s| format!("{}:{}", s.kind(), s.id())).collect::<Vec<_>>().join(",");
            rows.push(row(format!("acl {path} {roles} {subjects}"), entry));
        }
    }
    rows
}

/// Unfolds stored rows.
///
/// # Errors
/// When a row was not written by [`to_rows`]. Such a ledger must not be taken for an empty one.
pub fn from_rows(rows: &[LedgerEntry]) -> Result<Ledger, LedgerError> {
    let mut ledger = Ledger::new();
    for LedgerEntry { claim, origin, state } in rows {
        let entry = Entry { origin: *origin, progress: *state };
        let form = || LedgerError::Form(claim.clone());
        match claim.split(' ').collect::<Vec<_>>().as_slice() {
            ["realm", id] => drop(ledger.insert(Claim::Realm(RealmId::parse(id)?), entry)),
            ["group", id] => drop(ledger.insert(Claim::Group(GroupId::parse(id)?), entry)),
            ["pool", id] => drop(ledger.insert(Claim::Pool(PoolId::parse(id)?), entry)),
            ["acl", path, roles, subjects] => {
                let path = AclPath::parse(path)?;
                let subjects = subjects
                    .split(',')
                    .map(|text| match text.split_once(':').ok_or_else(form)? {
                        ("group", id) => Ok(Subject::Group(GroupId::parse(id)?)),
                        ("user", id) => Ok(Subject::User(UserId::parse(id)?)),
                        ("token", id) => Ok(Subject::Token(TokenId::parse(id)?)),
                        _ => Err(form()),
                    })
                    .collect::<Result<Vec<_>, LedgerError>>()?;
                for role in roles.split(',') {
                    let role = RoleId::parse(role)?;
                    ledger.extend(subjects.iter().map(|subject| {
                        let key = AclKey { path: path.clone(), subject: subject.clone(), role: role.clone() };
                        (Claim::Acl(key), entry)
                    }));
                }
            }
            _ => return Err(form()),
        }
    }
    Ok(ledger)
}
