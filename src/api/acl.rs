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
#[x_kube(validation = rules::exactly_one(&["path", "poolRef"]))]
pub struct ProxmoxAclSpec {
    /// How it is managed.
    #[serde(flatten)]
    pub management: Management,
    /// The path of the permission tree, such as `/`, `/vms/100` or `/pool/a`. It may be changed: the entries at the
    /// old path are removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::acl_path")]
    pub path: Option<String>,
    /// The ProxmoxPool whose path it is, in the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool_ref: Option<ObjectRef>,
    /// The roles to grant.
    #[schemars(length(min = 1, max = 64), extend("x-kubernetes-list-type" = "atomic"))]
    pub roles: Vec<AclRole>,
    /// Whom to grant them.
    #[schemars(length(min = 1, max = 1024), extend("x-kubernetes-list-type" = "atomic"))]
    pub subjects: Vec<AclSubject>,
    /// Whether the roles also count below the path.
    #[serde(default = "yes")]
    pub propagate: bool,
    /// What happens to entries on this path that no object declares. `Additive` leaves them, `Exact` removes them.
    #[serde(default)]
    pub entry_policy: EntryPolicy,
}

/// What happens to entries on the path that no object declares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum EntryPolicy {
    /// They stay.
    #[default]
    Additive,
    /// They are removed.
    Exact,
}

/// A role to grant: exactly one of the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::exactly_one(&["role", "roleRef"]))]
pub struct AclRole {
    /// The id of the role, such as `PVEAuditor` or `Administrator`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::role_id")]
    pub role: Option<String>,
    /// A ProxmoxRole in the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_ref: Option<ObjectRef>,
}

/// Whom to grant a role: exactly one of the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::exactly_one(&["group", "groupRef", "user", "userRef", "token", "tokenRef"]))]
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
    /// A ProxmoxUser in the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_ref: Option<ObjectRef>,
    /// The id of an API token, `name@realm!token`. The entry waits until the token exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::token_id")]
    pub token: Option<String>,
    /// A ProxmoxToken in the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_ref: Option<ObjectRef>,
}

impl AclSubject {
    /// True when it names an object of ours rather than something in Proxmox VE.
    pub fn is_reference(&self) -> bool {
        self.group_ref.is_some() || self.user_ref.is_some() || self.token_ref.is_some()
    }
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
