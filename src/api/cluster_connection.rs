//! The kind ClusterProxmoxConnection.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::connection::ConnectionSpec;
use crate::api::connection_status::ConnectionStatus;
use crate::api::{rules, schema};

/// Which cluster, as whom, how, and for whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "proxmox-identity.dev",
    version = "v1alpha1",
    kind = "ClusterProxmoxConnection",
    plural = "clusterproxmoxconnections",
    shortname = "cpveconn",
    status = "ConnectionStatus",
    derive = "PartialEq",
    doc = "One cluster of Proxmox VE and the credential for it, offered to the objects of chosen namespaces within the limits of its policy. Its Secrets and ConfigMaps are in the namespace of the operator."
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::lockouts_have_namespaces())]
pub struct ClusterProxmoxConnectionSpec {
    /// Which cluster, as whom, and how.
    #[serde(flatten)]
    pub connection: ConnectionSpec,
    /// The namespaces whose objects may use it, by default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_namespaces: Option<AllowedNamespaces>,
}

/// Namespaces: those that are named, and those that the selector matches.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllowedNamespaces {
    /// Names of namespaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::policy::namespaces")]
    pub names: Vec<String>,
    /// The labels of namespaces. An empty selector matches all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
}
