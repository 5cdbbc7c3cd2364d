//! The kind PocketIdClient.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::Duration;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::management::Management;
use crate::api::object::{Object, System};
use crate::api::refs::{ConnectionKind, KeyRef, ObjectRef};
use crate::api::status::{ObjectStatus, SecretState};
use crate::api::token::OnLostSecret;
use crate::api::{rules, schema};

/// What the client is, who may sign in with it, and where its secret goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "proxmox-identity.dev",
    version = "v1alpha1",
    kind = "PocketIdClient",
    plural = "pocketidclients",
    shortname = "pidclient",
    namespaced,
    status = "ObjectStatus",
    derive = "PartialEq",
    doc = "An OIDC client of Pocket ID, restricted to the groups that it names from the first moment on. Its secret is written into a Secret with the keys clientId, clientSecret and issuerUrl. Without clientId its id is metadata.name.",
    validation = rules::name_is_client(),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::immutable("clientId"), validation = rules::some_callback())]
pub struct PocketIdClientSpec {
    /// How it is managed.
    #[serde(flatten)]
    pub management: Management,
    /// The id of the client. Cannot be changed, set or removed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::pocket_id_client_id")]
    pub client_id: Option<String>,
    /// What people see, 1 to 50 characters. Unset: not managed; a new client is shown by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::display_name")]
    pub display_name: Option<String>,
    /// Where people may come back to after they have signed in. Proxmox VE sends what stands in the browser's address bar,
    /// so scheme and port must be right: `https://pve1.example.com:8006`. `*` stands for one part of a name or path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::callback_urls")]
    pub callback_urls: Vec<String>,
    /// Beside these, the endpoints of a connection to Proxmox VE, each with its port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_urls_from: Option<CallbackUrlsFrom>,
    /// Whether sign-ins without PKCE are turned down, as they are by default. Proxmox VE always uses it.
    #[serde(default = "yes")]
    pub pkce: bool,
    /// The groups whose members may sign in, and no others. Empty: nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), extend("x-kubernetes-list-type" = "atomic"))]
    pub allowed_groups: Vec<AllowedGroup>,
    /// The picture that people see when they sign in. Unset: not managed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<Logo>,
    /// The Secret that clientId, clientSecret and issuerUrl are written into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_template: Option<ClientSecretTemplate>,
    /// When the client gets a new secret. Unset: only when the annotation proxmox-identity.dev/rotate-requested-at has a new
    /// value. Realms that refer to this client get the new one at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<ClientRotation>,
}

/// Whose endpoints people may come back to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallbackUrlsFrom {
    /// The connection to Proxmox VE whose endpoints are meant.
    pub connection_ref: EndpointsRef,
}

/// A connection to Proxmox VE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointsRef {
    /// Its name.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
    /// Its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ConnectionKind>,
}

/// A picture: exactly one of the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::exactly_one(&["url", "configMapKeyRef"]))]
pub struct Logo {
    /// Where Pocket ID fetches it, as `https://host/path`. It refuses private addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::logo_url")]
    pub url: Option<String>,
    /// A key of a ConfigMap in the same namespace, in its binaryData or data. The key ends with what the picture is, such as
    /// `logo.svg` or `logo.png`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = rules::picture())]
    pub config_map_key_ref: Option<KeyRef>,
}

/// A group whose members may sign in: exactly one of the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::exactly_one(&["group", "groupRef"]))]
pub struct AllowedGroup {
    /// The name of a group in Pocket ID. The client waits for it: until it exists its members cannot sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::group_name")]
    pub group: Option<String>,
    /// A PocketIdGroup in the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_ref: Option<ObjectRef>,
}

/// The Secret that a client's secret is written into.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientSecretTemplate {
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
}

/// When a client gets a new secret, and when the old one ends.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientRotation {
    /// How old a secret becomes, such as `720h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::lifetime")]
    pub interval: Option<Duration>,
    /// How long the old secret works beside the new one, from Pocket ID 2.14 on, by default 1h where no ProxmoxRealm refers
    /// to this client. Where some do, it ends as soon as they all have the new one. Before 2.14 it ends at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::lifetime")]
    pub overlap: Option<Duration>,
    /// What happens when the Secret is gone although it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_lost_secret: Option<OnLostSecret>,
}

/// How it stands with the secret of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientSecretStatus {
    /// `Pending`: a new secret is asked for and not yet in the Secret. `Delivered`: it is. `Unknown`: the client was taken
    /// over, and its secret with it is not known here.
    pub secret_state: SecretState,
    /// The Secret that it is written into.
    pub secret_name: String,
    /// How many secrets have been asked for; the Secret says the same in its annotation proxmox-identity.dev/issue.
    pub issue: i64,
    /// When the present secret was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<Time>,
    /// When it is replaced at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_rotation: Option<Time>,
    /// The last value of the annotation proxmox-identity.dev/rotate-requested-at that was handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_rotate_at: Option<String>,
    /// Secrets of the client that stood before it was taken over, by their ids: they are left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub others: Vec<String>,
    /// Whether former secrets of the operator may still work, and are to be deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retiring: bool,
}

fn yes() -> bool {
    true
}

impl Object for PocketIdClient {
    const KIND: &'static str = "PocketIdClient";
    const SYSTEM: System = System::PocketId;

    fn management(&self) -> &Management {
        &self.spec.management
    }
}
