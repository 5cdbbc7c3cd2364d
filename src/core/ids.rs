//! Identifiers of Proxmox VE, parsed once: a value of these types has a shape PVE takes and keeps.
//!
//! `parse` is for what people write: it refuses and never trims or normalises, also where PVE itself would
//! accept an id and then break on it (recordings `newline-ids`, `groups-odd-ids`, `users-comma-id`).
//! `observed` is for what PVE shows: it stands there already, so any text is taken as it is.

use std::fmt;
use std::sync::Arc;

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
    GroupId, "group id", is_group,
    "1 to 255 letters, digits, '.', '-' or '_', and not '0', '.' or '..'"
);
identifier!(
    /// A role.
    RoleId, "role id", is_component,
    "1 to 255 letters, digits, '.', '-' or '_', and not '.' or '..'"
);
identifier!(
    /// A realm (recording `realms-openid-errors`).
    RealmId, "realm id", is_realm,
    "2 to 32 letters, digits, '.', '-' or '_', the first a letter"
);
identifier!(
    /// A sync job of a realm (recording `jobs-realm-sync`).
    JobId, "sync job id", is_job,
    "2 to 64 letters, digits, '-' or '_', the first a letter"
);
identifier!(
    /// A user, `name@realm` (recordings `users-bad-ids`, `users-comma-id`).
    UserId, "user id", is_user,
    "name@realm, 3 to 64 characters in all, the name without blanks, control characters, ':', '/', ',' and ';'"
);
identifier!(
    /// A token, `name@realm!token` (recording `tokens-errors`).
    TokenId, "token id", is_token,
    "name@realm!token, the token at least 2 letters, digits, '.', '-' or '_', the first a letter"
);
identifier!(
    /// A pool of up to three levels, `a/b/c` (recordings `pools-errors`, `pools-crud`).
    PoolId, "pool id", is_pool,
    "one to three levels joined by '/', each of letters, digits, '.', '-' or '_', the first a letter, 255 characters in all"
);
identifier!(
    /// The number of a virtual machine or container (recording `pools-members`).
    GuestId, "guest", is_guest,
    "a number from 100 to 999999999"
);
identifier!(
    /// A storage (recording `pools-members`).
    StorageId, "storage id", is_storage,
    "2 to 255 letters, digits, '.', '-' or '_', the first a letter, the last a letter or digit"
);
identifier!(
    /// A path of the permission tree, `/` or `/a/b` (recordings `acl-paths-valid`, `acl-paths-invalid`).
    AclPath, "ACL path", is_path,
    "'/' or '/a/b' of letters, digits, '.', '-' and '_', without doubled or trailing slash or '..', at most 1024 characters"
);

identifier!(
    /// A cluster: the SHA-256 fingerprint of its own CA, `pve-root-ca.pem` (FACTS 94).
    ClusterId, "cluster id", is_fingerprint,
    "32 pairs of upper-case hexadecimal digits joined by ':'"
);

fn word_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_ID && text.chars().all(word_char)
}

/// A word that can stand in the path of a URL: there `.` and `..` are steps in the tree.
fn is_component(text: &str) -> bool {
    is_word(text) && !matches!(text, "." | "..")
}

fn is_group(text: &str) -> bool {
    is_component(text) && text != "0"
}

fn letter_first(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn is_realm(text: &str) -> bool {
    (2..=32).contains(&text.len()) && is_word(text) && letter_first(text)
}

fn is_job(text: &str) -> bool {
    (2..=64).contains(&text.len())
        && letter_first(text)
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

fn is_user(text: &str) -> bool {
    let Some((name, realm)) = text.rsplit_once('@') else { return false };
    (3..=64).contains(&text.chars().count())
        && !name.is_empty()
        && !name.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, ':' | '/' | ',' | ';'))
        && is_realm(realm)
}

fn is_token(text: &str) -> bool {
    let Some((user, token)) = text.rsplit_once('!') else { return false };
    is_user(user) && token.len() >= 2 && is_word(token) && letter_first(token)
}

