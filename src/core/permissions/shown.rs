//! From what PVE shows to what rights follow from.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::{Directory, Pool, Token, User};
use crate::core::claim::PoolItem;
use crate::core::ids::{AclKey, GroupId, Subject};
use crate::core::snapshot::{self, Snapshot};

impl Directory {
    /// What rights follow from in a snapshot; `None` when a list for it could not be read. Pools count with the members
    /// that were read. The user as whom was read is taken to be there and enabled: a list may leave it out (FACTS 42).
    pub fn of(snapshot: &Snapshot) -> Option<Self> {
        let pools = snapshot.pools.iter().flatten().map(|(id, pool)| (id.clone(), pool.into())).collect();
        Some(Self { pools, ..Self::with(snapshot, |_| true, |_| true)? })
    }

    /// The same with nothing but what counts on `/` itself: the entries there, and the groups that have one.
    pub fn top(snapshot: &Snapshot) -> Option<Self> {
        let is_on_top = |key: &AclKey| key.path.as_str() == "/";
        let subjects = snapshot.acl.iter().flatten().filter(|(key, _)| is_on_top(key)).map(|(key, _)| &key.subject);
        let groups: HashSet<&GroupId> = subjects
            .filter_map(|subject| match subject {
                Subject::Group(group) => Some(group),
                Subject::User(_) | Subject::Token(_) => None,
            })
            .collect();
        Self::with(snapshot, |group| groups.contains(group), is_on_top)
    }

    /// Without pools.
    fn with(
        snapshot: &Snapshot,
        takes_group: impl Fn(&GroupId) -> bool,
        takes_entry: impl Fn(&AclKey) -> bool,
    ) -> Option<Self> {
        let (users, groups, roles, acl) = (&snapshot.users, &snapshot.groups, &snapshot.roles, &snapshot.acl);
        let (Ok(users), Ok(groups), Ok(roles), Ok(acl)) = (users, groups, roles, acl) else { return None };
        let groups = groups.iter().filter(|(id, _)| takes_group(id));
        let acl = acl.iter().filter(|(key, _)| takes_entry(key));
        let mut directory = Self {
            users: users.iter().map(|(id, user)| (id.clone(), user.into())).collect(),
            tokens: users.values().flat_map(|user| &user.tokens).map(|(id, it)| (id.clone(), it.into())).collect(),
            groups: groups.map(|(id, group)| (id.clone(), group.members.clone())).collect(),
            roles: roles
                .iter()
                .map(|(id, role)| (id.clone(), role.privileges.iter().map(|name| Arc::from(name.as_str())).collect()))
                .collect(),
            acl: acl.map(|(key, propagate)| (key.clone(), *propagate)).collect(),
            pools: BTreeMap::new(),
        };
        let own = snapshot.credential.user();
        directory.users.entry(own).or_insert(User { enabled: true, expire: 0 });
        Some(directory)
    }
}

impl From<&snapshot::User> for User {
    fn from(user: &snapshot::User) -> Self {
        Self { enabled: user.enabled, expire: user.expire }
    }
}

impl From<&snapshot::Token> for Token {
    fn from(token: &snapshot::Token) -> Self {
        Self { privilege_separation: token.privilege_separation, expire: token.expire }
    }
}

impl From<&snapshot::Pool> for Pool {
    fn from(pool: &snapshot::Pool) -> Self {
        let mut of = Self::default();
        for item in pool.members.iter().flatten().flatten() {
            match item {
                PoolItem::Guest(guest) => drop(guest.as_str().parse().map(|guest| of.guests.insert(guest))),
                PoolItem::Storage(storage) => drop(of.storages.insert(storage.to_string())),
            }
        }
        of
    }
}
