//! The kind ProxmoxToken.

use std::collections::BTreeMap;

use kube::core::Duration;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::management::Management;
use crate::api::object::Object;
use crate::api::refs::ObjectRef;
use crate::api::status::ObjectStatus;
use crate::api::{rules, schema};

/// What the token is and where its secret goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "proxmox-identity.dev",
    version = "v1alpha1",
    kind = "ProxmoxToken",
    plural = "proxmoxtokens",
    shortname = "pvetoken",
    namespaced,
    status = "ObjectStatus",
    derive = "PartialEq",
    doc = "An API token of Proxmox VE. Its secret, which Proxmox VE shows once, is written into a Secret. Without tokenId its name is metadata.name.",
    validation = rules::name_is_token(),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::exactly_one(&["user", "userRef"]),
    validation = rules::at_most_one(&["expiresAt", "lifetime"]),
    validation = rules::before_expiry(),
    validation = rules::immutable("user"),
    validation = rules::immutable("userRef"),
    validation = rules::immutable("tokenId"),
)]
pub struct ProxmoxTokenSpec {
    /// How it is managed.
    #[serde(flatten)]
    pub management: Management,
    /// The id of the user that the token belongs to, `name@realm`. Cannot be changed, set or removed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::user_id")]
    pub user: Option<String>,
    /// The ProxmoxUser that the token belongs to, in the same namespace. Cannot be changed, set or removed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_ref: Option<ObjectRef>,
    /// The part of the token's id after `!`. Cannot be changed, set or removed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::token_name")]
    pub token_id: Option<String>,
    /// Whether the token holds only what both its own ACL entries and its user's grant. Such a token has no rights until
    /// it is a subject of a ProxmoxAcl. Without separation it may do all that its user may.
    #[serde(default = "yes")]
    pub privilege_separation: bool,
    /// When the token stops working, such as `2027-01-31T00:00:00Z`. Empty: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::expiry")]
    pub expires_at: Option<String>,
    /// How long each secret works, such as `720h`, from when it is made. With `rotation` it is replaced before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::lifetime")]
    pub lifetime: Option<Duration>,
    /// The comment of the token. Unset: not managed; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::comment")]
    pub comment: Option<String>,
    /// The Secret that the token is written into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_template: Option<SecretTemplate>,
    /// When the token gets a new secret. Unset: only when the annotation proxmox-identity.dev/rotate-requested-at has a
    /// new value. The old secret stops working at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Rotation>,
}

/// The Secret that a token is written into.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::no_token_key(), validation = rules::basic_auth_keys())]
pub struct SecretTemplate {
    /// Its name, by default metadata.name. A Secret of this name that is not this object's is never overwritten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub name: Option<String>,
    /// Its labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::labels")]
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::annotations")]
    pub annotations: BTreeMap<String, String>,
    /// Its type, by default Opaque. Kubernetes lets nobody change it later.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<SecretType>,
    /// What is written beside the key `token`, which is always there as `user@realm!tokenid=uuid`. In the values stand
    /// `${token}` for the same, `${tokenId}` for `user@realm!tokenid`, `${tokenName}` for the part after `!`, `${userName}`
    /// for `user@realm`, `${secret}` for the uuid, and `${endpoint}` and `${host}` for the first endpoint of the connection,
    /// as URL and as host. Without data: tokenId and secret, or for kubernetes.io/basic-auth username and password.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::secret_data")]
    pub data: BTreeMap<String, String>,
}

// The schema of an optional enum shows the documentation of the enum, not of the field.
/// The type of the Secret, by default Opaque. Kubernetes lets nobody change it later.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SecretType {
    /// No rules.
    #[default]
    Opaque,
    /// With the keys username and password.
    #[serde(rename = "kubernetes.io/basic-auth")]
    BasicAuth,
}

impl SecretType {
    /// As Kubernetes writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opaque => "Opaque",
            Self::BasicAuth => "kubernetes.io/basic-auth",
        }
    }
}

/// When a token gets a new secret.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rotation {
    /// How old a secret becomes, such as `720h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::lifetime")]
    pub interval: Option<Duration>,
    /// How long before the end of its lifetime it is replaced, by default a third of it. The new one lives as long again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::lifetime")]
    pub before_expiry: Option<Duration>,
    /// What happens when the Secret is gone although it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_lost_secret: Option<OnLostSecret>,
}

// The schema of an optional enum shows the documentation of the enum, not of the field.
/// What happens when the Secret is gone although it was written. `Report` (the default) says SecretLost and leaves the
/// token or client as it is; `Rotate` makes a new secret.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnLostSecret {
    /// It is said; the token or client works on for those who have its secret.
    #[default]
    Report,
    /// A new secret is made, and the old one stops working.
    Rotate,
}

fn yes() -> bool {
    true
}

impl Object for ProxmoxToken {
    const KIND: &'static str = "ProxmoxToken";

    fn management(&self) -> &Management {
        &self.spec.management
    }
}
