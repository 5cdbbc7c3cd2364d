//! The settings of a realm of type openid.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::management::is_false;
use crate::api::refs::{KeyRef, ObjectRef};
use crate::api::{rules, schema};

/// How users log in with an OpenID Connect provider. Fields that are unset are not managed: the value in Proxmox VE
/// stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::exactly_one(&["clientId", "clientIdSecretRef", "clientRef"]),
    validation = rules::issuer_or_client(),
    validation = rules::not_together("clientRef", "clientKeySecretRef"),
    validation = rules::samples_need_client(),
    validation = rules::source_needs_username(),
    validation = rules::immutable("usernameClaim"),
)]
pub struct OpenIdRealm {
    /// The URL of the provider, exactly as it calls itself (`issuer` in its discovery document).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::issuer_url")]
    pub issuer_url: Option<String>,
    /// A PocketIdClient in the same namespace: issuer, id and secret of the client are taken from it, and follow it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ref: Option<ObjectRef>,
    /// The id of the client at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::client_id")]
    pub client_id: Option<String>,
    /// The Secret that holds the id of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id_secret_ref: Option<KeyRef>,
    /// The Secret that holds the client's secret (its key, as Proxmox VE calls it). Unset: not managed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key_secret_ref: Option<KeyRef>,
    /// Which claim names the user: `username` (preferred_username), `email`, `subject`, or another claim. Proxmox VE
    /// takes it only when the realm is made, so it cannot be changed, set or removed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::username_claim")]
    pub username_claim: Option<String>,
    /// What happens to users at login, and to those who are gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<OpenIdUsers>,
    /// What happens to memberships in groups at login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<OpenIdGroups>,
    /// The scopes to ask for beside `openid`. Without the scope `groups` Pocket ID sends no groups. Empty: those of
    /// Proxmox VE, `email` and `profile`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::scopes")]
    pub scopes: Option<Vec<String>>,
    /// The authentication context classes to ask for (`acr_values`). Empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::openid_values")]
    pub acr_values: Option<Vec<String>>,
    /// For whom tokens of the provider may be made out beside the client, from Proxmox VE 9.2 on. Empty: nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::openid_values")]
    pub audiences: Option<Vec<String>>,
    /// Whether the provider asks the user again: `none`, `login`, `consent` or `select_account`. Empty: up to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::prompt")]
    pub prompt: Option<String>,
    /// Whether Proxmox VE asks the provider's userinfo endpoint for claims, as it does by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_userinfo: Option<bool>,
}

/// What happens to users: those who come, at login, and those who are gone, between logins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::removal_needs_source(), validation = rules::provision_needs_client())]
pub struct OpenIdUsers {
    /// Whether Proxmox VE makes a user at the first login. Without it only users that exist may log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_create: Option<bool>,
    /// What happens to users that Proxmox VE has and the source does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_removal: Option<OnRemoval>,
    /// Who may use the realm now. Unset: nobody knows, and users stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<UserSource>,
    /// Whether those whom the client of the source lets in are made in Proxmox VE before they first sign in, with the groups
    /// that they would get then, as far as these exist. They belong to nobody, as users that are made at login: what becomes
    /// of those who are gone is said by onRemoval.
    #[serde(default, skip_serializing_if = "is_false")]
    pub provision: bool,
    /// Users of Pocket ID, by the names that they sign in with, for whom `status.signIn` shows whether they would get in,
    /// as whom and with which groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::sample_users")]
    pub samples: Vec<String>,
}

// The schema of an optional enum shows the documentation of the enum, not of the field.
/// What happens to users that Proxmox VE has and the source does not. `Report` (the default) names them in the condition
/// `Warning` and writes nothing. `Disable` disables them, which ends their API tokens too. `RemoveGroups` takes them out of
/// all groups; their own ACL entries and tokens stay. Nobody is ever enabled again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnRemoval {
    /// They are named, and nothing is written.
    #[default]
    Report,
    /// They are disabled.
    Disable,
    /// They leave all groups.
    RemoveGroups,
}

/// Who may use a realm: exactly one of the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::exactly_one(&["configMapRef", "pocketIdClientRef"]))]
pub struct UserSource {
    /// A key of a ConfigMap in the same namespace with one user a line, `name` or `name@realm`. Empty lines and lines that
    /// begin with `#` do not count. A list that is missing, empty or has a line that is no user changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<KeyRef>,
    /// A PocketIdClient in the same namespace: those whom it lets in. When Pocket ID cannot be read, or lets nobody in, nothing
    /// is changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pocket_id_client_ref: Option<ObjectRef>,
}

/// What happens to memberships in groups at login.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenIdGroups {
    /// The claim that lists the user's groups. Proxmox VE puts the user into `<value>-<realm>` for each value.
    /// Empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::groups_claim")]
    pub claim: Option<String>,
    /// Whether Proxmox VE makes groups that do not exist. Without it users join only groups that do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_create: Option<bool>,
    /// Whether users leave all groups that the claim does not list, also those that somebody put them into by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overwrite: Option<bool>,
}
