//! The second factor of a realm.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::refs::KeyRef;
use crate::api::rules;
use crate::api::schema::directory as schema;

/// The second factor that users of a realm need at login: at most one of the fields; none of them takes it away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::at_most_one(&["oath", "yubico"]))]
pub struct RealmTfa {
    /// One-time passwords of an app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oath: Option<OathTfa>,
    /// One-time passwords of a YubiKey.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yubico: Option<YubicoTfa>,
}

/// One-time passwords of an app.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OathTfa {
    /// How many digits a password has, by default 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::oath_digits")]
    pub digits: Option<i32>,
    /// How many seconds a password is shown, by default 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::oath_step")]
    pub step: Option<i32>,
}

/// One-time passwords of a YubiKey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct YubicoTfa {
    /// The id of the API.
    #[schemars(schema_with = "schema::yubico_id")]
    pub api_id: String,
    /// The Secret that holds the key of the API.
    pub api_key_secret_ref: KeyRef,
    /// The server, where it is not Yubico's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::yubico_url")]
    pub url: Option<String>,
}
