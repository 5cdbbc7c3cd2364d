//! The kind ProxmoxPool.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::management::{Management, is_false};
use crate::api::membership::MembershipPolicy;
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
#[x_kube(
    validation = rules::immutable("poolId"),
    validation = rules::ignored_members(),
)]
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
    /// What is in the pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<PoolMembers>,
    /// What happens to members that the lists do not name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub membership_policy: Option<MembershipPolicy>,
    /// Whether a guest that is in another pool is taken from there. A guest can be in one pool only.
    #[serde(default, skip_serializing_if = "is_false")]
    pub allow_move: bool,
}

/// What is in a pool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PoolMembers {
    /// Numbers of virtual machines and containers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::guests")]
    pub guests: Vec<i32>,
    /// Ids of storages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::storages")]
    pub storages: Vec<String>,
}

impl Object for ProxmoxPool {
    const KIND: &'static str = "ProxmoxPool";

    fn management(&self) -> &Management {
        &self.spec.management
    }
}
