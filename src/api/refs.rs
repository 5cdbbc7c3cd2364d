//! References to other objects, always in the object's own namespace.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::schema;

/// The connection of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("self == oldSelf", "connectionRef cannot be changed: create another object"))]
pub struct ConnectionRef {
    /// Its name.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
    /// Its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ConnectionKind>,
}

impl ConnectionRef {
    /// The kind of connection that it names.
    pub fn kind(&self) -> ConnectionKind {
        self.kind.unwrap_or_default()
    }
}

// The schema of an optional enum shows the documentation of the enum, not of the field.
/// `ProxmoxConnection` (the default): one in the same namespace. `ClusterProxmoxConnection`: one that is offered to this
/// namespace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ConnectionKind {
    /// In the same namespace.
    #[default]
    ProxmoxConnection,
    /// For the whole Kubernetes cluster.
    ClusterProxmoxConnection,
}

impl ConnectionKind {
    /// The kind's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProxmoxConnection => "ProxmoxConnection",
            Self::ClusterProxmoxConnection => "ClusterProxmoxConnection",
        }
    }
}

/// Another object of ours in the same namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    /// Its name (metadata.name).
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
}

/// One key of a Secret or ConfigMap in the same namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyRef {
    /// Its name.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
    /// The key in its data.
    #[schemars(schema_with = "schema::data_key")]
    pub key: String,
}

/// The Secret that holds an API token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenSecretRef {
    /// Its name.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
    /// The key in its data, by default `token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::data_key")]
    pub key: Option<String>,
}

impl TokenSecretRef {
    /// The key in the Secret's data.
    pub fn key(&self) -> &str {
        self.key.as_deref().unwrap_or("token")
    }
}
