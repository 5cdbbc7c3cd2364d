//! Reads everything that a pass judges by.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;

use crate::core::failure::{Failure, FailureKind};
use crate::core::ids::{AclKey, AclPath, GroupId, PoolId, RealmId, RoleId, Subject, TokenId, UserId};
use crate::core::snapshot::{Group, HeldPermissions, Listing, Pool, Role, Snapshot, Token, User};
use crate::pve::realms::RealmCache;
use crate::pve::request::Request;
use crate::pve::session::Session;
use crate::pve::wire;

/// What is read beside the lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SnapshotScope {
    /// The realms whose options are wanted.
    pub realms: BTreeSet<RealmId>,
}

impl Session {
    /// Reads the snapshot: all lists at once, each failing for itself.
    ///
    /// # Errors
    /// When the server is lost or refuses the credential, or the credential's own permissions cannot be read:
    /// without them nothing can be concluded from the lists.
    pub async fn snapshot(&self, scope: &SnapshotScope, cache: &RealmCache) -> Result<Snapshot, Failure> {
        let (permissions, groups, users, roles, acl, realms, pools) = tokio::join!(
            self.list::<wire::Permissions, _>(Request::get("/access/permissions"), permissions),
            self.list(Request::get("/access/groups"), groups),
            self.list(Request::get("/access/users").query("full", "1"), users),
            self.list(Request::get("/access/roles"), roles),
            self.list(Request::get("/access/acl"), acl),
            self.realms(&scope.realms, cache),
            self.list(Request::get("/pools"), pools),
        );
        let snapshot = Snapshot {
            credential: self.credential(),
            permissions: permissions?,
            groups,
            users,
            roles,
            acl,
            realms,
            pools,
        };
        match lost(&snapshot) {
            Some(failure) => Err(failure.clone()),
            None => Ok(snapshot),
        }
    }

    async fn list<W: DeserializeOwned, T>(&self, request: Request, convert: fn(W) -> T) -> Listing<T> {
        self.get(&request).await.map(convert)
    }
}

/// A failure that says nothing about the one list: the server is gone, or does not know us any more.
fn lost(snapshot: &Snapshot) -> Option<&Failure> {
    fn of<T>(listing: &Listing<T>) -> Option<&Failure> {
        listing.as_ref().err().filter(|failure| {
            matches!(failure.kind, FailureKind::Unreachable | FailureKind::Certificate | FailureKind::Authentication)
        })
    }
    let Snapshot { credential: _, permissions: _, groups, users, roles, acl, realms, pools } = snapshot;
    let lists = [of(groups), of(users), of(roles), of(acl), of(realms), of(pools)];
    let options = realms.iter().flat_map(|realms| realms.realms.values()).filter_map(|realm| realm.options.as_ref());
    lists.into_iter().flatten().chain(options.filter_map(of)).next()
}

fn permissions(list: wire::Permissions) -> HeldPermissions {
    let flags = |held: BTreeMap<String, wire::Flag>| held.into_iter().map(|(name, flag)| (name, flag.0)).collect();
    HeldPermissions(list.into_iter().map(|(path, held)| (path, flags(held))).collect())
}

fn groups(list: Vec<wire::Group>) -> BTreeMap<GroupId, Group> {
    list.into_iter()
        .map(|group| {
            let members = group.users.0.iter().map(|user| UserId::observed(user)).collect();
            (GroupId::observed(&group.groupid.0), Group { comment: group.comment.0, members })
        })
        .collect()
}

fn users(list: Vec<wire::User>) -> BTreeMap<UserId, User> {
    list.into_iter()
        .map(|wire::User { userid, enable, expire, groups, tokens }| {
            let token = |token: wire::Token| {
                let id = TokenId::observed(&format!("{}!{}", userid.0, token.tokenid.0));
                (id, Token { privilege_separation: token.privsep.0, expire: token.expire.0 })
            };
            let user = User {
                enabled: enable.0,
                expire: expire.0,
                groups: groups.0.iter().map(|group| GroupId::observed(group)).collect(),
                tokens: tokens.into_iter().flatten().map(token).collect(),
            };
            (UserId::observed(&userid.0), user)
        })
        .collect()
}

fn roles(list: Vec<wire::Role>) -> BTreeMap<RoleId, Role> {
    list.into_iter()
        .map(|role| {
            let privileges = role.privs.0.into_iter().collect();
            (RoleId::observed(&role.roleid.0), Role { privileges, special: role.special.0 })
        })
        .collect()
}

fn acl(list: Vec<wire::AclEntry>) -> BTreeMap<AclKey, bool> {
    list.into_iter()
        .filter_map(|entry| {
            let subject = match entry.kind.0.as_str() {
                "group" => Subject::Group(GroupId::observed(&entry.ugid.0)),
                "user" => Subject::User(UserId::observed(&entry.ugid.0)),
                "token" => Subject::Token(TokenId::observed(&entry.ugid.0)),
                unknown => {
                    tracing::warn!(kind = unknown, path = entry.path.0, "an ACL entry of unknown type is passed over");
                    return None;
                }
            };
            let key =
                AclKey { path: AclPath::observed(&entry.path.0), subject, role: RoleId::observed(&entry.roleid.0) };
            Some((key, entry.propagate.0))
        })
        .collect()
}

fn pools(list: Vec<wire::Pool>) -> BTreeMap<PoolId, Pool> {
    list.into_iter().map(|pool| (PoolId::observed(&pool.poolid.0), Pool { comment: pool.comment.0 })).collect()
}
