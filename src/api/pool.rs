//! The kind ProxmoxPool.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::api::management::Management;
use crate::api::object::Object;
use crate::api::status::ObjectStatus;
use crate::api::{rules, schema};

/// What the pool is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "proxmox-identity.dev",
    version = "v1alpha1",
    kind = "ProxmoxPool",
    plural = "proxmoxpools",
    shortname = "pvepool",
    namespaced,
    status = "ObjectStatus",
    derive = "PartialEq",
    doc = "A resource pool of Proxmox VE. Without poolId its id is metadata.name.",
    validation = rules::name_is_pool(),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::immutable("poolId"))]
pub struct ProxmoxPoolSpec {
    /// How it is managed.
    #[serde(flatten)]
    pub management: Management,
    /// The id of the pool in Proxmox VE, up to three levels as in `a/b/c`; the pools above must exist. Cannot be
    /// changed, set or removed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::pool_id")]
    pub pool_id: Option<String>,
    /// The comment of the pool. Unset: not managed; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::comment")]
    pub comment: Option<String>,
}

impl Object for ProxmoxPool {
    const KIND: &'static str = "ProxmoxPool";

    fn management(&self) -> &Management {
        &self.spec.management
    }
}
