//! What Proxmox VE shows now, and how much of it this credential can see.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::claim::{PoolItem, Thing};
use crate::core::failure::Failure;
use crate::core::fields::Fields;
use crate::core::ids::{AclKey, GroupId, GuestId, JobId, PoolId, RealmId, RoleId, StorageId, TokenId, UserId};
use crate::core::secret::Secret;
use crate::core::version::PveVersion;

/// One list of PVE: its content as far as it is shown, or why it could not be read.
/// A list that fails blocks only the claims that need it.
pub type Listing<T> = Result<T, Failure>;

/// Everything that one pass read.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// As whom this was read.
    pub credential: Credential,
    /// The version of PVE.
    pub version: PveVersion,
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
    /// The sync jobs of the cluster; read only where an object manages some.
    pub jobs: Option<Listing<BTreeMap<JobId, SyncJob>>>,
    /// The guests and storages of the cluster that are shown; read only when one is to enter a pool.
    pub resources: Option<Listing<Resources>>,
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
    /// First name, last name, e-mail address, comment and keys, by PVE's names and only where they are set.
    pub texts: Fields,
    /// Its groups.
    pub groups: BTreeSet<GroupId>,
    /// Its tokens by full id.
    pub tokens: BTreeMap<TokenId, Token>,
}

impl Default for User {
    /// What PVE makes of a user that is created with nothing but an id.
    fn default() -> Self {
        Self { enabled: true, expire: 0, texts: Fields::new(), groups: BTreeSet::new(), tokens: BTreeMap::new() }
    }
}

/// An API token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Whether its rights are its own entries cut with its user's (FACTS 41).
    pub privilege_separation: bool,
    /// Seconds since 1970 after which it is dead; 0 for never.
    pub expire: i64,
    /// Its comment, empty when unset.
    pub comment: String,
}

impl Default for Token {
    /// What PVE makes of a token that is created with nothing but an id (FACTS 41).
    fn default() -> Self {
        Self { privilege_separation: true, expire: 0, comment: String::new() }
    }
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
    /// Its members that exist, read only where an object manages them: `None` when they were not asked for. Members
    /// that do not exist are stored and never shown (FACTS 84).
    pub members: Option<Listing<BTreeSet<PoolItem>>>,
}

/// A sync job of a realm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncJob {
    /// Its options by PVE's names, `realm` included.
    pub options: Fields,
    /// Seconds since 1970 of its last run.
    pub last_run: Option<i64>,
    /// Seconds since 1970 of its next run.
    pub next_run: Option<i64>,
}

/// The guests and storages of the cluster, as far as they are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resources {
    /// Guests, with the pool that each is in.
    pub guests: BTreeMap<GuestId, Option<PoolId>>,
    /// Storages.
    pub storages: BTreeSet<StorageId>,
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
pub type RealmOptions = Fields;

/// The value of a realm option; booleans are `0` and `1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionValue {
    /// May be shown.
    Plain(String),
    /// Must not be shown: `client-key` is returned in clear to anyone with Sys.Audit (FACTS 62).
    Secret(Secret),
}

impl Snapshot {
    /// Whether a named thing is shown.
    ///
    /// # Errors
    /// When its list could not be read.
    pub fn shows(&self, thing: &Thing) -> Listing<bool> {
        match thing {
            Thing::Realm(id) => shown(&self.realms, |realms| realms.realms.contains_key(id)),
            Thing::SyncJob(id) => match &self.jobs {
                Some(jobs) => shown(jobs, |jobs| jobs.contains_key(id)),
                None => Ok(false),
            },
            Thing::Role(id) => shown(&self.roles, |roles| roles.contains_key(id)),
            Thing::Group(id) => shown(&self.groups, |groups| groups.contains_key(id)),
            Thing::User(id) => shown(&self.users, |users| users.contains_key(id)),
            Thing::Token(id) => {
                shown(&self.users, |users| users.get(&id.user()).is_some_and(|user| user.tokens.contains_key(id)))
            }
            Thing::Pool(id) => shown(&self.pools, |pools| pools.contains_key(id)),
        }
    }

    /// The fields of a named thing that is shown, by PVE's names; realms have theirs in [`Realm::options`].
    pub fn fields(&self, thing: &Thing) -> Option<Fields> {
        match thing {
            Thing::Realm(_) => None,
            Thing::SyncJob(id) => Some(self.jobs.as_ref()?.as_ref().ok()?.get(id)?.options.clone()),
            Thing::Role(id) => {
                let role = self.roles.as_ref().ok()?.get(id)?;
                let privileges: Vec<&str> = role.privileges.iter().map(String::as_str).collect();
                Some(fields([("privs", privileges.join(","))]))
            }
            Thing::Group(id) => Some(fields([("comment", self.groups.as_ref().ok()?.get(id)?.comment.clone())])),
            Thing::User(id) => {
                let User { enabled, expire, texts, groups: _, tokens: _ } = self.users.as_ref().ok()?.get(id)?;
                let mut fields = fields([("enable", flag(*enabled)), ("expire", expire.to_string())]);
                fields.extend(texts.clone());
                Some(fields)
            }
            Thing::Token(id) => {
                let Token { privilege_separation, expire, comment } =
                    self.users.as_ref().ok()?.get(&id.user())?.tokens.get(id)?;
                let privsep = flag(*privilege_separation);
                Some(fields([("privsep", privsep), ("expire", expire.to_string()), ("comment", comment.clone())]))
            }
            Thing::Pool(id) => Some(fields([("comment", self.pools.as_ref().ok()?.get(id)?.comment.clone())])),
        }
    }

    /// The groups that a user is in, from both lists that tell it.
    pub fn groups_of(&self, user: &UserId) -> BTreeSet<GroupId> {
        let own = self.users.iter().filter_map(|users| users.get(user)).flat_map(|user| user.groups.iter().cloned());
        let listed = self.groups.iter().flatten().filter(|(_, group)| group.members.contains(user));
        own.chain(listed.map(|(id, _)| id.clone())).collect()
    }

    /// The users that are in a group, from both lists that tell it.
    pub fn members_of(&self, group: &GroupId) -> BTreeSet<&UserId> {
        let listed = self.groups.iter().filter_map(|groups| groups.get(group)).flat_map(|group| &group.members);
        let own = self.users.iter().flatten().filter(|(_, user)| user.groups.contains(group));
        listed.chain(own.map(|(id, _)| id)).collect()
    }
}

fn shown<T>(listing: &Listing<T>, shows: impl FnOnce(&T) -> bool) -> Listing<bool> {
    listing.as_ref().map(shows).map_err(Clone::clone)
}

fn flag(value: bool) -> String {
    if value { "1" } else { "0" }.to_owned()
}

fn fields<const N: usize>(pairs: [(&str, String); N]) -> Fields {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), OptionValue::Plain(value))).collect()
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
