//! Reads everything that a pass judges by.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;

use crate::core::claim::PoolItem;
use crate::core::failure::{Failure, FailureKind};
use crate::core::fields::Fields;
use crate::core::ids::{AclKey, AclPath, GroupId, PoolId, RealmId, RoleId, Subject, TokenId, UserId};
use crate::core::secret::Secret;
use crate::core::snapshot::{Group, HeldPermissions, Listing, OptionValue, Role, Snapshot, Token, User};
use crate::core::version::PveVersion;
use crate::pve::realms::RealmCache;
use crate::pve::request::Request;
use crate::pve::session::Session;
use crate::pve::wire;

/// What is read beside the lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SnapshotScope {
    /// The realms whose options are wanted.
    pub realms: BTreeSet<RealmId>,
    /// Whether those of all realms are.
    pub every_realm: bool,
    /// Whether the sync jobs are wanted.
    pub jobs: bool,
    /// The pools whose members are wanted.
    pub pools: BTreeSet<PoolId>,
    /// Whether those of all pools are.
    pub every_pool: bool,
    /// What is to be in which pool: where something is not, whether it exists at all is wanted.
    pub members: BTreeSet<(PoolId, PoolItem)>,
}

impl Session {
    /// Reads the snapshot: all lists at once, each failing for itself.
    ///
    /// # Errors
    /// When the server is lost or refuses the credential, or the credential's own permissions cannot be read:
    /// without them nothing can be concluded from the lists.
    pub async fn snapshot(&self, scope: &SnapshotScope, cache: &RealmCache) -> Result<Snapshot, Failure> {
        let (permissions, groups, users, roles, acl, realms, pools, jobs) = tokio::join!(
            self.list::<wire::Permissions, _>(Request::get("/access/permissions"), permissions),
            self.list(Request::get("/access/groups"), groups),
            self.list(Request::get("/access/users").query("full", "1"), users),
            self.list(Request::get("/access/roles"), roles),
            self.list(Request::get("/access/acl"), acl),
            Box::pin(self.realms(scope, cache)),
            Box::pin(self.pools(scope)),
            self.jobs(scope.jobs),
        );
        let resources = self.resources(scope, &pools).await;
        let snapshot = Snapshot {
            credential: self.credential(),
            version: PveVersion::observed(self.version()),
            permissions: permissions?,
            groups,
            users,
            roles,
            acl,
            realms,
            pools,
            jobs,
            resources,
        };
        match lost(&snapshot) {
            Some(failure) => Err(failure.clone()),
            None => Ok(snapshot),
        }
    }

    pub(crate) async fn list<W: DeserializeOwned, T>(&self, request: Request, convert: fn(W) -> T) -> Listing<T> {
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
    let Snapshot {
        credential: _,
        version: _,
        permissions: _,
        groups,
        users,
        roles,
        acl,
        realms,
        pools,
        jobs,
        resources,
    } = snapshot;
    let (jobs, resources) = (jobs.as_ref().and_then(of), resources.as_ref().and_then(of));
    let lists = [of(groups), of(users), of(roles), of(acl), of(realms), of(pools), jobs, resources];
    let options = realms.iter().flat_map(|realms| realms.realms.values()).filter_map(|realm| realm.options.as_ref());
    lists.into_iter().flatten().chain(options.filter_map(of)).next()
}

pub(super) fn permissions(list: wire::Permissions) -> HeldPermissions {
    let flags = |held: BTreeMap<String, wire::Flag>| held.into_iter().map(|(name, flag)| (name, flag.0)).collect();
    HeldPermissions(list.into_iter().map(|(path, held)| (path, flags(held))).collect())
}

pub(super) fn groups(list: Vec<wire::Group>) -> BTreeMap<GroupId, Group> {
    list.into_iter()
        .map(|group| {
            let members = group.users.0.iter().map(|user| UserId::observed(user)).collect();
            (GroupId::observed(&group.groupid.0), Group { comment: group.comment.0, members })
        })
        .collect()
}

pub(super) fn users(list: Vec<wire::User>) -> BTreeMap<UserId, User> {
    list.into_iter()
        .map(|user| {
            let wire::User { userid, enable, expire, groups, tokens, firstname, lastname, email, comment, keys } = user;
            let token = |token: wire::Token| {
                let wire::Token { tokenid, privsep, expire, comment } = token;
                let id = TokenId::observed(&format!("{}!{}", userid.0, tokenid.0));
                (id, Token { privilege_separation: privsep.0, expire: expire.0, comment: comment.0 })
            };
            let plain = [("firstname", firstname), ("lastname", lastname), ("email", email), ("comment", comment)];
            let plain = plain.map(|(name, text)| (name.to_owned(), OptionValue::Plain(text.0)));
            // Seeds of second factors.
            let keys = ("keys".to_owned(), OptionValue::Secret(Secret::new(keys.0)));
            let texts: Fields =
                plain.into_iter().chain([keys]).filter(|(_, value)| !value.expose().is_empty()).collect();
            let user = User {
                enabled: enable.0,
                expire: expire.0,
                texts,
                groups: groups.0.iter().map(|group| GroupId::observed(group)).collect(),
                tokens: tokens.into_iter().flatten().map(token).collect(),
            };
            (UserId::observed(&userid.0), user)
        })
        .collect()
}

pub(super) fn roles(list: Vec<wire::Role>) -> BTreeMap<RoleId, Role> {
    list.into_iter()
        .map(|role| {
            let privileges = role.privs.0.into_iter().collect();
            (RoleId::observed(&role.roleid.0), Role { privileges, special: role.special.0 })
        })
        .collect()
}

pub(super) fn acl(list: Vec<wire::AclEntry>) -> BTreeMap<AclKey, bool> {
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
