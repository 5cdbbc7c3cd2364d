//! What absence means: PVE filters its lists silently (FACTS 26, 56), so "not in the list" counts only where the
//! credential can see.

use std::collections::{BTreeMap, HashSet};

use crate::core::claim::{Claim, Membership, Thing};
use crate::core::ids::{AclPath, UserId};
use crate::core::permissions::DEFAULT_PATHS;
use crate::core::snapshot::{Listing, Snapshot};

/// Whether a thing that is not shown would have been shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Yes: it is not there.
    Clear,
    /// Perhaps: the credential's rights there cannot be worked out. Only PVE's answer to a write can tell.
    Uncertain,
    /// No: it may well be there.
    Blocked,
}

/// How much of a list the credential sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Visibility {
    /// All of it.
    Known,
    /// Some of it.
    Partial,
    /// None, or the list could not be read.
    Unknown,
}

/// The rights that show a thing, and where they count.
pub struct Needed {
    /// Any of these …
    pub privileges: &'static [&'static str],
    /// … here.
    pub path: AclPath,
}

impl std::fmt::Display for Needed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {}", self.privileges.join(" or "), self.path)
    }
}

const SEES_GROUPS: &[&str] = &["Sys.Audit", "Group.Allocate", "User.Modify"];
const SEES_USERS: &[&str] = &["Sys.Audit", "User.Modify"];
const SEES_POOLS: &[&str] = &["Pool.Audit"];
const SEES_ENTRIES: &[&str] = &["Permissions.Modify"];
const SEES_ALL_ENTRIES: &[&str] = &["Sys.Audit"];

/// A snapshot with what is needed to judge absence, worked out once.
pub struct View<'a> {
    snapshot: &'a Snapshot,
    /// Paths that have entries, when all entries are seen.
    entry_paths: Option<HashSet<&'a str>>,
}

impl<'a> View<'a> {
    /// Looks at a snapshot.
    pub fn new(snapshot: &'a Snapshot) -> Self {
        // `/access` is among the paths that are listed whenever something is held there, so that whether the list of
        // entries is complete does not depend on the list itself (recording `acl-limited`: Sys.Audit on `/access`).
        let sees_all = snapshot
            .permissions
            .at("/access")
            .is_some_and(|held| held.keys().any(|name| SEES_ALL_ENTRIES.contains(&name.as_str())));
        let entry_paths = match &snapshot.acl {
            Ok(acl) if sees_all => Some(acl.keys().map(|key| key.path.as_str()).collect()),
            _ => None,
        };
        Self { snapshot, entry_paths }
    }

    /// True when the list of ACL entries is complete.
    pub fn sees_all_entries(&self) -> bool {
        self.entry_paths.is_some()
    }

    /// Whether a claim that is not shown would have been shown, were it there.
    pub fn sight(&self, claim: &Claim) -> Sight {
        match claim {
            // Readable without login, and with any (FACTS 63, 50); as are the members of any pool that one knows of
            // (FACTS 80). The list of jobs is whole, or it is refused.
            Claim::Thing(Thing::Realm(_) | Thing::SyncJob(_) | Thing::Role(_)) | Claim::PoolMember(..) => Sight::Clear,
            // A user that is shown is shown with all its groups.
            Claim::Member(Membership { user, .. }) if self.shows_user(user) => Sight::Clear,
            Claim::Thing(Thing::User(_) | Thing::Token(_)) | Claim::Member(_) => self.sight_of_users(),
            Claim::Acl(_) if self.entry_paths.is_some() => Sight::Clear,
            Claim::Thing(Thing::Group(_) | Thing::Pool(_)) | Claim::Acl(_) => self.sight_by(&shows(claim)),
        }
    }

    fn shows_user(&self, user: &UserId) -> bool {
        self.snapshot.users.as_ref().is_ok_and(|users| users.contains_key(user))
    }

    /// Whether a user that is not shown would have been shown.
    pub fn sight_of_users(&self) -> Sight {
        self.sight_by(&Needed { privileges: SEES_USERS, path: AclPath::observed("/access/groups") })
    }

