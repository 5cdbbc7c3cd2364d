//! What Proxmox VE shows now, and how much of it this credential can see.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::failure::Failure;
use crate::core::ids::{AclKey, GroupId, PoolId, RealmId, RoleId, TokenId, UserId};
use crate::core::secret::Secret;

/// One list of PVE: its content as far as it is shown, or why it could not be read.
/// A list that fails blocks only the claims that need it.
pub type Listing<T> = Result<T, Failure>;

/// Everything that one pass read.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// As whom this was read.
    pub credential: Credential,
    /// The privileges the credential holds, as `GET /access/permissions` shows them.
    pub permissions: HeldPermissions,
    /// All groups that are shown.
    pub groups: Listing<BTreeMap<GroupId, Group>>,
    /// All users that are shown; a token never sees its own user's entry as its own (FACTS 42).
    pub users: Listing<BTreeMap<UserId, User>>,
    /// All roles; reading them needs only a login (FACTS 50).
    pub roles: Listing<BTreeMap<RoleId, Role>>,
    /// All ACL entries that are shown, with their `propagate`.
    pub acl: Listing<BTreeMap<AclKey, bool>>,
    /// All realms; the list is readable without login (FACTS 63), their options are not.
    pub realms: Listing<Realms>,
    /// All pools that are shown.
    pub pools: Listing<BTreeMap<PoolId, Pool>>,
}

/// Whose rights a request is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// An API token.
    Token(TokenId),
    /// A user who logged in with a password.
    User(UserId),
}

impl Credential {
    /// The user, also of a token.
    pub fn user(&self) -> UserId {
        match self {
            Self::Token(token) => token.user(),
            Self::User(user) => user.clone(),
        }
    }
}

/// Path → privilege → whether it is propagated. A privilege with `false` is held all the same (FACTS 88).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeldPermissions(pub BTreeMap<String, BTreeMap<String, bool>>);

impl HeldPermissions {
    /// What is held on exactly this path; `None` where nothing is.
    pub fn at(&self, path: &str) -> Option<&BTreeMap<String, bool>> {
        self.0.get(path).filter(|held| !held.is_empty())
    }
}

/// A group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Its comment, empty when unset.
    pub comment: String,
    /// Its members.
    pub members: BTreeSet<UserId>,
}

/// A user as `GET /access/users?full=1` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Whether it may log in.
    pub enabled: bool,
    /// Seconds since 1970 after which it may not; 0 for never.
    pub expire: i64,
    /// Its groups.
    pub groups: BTreeSet<GroupId>,
    /// Its tokens by full id.
    pub tokens: BTreeMap<TokenId, Token>,
}

/// An API token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Whether its rights are its own entries cut with its user's (FACTS 41).
    pub privilege_separation: bool,
    /// Seconds since 1970 after which it is dead; 0 for never.
    pub expire: i64,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// What it grants.
    pub privileges: BTreeSet<String>,
    /// Built in, cannot be changed.
    pub special: bool,
}

/// A pool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pool {
    /// Its comment, empty when unset.
    pub comment: String,
}

/// The realms of the cluster: one file with one digest (FACTS 67).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Realms {
    /// Digest of the whole file; `None` once we have written to it.
    pub digest: Option<String>,
    /// By id.
    pub realms: BTreeMap<RealmId, Realm>,
}

/// One realm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Realm {
    /// `pam`, `pve`, `openid`, `ldap`, `ad`; empty where the file is damaged (FACTS 21).
    pub kind: String,
    /// Whether the login form starts with it. Absent counts as false.
    pub default: bool,
    /// Its options, read only where an object manages it: `None` when it was not asked for.
    pub options: Option<Listing<RealmOptions>>,
}

/// Options of a realm by PVE's names (`issuer-url`); never with an empty value (FACTS 21).
pub type RealmOptions = BTreeMap<String, OptionValue>;

/// The value of a realm option; booleans are `0` and `1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionValue {
    /// May be shown.
    Plain(String),
    /// Must not be shown: `client-key` is returned in clear to anyone with Sys.Audit (FACTS 62).
    Secret(Secret),
}

impl OptionValue {
    /// The text, for comparing and sending.
    pub fn expose(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(secret) => secret.expose(),
        }
    }
}
