//! The kind PocketIdGroup.

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::api::management::Management;
use crate::api::membership::MembershipPolicy;
use crate::api::object::{Object, System};
use crate::api::status::ObjectStatus;
use crate::api::{rules, schema};

/// What the group is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "proxmox-identity.dev",
    version = "v1alpha1",
    kind = "PocketIdGroup",
    plural = "pocketidgroups",
    shortname = "pidgroup",
    namespaced,
    status = "ObjectStatus",
    derive = "PartialEq",
    doc = "A user group of Pocket ID. Without groupName its name there is metadata.name.",
    validation = rules::name_is_group_name(),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::immutable("groupName"), validation = rules::ignored_list("members"))]
pub struct PocketIdGroupSpec {
    /// How it is managed.
    #[serde(flatten)]
    pub management: Management,
    /// The name of the group, which is its value in the claim `groups`: Proxmox VE puts its members into
    /// `<groupName>-<realm>` at login, and drops names with other characters than letters, digits, `.`, `-` and `_`.
    /// Cannot be changed, set or removed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::own_group_name")]
    pub group_name: Option<String>,
    /// What people see, 2 to 50 characters. Unset: not managed; a new group is shown by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::friendly_name")]
    pub friendly_name: Option<String>,
    /// Who is in the group, by the names that users sign in with. A member waits until there is such a user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::pocket_id_users")]
    pub members: Vec<String>,
    /// What happens to members that the list does not name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub membership_policy: Option<MembershipPolicy>,
    /// All custom claims of the group, which its members get in their tokens. Unset: not managed; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::custom_claims")]
    pub custom_claims: Option<BTreeMap<String, String>>,
}

impl Object for PocketIdGroup {
    const KIND: &'static str = "PocketIdGroup";
    const SYSTEM: System = System::PocketId;

    fn management(&self) -> &Management {
        &self.spec.management
    }
}
