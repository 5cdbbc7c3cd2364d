//! The kinds that are written to Proxmox VE, as one type: the list that a new kind joins.

use std::sync::Arc;

use kube::Resource;
use kube::core::ObjectMeta;
use kube::core::object::HasStatus;
use kube::discovery::ApiResource;

use crate::api::management::{Management, ManagementPolicy};
use crate::api::refs::KeyRef;
use crate::api::status::ObjectStatus;
use crate::api::{Object, ProxmoxAcl, ProxmoxGroup, ProxmoxPool, ProxmoxRealm, ProxmoxRole, ProxmoxToken, ProxmoxUser};
use crate::core::object::{Mode, ObjectKey};
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

macro_rules! each {
    ($any:expr, $object:ident => $result:expr) => {
        match $any {
            AnyObject::Realm($object) => $result,
            AnyObject::Role($object) => $result,
            AnyObject::Group($object) => $result,
            AnyObject::User($object) => $result,
            AnyObject::Token($object) => $result,
            AnyObject::Pool($object) => $result,
            AnyObject::Acl($object) => $result,
        }
    };
}

impl AnyObject {
    /// Its metadata.
    pub fn meta(&self) -> &ObjectMeta {
        each!(self, object => &object.metadata)
    }

    /// The shared part of its spec.
    pub fn management(&self) -> &Management {
        each!(self, object => object.management())
    }

    /// Its status as Kubernetes has it.
    pub fn status(&self) -> Option<&ObjectStatus> {
        each!(self, object => object.status())
    }

    /// Its kind, namespace and name.
    pub fn key(&self) -> ObjectKey {
        fn key<K: Object>(object: &K) -> ObjectKey {
            ObjectKey { kind: K::KIND, namespace: object.namespace().to_owned(), name: object.name().to_owned() }
        }
        each!(self, object => key(object.as_ref()))
    }

    /// Its kind's name.
    pub fn kind(&self) -> &'static str {
        fn kind<K: Object>(_: &K) -> &'static str {
            K::KIND
        }
        each!(self, object => kind(object.as_ref()))
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        self.meta().namespace.as_deref().unwrap_or_default()
    }

    /// Its uid.
    pub fn uid(&self) -> &str {
        self.meta().uid.as_deref().unwrap_or_default()
    }

    /// The generation of its spec.
    pub fn generation(&self) -> i64 {
        self.meta().generation.unwrap_or_default()
    }

    /// True once somebody deleted it.
    pub fn is_being_deleted(&self) -> bool {
        self.meta().deletion_timestamp.is_some()
    }

    /// The value of the annotation that asks for a pass.
    pub fn reconcile_requested_at(&self) -> Option<&str> {
        each!(self, object => object.reconcile_requested_at())
    }

    /// How Kubernetes calls its kind.
    pub fn api_resource(&self) -> ApiResource {
        fn resource<K: Resource<DynamicType = ()>>(_: &K) -> ApiResource {
            ApiResource::erase::<K>(&())
        }
        each!(self, object => resource(object.as_ref()))
    }

    /// What may be done for it.
    pub fn mode(&self) -> Mode {
        let Management { management_policy, suspend, .. } = self.management();
        match (self.is_being_deleted(), management_policy, suspend) {
            (false, _, true) => Mode::Suspended,
            (false, ManagementPolicy::Manage, false) => Mode::Manage,
            (false, ManagementPolicy::Observe, false) => Mode::Observe,
            (true, ManagementPolicy::Observe, _) => Mode::DeletingObserver,
            (true, ManagementPolicy::Manage, true) => Mode::DeletingSuspended,
            (true, ManagementPolicy::Manage, false) => Mode::Deleting,
        }
    }

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
    pub fn secrets(&self) -> Vec<KeyRef> {
        match self {
            Self::Realm(realm) => wants::secrets_of_realm(realm).cloned().collect(),
            Self::User(user) => wants::secrets_of_user(user).cloned().collect(),
            Self::Role(_) | Self::Group(_) | Self::Token(_) | Self::Pool(_) | Self::Acl(_) => Vec::new(),
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
