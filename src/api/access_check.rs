//! The kind ProxmoxAccessCheck.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::management::is_false;
use crate::api::refs::{ConnectionRef, ObjectRef};
use crate::api::status::ObjectStatus;
use crate::api::{rules, schema};

/// Who must be allowed what, and who must not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "proxmox-identity.dev",
    version = "v1alpha1",
    kind = "ProxmoxAccessCheck",
    plural = "proxmoxaccesschecks",
    shortname = "pvecheck",
    namespaced,
    status = "CheckStatus",
    derive = "PartialEq",
    doc = "A test of permissions in Proxmox VE: what somebody must be allowed on a path, and what not. It is Ready while that is so; nothing is written to Proxmox VE for it."
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::some_privilege(),
    validation = rules::no_privilege_twice(),
)]
pub struct ProxmoxAccessCheckSpec {
    /// The connection to the Proxmox VE cluster that this is about. Cannot be changed.
    pub connection_ref: ConnectionRef,
    /// Who it is about.
    pub subject: CheckSubject,
    /// The path of the permission tree, such as `/`, `/vms/100` or `/pool/a`. For a guest or storage also what reaches
    /// it through its pool counts.
    #[schemars(schema_with = "schema::acl_path")]
    pub path: String,
    /// The privileges that must be held there, such as `VM.Audit`: all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::privileges")]
    pub require: Vec<String>,
    /// The privileges that must not be held there: none of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::privileges")]
    pub forbid: Vec<String>,
    /// It is not judged while true.
    #[serde(default, skip_serializing_if = "is_false")]
    pub suspend: bool,
}

/// Who a check is about: exactly one of the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::exactly_one(&["group", "groupRef", "user", "userRef", "token", "tokenRef"]))]
pub struct CheckSubject {
    /// The id of a group: a user who is in this group alone and has no entries of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::group_id")]
    pub group: Option<String>,
    /// A ProxmoxGroup in the same namespace, as `group`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_ref: Option<ObjectRef>,
    /// The id of a user, `name@realm`, with all groups that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::user_id")]
    pub user: Option<String>,
    /// A ProxmoxUser in the same namespace, as `user`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_ref: Option<ObjectRef>,
    /// The id of an API token, `name@realm!token`. A separated one holds what both it and its user hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::token_id")]
    pub token: Option<String>,
    /// A ProxmoxToken in the same namespace, as `token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_ref: Option<ObjectRef>,
}

/// What the operator found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct CheckStatus {
    /// The generation of the spec that this status is about; -1 until the check was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready` is always there, and its message names what decides. `Reconciling` and `Stalled` are there only while
    /// true: it cannot be told yet, or it is not as the spec says and needs a person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The last value of the annotation proxmox-identity.dev/reconcile-requested-at that was handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
}

/// The part that all statuses have.
impl From<&CheckStatus> for ObjectStatus {
    fn from(status: &CheckStatus) -> Self {
        let CheckStatus { observed_generation, conditions, last_handled_reconcile_at } = status.clone();
        Self { observed_generation, conditions, last_handled_reconcile_at, ..Self::default() }
    }
}
