//! The kinds that are written to Proxmox VE, as one type: the list that a new kind joins.

use std::sync::Arc;

use crate::api::object::System;
use crate::api::refs::{KeyRef, ObjectRef};
use crate::api::{Object, ProxmoxAcl, ProxmoxGroup, ProxmoxPool, ProxmoxRealm, ProxmoxRole, ProxmoxToken, ProxmoxUser};
use crate::controller::managed::managed;
use crate::core::wants::{self, References, Wants};

/// The one list of kinds that a new one joins, each with the word for several of them: calls a macro with it.
macro_rules! kinds {
    ($apply:ident) => {
        $apply! {
            realms: Realm(ProxmoxRealm),
            roles: Role(ProxmoxRole),
            groups: Group(ProxmoxGroup),
            users: User(ProxmoxUser),
            tokens: Token(ProxmoxToken),
            pools: Pool(ProxmoxPool),
            acls: Acl(ProxmoxAcl),
        }
    };
}
pub(super) use kinds;

macro_rules! any_object {
    ($($several:ident: $variant:ident($kind:ident),)*) => {
        /// An object of any kind.
        #[derive(Debug, Clone)]
        pub enum AnyObject {
            $(#[doc = concat!("A ", stringify!($kind), ".")] $variant(Arc<$kind>),)*
        }
    };
}
kinds!(any_object);

managed!(AnyObject for System::ProxmoxVe, Realm, Role, Group, User, Token, Pool, Acl);

impl AnyObject {
    /// What it wants.
    pub fn wants(&self, references: &References<'_>) -> Wants {
        match self {
            Self::Realm(realm) => wants::of_realm(realm, references),
            Self::Role(role) => wants::of_role(role),
            Self::Group(group) => wants::of_group(group, references),
            Self::User(user) => wants::of_user(user, references),
            Self::Token(token) => wants::of_token(token, references),
            Self::Pool(pool) => wants::of_pool(pool),
            Self::Acl(acl) => wants::of_acl(acl, references),
        }
    }

    /// The Secret keys that it needs.
    pub fn secrets(&self, references: &References<'_>) -> Vec<KeyRef> {
        match self {
            Self::Realm(realm) => wants::secrets_of_realm(realm, references),
            Self::User(user) => wants::secrets_of_user(user).cloned().collect(),
            Self::Role(_) | Self::Group(_) | Self::Token(_) | Self::Pool(_) | Self::Acl(_) => Vec::new(),
        }
    }

    /// What of Pocket ID it refers to: a PocketIdClient and a PocketIdGroup.
    pub fn in_pocket_id(&self) -> (Option<&ObjectRef>, Option<&ObjectRef>) {
        match self {
            Self::Realm(realm) => (realm.client_ref(), None),
            Self::Group(group) => (None, group.pocket_id_group_ref()),
            Self::Role(_) | Self::User(_) | Self::Token(_) | Self::Pool(_) | Self::Acl(_) => (None, None),
        }
    }

    /// What others may refer to it by.
    pub fn enter<'a>(&'a self, references: &mut References<'a>) {
        match self {
            Self::Realm(realm) => drop(references.realms.insert(realm.name(), realm)),
            Self::Role(role) => drop(references.roles.insert(role.name(), role)),
            Self::Group(group) => drop(references.groups.insert(group.name(), group)),
            Self::User(user) => drop(references.users.insert(user.name(), user)),
            Self::Token(token) => drop(references.tokens.insert(token.name(), token)),
            Self::Pool(pool) => drop(references.pools.insert(pool.name(), pool)),
            Self::Acl(_) => {}
        }
    }
}