    /// Whether what these rights show would have been shown.
    pub fn sight_by(&self, needed: &Needed) -> Sight {
        match self.holds(&needed.path, needed.privileges) {
            Some(true) => Sight::Clear,
            Some(false) => Sight::Blocked,
            None => Sight::Uncertain,
        }
    }

    /// Whether any of the privileges is held on a path; `None` when it cannot be worked out.
    ///
    /// `GET /access/permissions` lists the default paths, all ACL paths and pool members, each where something is
    /// held (FACTS 88). A path that is not listed has what the nearest one above passes on, unless an entry in
    /// between takes everything away: such a path is not listed either, and only a complete ACL list shows it.
    pub fn holds(&self, path: &AclPath, privileges: &[&str]) -> Option<bool> {
        for at in path.upwards() {
            if let Some(held) = self.snapshot.permissions.at(at) {
                let exact = at == path.as_str();
                let found =
                    held.iter().any(|(name, propagate)| privileges.contains(&name.as_str()) && (exact || *propagate));
                return if found && !exact && self.entry_paths.is_none() { None } else { Some(found) };
            }
            if DEFAULT_PATHS.contains(&at) || self.entry_paths.as_ref().is_some_and(|paths| paths.contains(at)) {
                return Some(false);
            }
        }
        Some(false)
    }

    /// How much of each list this credential sees, by the name of the list.
    pub fn visibility(&self) -> [(&'static str, Visibility); 6] {
        let Snapshot { groups, users, roles, acl, realms, pools, .. } = self.snapshot;
        let on = |privileges, path| self.sight_by(&Needed { privileges, path: AclPath::observed(path) });
        let entries = if self.entry_paths.is_some() { Sight::Clear } else { on(SEES_ENTRIES, "/") };
        [
            ("realms", judge(realms.as_ref().ok().map(|realms| realms.realms.len()), Sight::Clear)),
            ("groups", judge(shown(groups), on(SEES_GROUPS, "/access/groups"))),
            ("users", judge(shown(users), self.sight_of_users())),
            ("roles", judge(shown(roles), Sight::Clear)),
            ("pools", judge(shown(pools), on(SEES_POOLS, "/pool"))),
            ("acl", judge(shown(acl), entries)),
        ]
    }
}

/// The rights that show pools on a path or below it.
pub fn shows_pools(path: AclPath) -> Needed {
    Needed { privileges: SEES_POOLS, path }
}

/// The rights that show all groups.
pub fn shows_groups() -> Needed {
    Needed { privileges: SEES_GROUPS, path: AclPath::observed("/access/groups") }
}

/// The rights that show all ACL entries.
pub fn shows_all_entries() -> Needed {
    Needed { privileges: SEES_ALL_ENTRIES, path: AclPath::observed("/access") }
}

/// The rights that would show a claim, for telling people.
pub fn shows(claim: &Claim) -> Needed {
    let (privileges, path) = match claim {
        Claim::Thing(Thing::Realm(_) | Thing::Role(_)) => (SEES_ALL_ENTRIES, AclPath::observed("/access/realm")),
        Claim::Thing(Thing::SyncJob(_)) => (SEES_ALL_ENTRIES, AclPath::observed("/")),
        Claim::Thing(Thing::Group(id)) => (SEES_GROUPS, AclPath::observed(&format!("/access/groups/{id}"))),
        Claim::Thing(Thing::User(_) | Thing::Token(_)) | Claim::Member(_) => {
            (SEES_USERS, AclPath::observed("/access/groups"))
        }
        Claim::Thing(Thing::Pool(id)) | Claim::PoolMember(id, _) => (SEES_POOLS, id.acl_path()),
        Claim::Acl(key) => (SEES_ENTRIES, key.path.clone()),
    };
    Needed { privileges, path }
}

fn shown<K, V>(listing: &Listing<BTreeMap<K, V>>) -> Option<usize> {
    listing.as_ref().ok().map(BTreeMap::len)
}

fn judge(shown: Option<usize>, sight: Sight) -> Visibility {
    match (shown, sight) {
        (Some(_), Sight::Clear) => Visibility::Known,
        (None, _) | (Some(0), Sight::Blocked) => Visibility::Unknown,
        (Some(_), Sight::Blocked | Sight::Uncertain) => Visibility::Partial,
    }
}
