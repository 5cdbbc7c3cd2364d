//! Identifiers of Proxmox VE, parsed once: a value of these types has a shape PVE takes and keeps.
//!
//! `parse` is for what people write: it refuses and never trims or normalises, also where PVE itself would
//! accept an id and then break on it (recordings `newline-ids`, `groups-odd-ids`, `users-comma-id`).
//! `observed` is for what PVE shows: it stands there already, so any text is taken as it is.

mod entry;
mod path;
mod shape;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

pub use self::entry::{AclKey, Subject};
pub use self::path::above;

/// Why a text is not an identifier; the message says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {given:?} is not allowed: {rule}")]
pub struct IdError {
    /// What the text was meant to be, for example `group id`.
    pub what: &'static str,
    /// The refused text.
    pub given: String,
    /// What is allowed.
    pub rule: &'static str,
}

/// Longest id in characters that the CRDs take where PVE itself sets no limit.
pub const MAX_ID: usize = 255;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $what:literal, $valid:path, $rule:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// What is allowed, as a sentence for people.
            pub const RULE: &'static str = $rule;

            /// Takes an id that somebody wrote.
            ///
            /// # Errors
            /// When PVE would refuse it, or accept it and then break on it.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                if $valid(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(IdError { what: $what, given: text.to_owned(), rule: $rule })
                }
            }

            /// Takes an id that PVE showed.
            pub fn observed(text: &str) -> Self {
                Self(text.into())
            }

            /// The id as PVE writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

identifier!(
    /// A group (FACTS 23: case-sensitive; `0` is created and does not exist afterwards).
    GroupId, "group id", shape::is_group,
    "1 to 255 letters, digits, '.', '-' or '_', and not '0', '.' or '..'"
);
identifier!(
    /// A role.
    RoleId, "role id", shape::is_component,
    "1 to 255 letters, digits, '.', '-' or '_', and not '.' or '..'"
);
identifier!(
    /// A realm (recording `realms-openid-errors`).
    RealmId, "realm id", shape::is_realm,
    "2 to 32 letters, digits, '.', '-' or '_', the first a letter"
);
identifier!(
    /// A sync job of a realm (recording `jobs-realm-sync`).
    JobId, "sync job id", shape::is_job,
    "2 to 64 letters, digits, '-' or '_', the first a letter"
);
identifier!(
    /// A user, `name@realm` (recordings `users-bad-ids`, `users-comma-id`).
    UserId, "user id", shape::is_user,
    "name@realm, 3 to 64 characters in all, the name without blanks, control characters, ':', '/', ',' and ';'"
);
identifier!(
    /// A token, `name@realm!token` (recording `tokens-errors`).
    TokenId, "token id", shape::is_token,
    "name@realm!token, the token at least 2 letters, digits, '.', '-' or '_', the first a letter"
);
identifier!(
    /// A pool of up to three levels, `a/b/c` (recordings `pools-errors`, `pools-crud`).
    PoolId, "pool id", shape::is_pool,
    "one to three levels joined by '/', each of letters, digits, '.', '-' or '_', the first a letter, 255 characters in all"
);
identifier!(
    /// The number of a virtual machine or container (recording `pools-members`).
    GuestId, "guest", shape::is_guest,
    "a number from 100 to 999999999"
);
identifier!(
    /// A storage (recording `pools-members`).
    StorageId, "storage id", shape::is_storage,
    "2 to 255 letters, digits, '.', '-' or '_', the first a letter, the last a letter or digit"
);
identifier!(
    /// A path of the permission tree, `/` or `/a/b` (recordings `acl-paths-valid`, `acl-paths-invalid`).
    AclPath, "ACL path", shape::is_path,
    "'/' or '/a/b' of letters, digits, '.', '-' and '_', without doubled or trailing slash or '..', at most 1024 characters"
);

identifier!(
    /// A cluster: the SHA-256 fingerprint of its own CA, `pve-root-ca.pem` (FACTS 94).
    ClusterId, "cluster id", shape::is_fingerprint,
    "32 pairs of upper-case hexadecimal digits joined by ':'"
);

impl GroupId {
    /// Whether the sync of a directory's realm may make the group: it appends `-<realm>` to the name (FACTS 75).
    pub fn may_be_synced(&self, realm: &RealmId) -> bool {
        self.as_str().strip_suffix(realm.as_str()).is_some_and(|rest| rest.ends_with('-'))
    }
}

impl UserId {
    /// The user that is always there and may do everything.
    pub const ROOT: &'static str = "root@pam";

    /// True for `root@pam`, whose ACL entries PVE accepts and does not store (recording `acl-root`).
    pub fn is_root(&self) -> bool {
        self.as_str() == Self::ROOT
    }

    /// The part after the last `@`.
    pub fn realm(&self) -> RealmId {
        RealmId::observed(self.as_str().rsplit_once('@').map_or("", |(_, realm)| realm))
    }
}

impl TokenId {
    /// The token with this name of a user.
    ///
    /// # Errors
    /// When the name is none.
    pub fn of(user: &UserId, name: &str) -> Result<Self, IdError> {
        Self::parse(&format!("{user}!{name}"))
    }

    /// The part after the user.
    pub fn name(&self) -> &str {
        self.as_str().rsplit_once('!').map_or("", |(_, name)| name)
    }

    /// The user that the token belongs to.
    pub fn user(&self) -> UserId {
        UserId::observed(self.as_str().rsplit_once('!').map_or(self.as_str(), |(user, _)| user))
    }
}

impl PoolId {
    /// The pool that this one is nested in.
    pub fn parent(&self) -> Option<Self> {
        self.as_str().rsplit_once('/').map(|(parent, _)| Self::observed(parent))
    }

    /// The path that permissions on this pool stand at.
    pub fn acl_path(&self) -> AclPath {
        AclPath::observed(&format!("/pool/{self}"))
    }
}
