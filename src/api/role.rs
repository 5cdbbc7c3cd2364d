//! The kind ProxmoxRole.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::api::management::Management;
use crate::api::object::Object;
use crate::api::status::ObjectStatus;
use crate::api::{rules, schema};

/// What the role grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "proxmox-identity.dev",
    version = "v1alpha1",
    kind = "ProxmoxRole",
    plural = "proxmoxroles",
    shortname = "pverole",
    namespaced,
    status = "ObjectStatus",
    derive = "PartialEq",
    doc = "A role of Proxmox VE: a set of privileges that ACL entries grant. Without roleId its id is metadata.name.",
    validation = rules::name_is_role(),
    validation = rules::no_built_in_role(),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::immutable("roleId"))]
pub struct ProxmoxRoleSpec {
    /// How it is managed.
    #[serde(flatten)]
    pub management: Management,
    /// The id of the role in Proxmox VE. Ids that begin with PVE, and Administrator and NoAccess, are roles of Proxmox VE
    /// itself, which can only be observed. Cannot be changed, set or removed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::role_id")]
    pub role_id: Option<String>,
    /// The privileges, such as `VM.Audit`: exactly these. Empty: a role that grants nothing.
    #[schemars(schema_with = "schema::privileges")]
    pub privileges: Vec<String>,
}

impl Object for ProxmoxRole {
    const KIND: &'static str = "ProxmoxRole";

    fn management(&self) -> &Management {
        &self.spec.management
    }
}