fn is_guest(text: &str) -> bool {
    (3..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0')
}

fn is_storage(text: &str) -> bool {
    text.len() >= 2 && is_word(text) && letter_first(text) && text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

fn is_pool(text: &str) -> bool {
    text.len() <= MAX_ID
        && (1..=3).contains(&text.split('/').count())
        && text.split('/').all(|level| is_word(level) && letter_first(level))
}

fn is_path(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('/') else { return false };
    text.len() <= 1024
        && (rest.is_empty()
            || rest.split('/').all(|part| !part.is_empty() && part != ".." && part.chars().all(word_char)))
}

fn is_fingerprint(text: &str) -> bool {
    text.split(':').count() == 32
        && text.split(':').all(|pair| pair.len() == 2 && pair.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F')))
}

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

impl AclPath {
    /// The root of the permission tree.
    pub fn root() -> Self {
        Self::observed("/")
    }

    /// The path and all above it, the deepest first, ending with `/`.
    pub fn upwards(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.as_str()), |path| above(path))
    }

    /// True when `self` is `other` or lies below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.upwards().any(|path| path == other.as_str())
    }
}

/// The path that one lies below, `None` for `/`.
pub fn above(path: &str) -> Option<&str> {
    match path.rfind('/') {
        Some(0) if path.len() > 1 => Some("/"),
        Some(0) | None => None,
        Some(cut) => path.get(..cut),
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_pve_breaks_on_are_refused() {
        for id in ["", "0", "a b", "a\n", "ä", "a/b", "a@b"] {
            assert!(GroupId::parse(id).is_err(), "{id:?}");
        }
        for id in ["a@pve\n", "a,b@pve", "a;b@pve", "a b@pve", "a:b@pve", "a/b@pve", "@pve", "a@1x", "a\u{7f}@pve", "a"]
        {
            assert!(UserId::parse(id).is_err(), "{id:?}");
        }
        for id in ["", "/a", "a/", "a//b", "a/b/c/d", "1a", "a/1b", "a/../b", "a b"] {
            assert!(PoolId::parse(id).is_err(), "{id:?}");
        }
        for id in ["", "99", "0100", "1000000000", "1e5", "-1"] {
            assert!(GuestId::parse(id).is_err(), "{id:?}");
        }
        for id in ["", "a", "1abc", "x/y", "bad id"] {
            assert!(StorageId::parse(id).is_err(), "{id:?}");
        }
        for path in ["", "vms", "//", "/vms/", "/a//b", "/a/../b", "/a b", "/ä", "/vms/100\n"] {
            assert!(AclPath::parse(path).is_err(), "{path:?}");
        }
        for id in ["a", "1a", "a b", "-ab", "ab\n", "a23456789012345678901234567890123"] {
            assert!(RealmId::parse(id).is_err(), "{id:?}");
        }
    }

    #[test]
    fn ids_that_pve_keeps_are_taken() {
        for id in ["00", "a", "...", "proxmox_users-PocketID", "A.b-c_9"] {
            assert!(GroupId::parse(id).is_ok(), "{id:?}");
        }
        for id in ["a@pve", "a@b.c@PocketID", "ä!%@pve"] {
            assert!(UserId::parse(id).is_ok(), "{id:?}");
        }
        assert!(TokenId::parse("a@pve!ab").is_ok());
        assert!(TokenId::parse("a@pve!a").is_err());
        assert!(ClusterId::parse(&["AB"; 32].join(":")).is_ok());
        assert!(ClusterId::parse(&["AB"; 31].join(":")).is_err());
        for path in ["/", "/vms/100", "/pool/a/b/c"] {
            assert!(AclPath::parse(path).is_ok(), "{path:?}");
        }
    }

    #[test]
    fn a_path_knows_what_lies_above_it() {
        let up = |path| AclPath::observed(path).upwards().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(up("/a/b"), ["/a/b", "/a", "/"]);
        assert_eq!(up("/"), ["/"]);
        assert!(AclPath::observed("/a/b").is_within(&AclPath::root()));
        assert!(!AclPath::observed("/ab").is_within(&AclPath::observed("/a")));
    }
}
