//! The settings of a realm of type openid.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::refs::KeyRef;
use crate::api::{rules, schema};

/// How users log in with an OpenID Connect provider. Fields that are unset are not managed: the value in Proxmox VE
/// stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::exactly_one(&["clientId", "clientIdSecretRef"]),
    validation = rules::immutable("usernameClaim"),
)]
pub struct OpenIdRealm {
    /// The URL of the provider, exactly as it calls itself (`issuer` in its discovery document).
    #[schemars(schema_with = "schema::issuer_url")]
    pub issuer_url: String,
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
    /// What happens to users at login.
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

/// What happens to users at login.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenIdUsers {
    /// Whether Proxmox VE makes a user at the first login. Without it only users that exist may log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_create: Option<bool>,
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
