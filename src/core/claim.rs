//! What an object says should stand in Proxmox VE, one thing at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use crate::api::status::{LedgerEntry, LedgerState as Progress, Origin, SecretVersion};
use crate::core::fields::{Fields, Wishes};
use crate::core::ids::{AclKey, AclPath, GroupId, GuestId, JobId, PoolId, RealmId, RoleId, StorageId, TokenId, UserId};
use crate::core::object::ObjectKey;
use crate::core::realm::RealmContent;
use crate::core::secret::Secret;

/// A thing of PVE that has a name of its own: one object holds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thing {
    /// A realm.
    Realm(RealmId),
    /// A sync job of a realm.
    SyncJob(JobId),
    /// A role.
    Role(RoleId),
    /// A group.
    Group(GroupId),
    /// A user.
    User(UserId),
    /// An API token.
    Token(TokenId),
    /// A pool.
    Pool(PoolId),
}

impl Thing {
    /// The word for it, such as `group`.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Realm(_) => "realm",
            Self::SyncJob(_) => "sync-job",
            Self::Role(_) => "role",
            Self::Group(_) => "group",
            Self::User(_) => "user",
            Self::Token(_) => "token",
            Self::Pool(_) => "pool",
        }
    }

    /// PVE's id of it.
    pub fn id(&self) -> &str {
        match self {
            Self::Realm(id) => id.as_str(),
            Self::SyncJob(id) => id.as_str(),
            Self::Role(id) => id.as_str(),
            Self::Group(id) => id.as_str(),
            Self::User(id) => id.as_str(),
            Self::Token(id) => id.as_str(),
            Self::Pool(id) => id.as_str(),
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.noun(), self.id())
    }
}

/// That a user is in a group. PVE stores it on the user; objects may claim it from either side.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Membership {
    /// The group.
    pub group: GroupId,
    /// The user.
    pub user: UserId,
}

/// What can be in a pool.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PoolItem {
    /// A virtual machine or container: in one pool at most (FACTS 83).
    Guest(GuestId),
    /// A storage: in any number of pools.
    Storage(StorageId),
}

impl fmt::Display for PoolItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guest(id) => write!(f, "guest {id}"),
            Self::Storage(id) => write!(f, "storage {id}"),
        }
    }
}

/// One thing that may stand in PVE. What is named has one holder; memberships, pool members and ACL entries are
/// members of sets: several objects may hold the same one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claim {
    /// A named thing.
    Thing(Thing),
    /// That a user is in a group.
    Member(Membership),
    /// That something is in a pool.
    PoolMember(PoolId, PoolItem),
    /// One ACL entry.
    Acl(AclKey),
}

impl Claim {
    /// True for what belongs to nobody: it is managed without being taken over.
    pub fn is_unowned(&self) -> bool {
        self.is_builtin() && matches!(self, Self::Thing(Thing::Realm(_)))
    }

    /// True for what is always there: it is never removed.
    pub fn is_builtin(&self) -> bool {
        match self {
            Self::Thing(Thing::Realm(id)) => matches!(id.as_str(), "pam" | "pve"),
            Self::Thing(Thing::User(id)) => id.is_root(),
            Self::Thing(Thing::SyncJob(_) | Thing::Role(_) | Thing::Group(_) | Thing::Token(_) | Thing::Pool(_))
            | Self::Member(_)
            | Self::PoolMember(..)
            | Self::Acl(_) => false,
        }
    }

    /// The named thing, if it is one.
    pub fn thing(&self) -> Option<&Thing> {
        match self {
            Self::Thing(thing) => Some(thing),
            Self::Member(_) | Self::PoolMember(..) | Self::Acl(_) => None,
        }
    }
}

impl From<Thing> for Claim {
    fn from(thing: Thing) -> Self {
        Self::Thing(thing)
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thing(thing) => write!(f, "{thing}"),
            Self::Member(Membership { group, user }) => write!(f, "membership of {user} in {group}"),
            Self::PoolMember(pool, item) => write!(f, "{item} in pool {pool}"),
            Self::Acl(key) => write!(f, "ACL entry {key}"),
        }
    }
}

/// A set in PVE of which an object may want to own everything.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Who is in a group.
    Members(GroupId),
    /// Who is in a group whose id is not known yet.
    AnyMembers,
    /// Which groups a user is in.
    Groups(UserId),
    /// What is in a pool.
    Pool(PoolId),
    /// Which entries stand on a path.
    Entries(AclPath),
}

impl Scope {
    /// True when something in `self` may also be in `other`.
    pub fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Members(a), Self::Members(b)) => a == b,
            (Self::Groups(a), Self::Groups(b)) => a == b,
            (Self::Pool(a), Self::Pool(b)) => a == b,
            (Self::Entries(a), Self::Entries(b)) => a == b,
            (Self::Members(_) | Self::AnyMembers | Self::Groups(_), it) => {
                matches!(it, Self::Members(_) | Self::AnyMembers | Self::Groups(_))
            }
            (Self::Pool(_) | Self::Entries(_), _) => false,
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
    /// What PVE never shows, so that it cannot be compared.
    pub hidden: Option<Hidden>,
    /// The objects it refers to: nothing is made before they are fine.
    pub needs: Vec<ObjectKey>,
}

impl Wanted {
    /// A claim that needs no other object.
    pub fn new(claim: impl Into<Claim>, content: Content) -> Self {
        Self { claim: claim.into(), content, hidden: None, needs: Vec::new() }
    }
}

/// A field that PVE takes and never shows: written when its Secret is another version than the one last written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// PVE's name of the field.
    pub name: &'static str,
    /// Its value.
    pub value: Secret,
    /// Which version of which Secret this is.
    pub version: SecretVersion,
}

/// How a claimed thing should look. Fields that are not mentioned are not managed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Of a realm.
    Realm(RealmContent),
    /// Of another named thing.
    Fields(Wishes),
    /// Of a membership: it is there or not.
    Member,
    /// Of a pool member.
    PoolMember {
        /// Whether a guest may be taken from the pool that it is in.
        allow_move: bool,
    },
    /// Of an ACL entry.
    Acl {
        /// Whether it also counts below its path.
        propagate: bool,
    },
}

impl Content {
    /// The fields that a new thing is made with.
    pub fn for_create(&self) -> Fields {
        match self {
            Self::Realm(realm) => realm.for_create(),
            Self::Fields(wishes) => wishes.for_create(),
            Self::Member | Self::PoolMember { .. } | Self::Acl { .. } => Fields::new(),
        }
    }
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

/// Claims, for telling of several at once.
pub type Claims = BTreeSet<Claim>;
