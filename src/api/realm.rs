//! The kind ProxmoxRealm.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::directory::{AdRealm, LdapRealm, SyncJob};
use crate::api::management::Management;
use crate::api::object::Object;
use crate::api::openid::OpenIdRealm;
use crate::api::refs::ObjectRef;
use crate::api::status::ObjectStatus;
use crate::api::tfa::RealmTfa;
use crate::api::{rules, schema};

/// What the realm is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "proxmox-identity.dev",
    version = "v1alpha1",
    kind = "ProxmoxRealm",
    plural = "proxmoxrealms",
    shortname = "pverealm",
    namespaced,
    status = "ObjectStatus",
    derive = "PartialEq",
    doc = "A realm of Proxmox VE: where users come from and how they log in. Without realm its id is metadata.name.",
    validation = rules::name_is_realm(),
    validation = rules::built_in_realms(),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::immutable("realm"),
    validation = rules::exactly_one(&["openid", "ldap", "ad", "pam", "pve"]),
    validation = rules::not_together("openid", "tfa"),
    validation = rules::only_directories_sync(),
)]
pub struct ProxmoxRealmSpec {
    /// How it is managed.
    #[serde(flatten)]
    pub management: Management,
    /// The id of the realm in Proxmox VE, the part after `@` in the names of its users. Cannot be changed, set or
    /// removed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::realm_id")]
    pub realm: Option<String>,
    /// Log in with an OpenID Connect provider, such as Pocket ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openid: Option<OpenIdRealm>,
    /// Log in with a directory of LDAP, such as OpenLDAP or FreeIPA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ldap: Option<LdapRealm>,
    /// Log in with an Active Directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ad: Option<AdRealm>,
    /// The built-in realm of the users of Linux. It is always there: only its settings are managed, and deleting
    /// this object leaves them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pam: Option<PamRealm>,
    /// The built-in realm of users with a password in Proxmox VE. It is always there: only its settings are
    /// managed, and deleting this object leaves them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pve: Option<PveRealm>,
    /// What the login form calls the realm. Unset: not managed; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::realm_comment")]
    pub comment: Option<String>,
    /// Whether the login form starts with this realm. True takes it away from the realm that has it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<bool>,
    /// The second factor that users need at login; not for openid, where the provider asks for it. Unset: not managed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tfa: Option<RealmTfa>,
    /// Syncs of a realm of type ldap or ad that Proxmox VE runs by itself. For one now, give the annotation
    /// proxmox-identity.dev/sync-requested-at a new value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub sync_jobs: Vec<SyncJob>,
}

/// The built-in realm `pam`; its settings are the fields that all realms have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PamRealm {}

/// The built-in realm `pve`; its settings are the fields that all realms have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PveRealm {}

impl ProxmoxRealm {
    /// The PocketIdClient that it refers to.
    pub fn client_ref(&self) -> Option<&ObjectRef> {
        self.spec.openid.as_ref()?.client_ref.as_ref()
    }
}

impl Object for ProxmoxRealm {
    const KIND: &'static str = "ProxmoxRealm";

    fn management(&self) -> &Management {
        &self.spec.management
    }

    fn refers_to_pocket_id(&self) -> bool {
        self.client_ref().is_some()
    }
}
