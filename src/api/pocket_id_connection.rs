//! The kind PocketIdConnection.

use std::time::Duration as StdDuration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::core::Duration;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::connection::Tls;
use crate::api::management::is_false;
use crate::api::refs::KeyRef;
use crate::api::schema;

/// Which Pocket ID, and with which key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "proxmox-identity.dev",
    version = "v1alpha1",
    kind = "PocketIdConnection",
    plural = "pocketidconnections",
    shortname = "pidconn",
    namespaced,
    status = "PocketIdConnectionStatus",
    derive = "PartialEq",
    doc = "A Pocket ID, from 2.3 on, and an API key of it, for objects of the same namespace."
)]
#[serde(rename_all = "camelCase")]
pub struct PocketIdConnectionSpec {
    /// The URL of Pocket ID (its APP_URL), as `https://host` or `https://host:port`.
    #[schemars(schema_with = "schema::pocket_id_url")]
    pub url: String,
    /// The Secret that holds the API key of an administrator. The static key (STATIC_API_KEY) does not expire; all others
    /// do, and cannot be renewed by the operator: `status.apiKeyExpiry` says when.
    pub api_key_secret_ref: KeyRef,
    /// How the server proves that it is the right one. Unset: by an authority that the operator's system trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// How often Pocket ID is compared with the objects when nothing happens, by default 1m, at least 1s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::resync_interval")]
    pub resync_interval: Option<Duration>,
    /// Nothing is read or written in Pocket ID while true, for this connection and all its objects.
    #[serde(default, skip_serializing_if = "is_false")]
    pub suspend: bool,
}

impl PocketIdConnectionSpec {
    /// How often Pocket ID is read when nothing happens.
    pub fn resync_interval(&self) -> StdDuration {
        self.resync_interval.map_or(StdDuration::from_mins(1), Into::into)
    }
}

/// What the operator knows about this Pocket ID.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct PocketIdConnectionStatus {
    /// The generation of the spec that this status is about; -1 until the connection was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready` is always there. `Reconciling` and `Stalled` are there only while true: the operator is at work or
    /// retries, or it needs a person. `Warning` is there while something is worth knowing though all works.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The same as issuerUrl: the field that all kinds have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// What Pocket ID calls itself in its discovery document: the `issuer-url` of realms, to the letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_url: Option<String>,
    /// The version of Pocket ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When the API key expires; absent for the static key, which does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_expiry: Option<Time>,
    /// How many requests this version takes, such as `100 at once, then 1/s`; the operator stays below that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<String>,
    /// When the server's certificate expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_expiry: Option<Time>,
    /// How many objects use this connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<i32>,
    /// The last value of the annotation proxmox-identity.dev/reconcile-requested-at that was handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
}
