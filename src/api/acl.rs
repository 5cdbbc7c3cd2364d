//! The kind ProxmoxAcl.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::management::Management;
use crate::api::object::Object;
use crate::api::refs::ObjectRef;
use crate::api::status::ObjectStatus;
use crate::api::{rules, schema};

/// What is granted to whom, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "proxmox-identity.dev",
    version = "v1alpha1",
    kind = "ProxmoxAcl",
    plural = "proxmoxacls",
    shortname = "pveacl",
    namespaced,
    status = "ObjectStatus",
    derive = "PartialEq",
    doc = "Permissions of Proxmox VE: each of the roles for each of the subjects on one path."
)]
#[serde(rename_all = "camelCase")]
pub struct ProxmoxAclSpec {
    /// How it is managed.
    #[serde(flatten)]
    pub management: Management,
    /// The path of the permission tree, such as `/`, `/vms/100` or `/pool/a`. It may be changed: the entries at the
    /// old path are removed.
    #[schemars(schema_with = "schema::acl_path")]
    pub path: String,
    /// The roles to grant.
    #[schemars(length(min = 1, max = 64), extend("x-kubernetes-list-type" = "atomic"))]
    pub roles: Vec<AclRole>,
    /// Whom to grant them.
    #[schemars(length(min = 1, max = 1024), extend("x-kubernetes-list-type" = "atomic"))]
    pub subjects: Vec<AclSubject>,
    /// Whether the roles also count below the path.
    #[serde(default = "yes")]
    pub propagate: bool,
}

/// A role to grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AclRole {
    /// The id of the role, such as `PVEAuditor` or `Administrator`.
    #[schemars(schema_with = "schema::role_id")]
    pub role: String,
}

/// Whom to grant a role: exactly one of the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::exactly_one(&["group", "groupRef", "user"]))]
pub struct AclSubject {
    /// The id of a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::group_id")]
    pub group: Option<String>,
    /// A ProxmoxGroup in the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_ref: Option<ObjectRef>,
    /// The id of a user, `name@realm`. The entry waits until the user exists, for a realm with users.autoCreate
    /// until the first login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::grantee")]
    pub user: Option<String>,
}

fn yes() -> bool {
    true
}

impl Object for ProxmoxAcl {
    const KIND: &'static str = "ProxmoxAcl";

    fn management(&self) -> &Management {
        &self.spec.management
    }
}
