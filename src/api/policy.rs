//! What the objects of a connection may do: they all borrow its credential.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::schema;

/// What the objects of a connection may do. It is judged in every pass against what stands in Proxmox VE then. What an
/// object made before is never kept by it from being deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionPolicy {
    /// An object is allowed when all that it claims fits one of these rules. Without rules, a ProxmoxConnection allows
    /// everything, and a ClusterProxmoxConnection nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 32), extend("x-kubernetes-list-type" = "atomic"))]
    pub rules: Vec<PolicyRule>,
    /// Privileges that nobody gets through objects of this connection: no role that has one is granted or made, and no
    /// group, user or token that holds one is managed, nor a realm whose logins could become one. Unset: none for a
    /// ProxmoxConnection; for a ClusterProxmoxConnection Permissions.Modify, User.Modify, Realm.Allocate,
    /// Realm.AllocateUser, Sys.Modify and Sys.Console, which Administrator has. An empty list denies nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::policy::privileges")]
    pub denied_privileges: Option<Vec<String>>,
    /// Whether tokens may have all rights of their user (privilegeSeparation false). Unset: true for a
    /// ProxmoxConnection, false for a ClusterProxmoxConnection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_tokens_without_privsep: Option<bool>,
    /// Objects that may take away the operator's own rights, user, token or realm, which is refused otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub allow_lockout: Vec<LockoutException>,
    /// What becomes of what an object has made when it is no longer allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_revoke: Option<OnRevoke>,
    /// What happens to deleted objects while Proxmox VE cannot be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable_deletion: Option<UnreachableDeletion>,
}

/// What one kind of object may do. A field that is unset allows all there is. In namespaces, roles, realms, groupIds and
/// userIds a `*` stands for any text; upper and lower case are different.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRule {
    /// The namespaces whose objects it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::policy::patterns")]
    pub namespaces: Option<Vec<String>>,
    /// The kinds that it is for, such as ProxmoxAcl.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::policy::kinds")]
    pub kinds: Option<Vec<String>>,
    /// Paths of the permission tree, each with all below it: for ACL entries, for pools (`/pool/…`), and for members of
    /// pools (`/vms/…`, `/storage/…`). Where a path below /vms or /storage is among them, an entry on a pool is
    /// allowed only while all that is in the pool is allowed too. A role is changed only while it is used on no other path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::policy::paths")]
    pub paths: Option<Vec<String>>,
    /// Roles to grant, or to make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::policy::patterns")]
    pub roles: Option<Vec<String>>,
    /// Realms to make, and realms of users and tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::policy::patterns")]
    pub realms: Option<Vec<String>>,
    /// Groups to make, to fill or to grant something to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::policy::patterns")]
    pub group_ids: Option<Vec<String>>,
    /// Users, `name@realm`, to make, to put into groups, to make tokens of or to grant something to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::policy::user_patterns")]
    pub user_ids: Option<Vec<String>>,
}

/// An object that may take away the operator's own rights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LockoutException {
    /// Its kind, such as ProxmoxAcl.
    #[schemars(schema_with = "schema::policy::kind")]
    pub kind: String,
    /// Its namespace; needed for a ClusterProxmoxConnection only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub namespace: Option<String>,
    /// Its name.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
}

// The schema of an optional enum shows the documentation of the enum, not of the field.
/// What becomes of what an object has made when it is no longer allowed. `Keep` (the default) leaves it as it is, in the
/// object's hands; `Remove` removes what the operator created for it, and leaves what it took over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnRevoke {
    /// It stays.
    #[default]
    Keep,
    /// It goes.
    Remove,
}

// The schema of an optional enum shows the documentation of the enum, not of the field.
/// What happens to deleted objects while Proxmox VE cannot be reached. `Wait` (the default) keeps them until it can; `Orphan`
/// lets them go once it could not be reached for the operator's `--progress-deadline` (10 minutes), and leaves in Proxmox VE
/// what they stand for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum UnreachableDeletion {
    /// They wait.
    #[default]
    Wait,
    /// They go; what they stand for stays.
    Orphan,
}
