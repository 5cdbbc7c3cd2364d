//! The kind ProxmoxGroup.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::api::management::Management;
use crate::api::membership::{Member, MembershipPolicy};
use crate::api::object::Object;
use crate::api::refs::ObjectRef;
use crate::api::status::ObjectStatus;
use crate::api::{rules, schema};

/// What the group is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "proxmox-identity.dev",
    version = "v1alpha1",
    kind = "ProxmoxGroup",
    plural = "proxmoxgroups",
    shortname = "pvegroup",
    namespaced,
    status = "ObjectStatus",
    derive = "PartialEq",
    doc = "A group of Proxmox VE. Without groupId and oidc its id is metadata.name.",
    validation = rules::name_is_group(),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::at_most_one(&["groupId", "oidc"]),
    validation = rules::immutable("groupId"),
    validation = rules::immutable("oidc"),
    validation = rules::ignored_list("members"),
)]
pub struct ProxmoxGroupSpec {
    /// How it is managed.
    #[serde(flatten)]
    pub management: Management,
    /// The id of the group in Proxmox VE. Cannot be changed, set or removed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::group_id")]
    pub group_id: Option<String>,
    /// The group that Proxmox VE puts users of an identity provider into at login. Its id is computed as Proxmox VE
    /// does it: `<group>-<realm>`. Cannot be changed, set or removed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oidc: Option<OidcGroup>,
    /// The comment of the group. Unset: not managed; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::comment")]
    pub comment: Option<String>,
    /// Who is in the group. Memberships may be declared here or in `groups` of the ProxmoxUser; both mean the same.
    /// Members of a group that a realm overwrites at login or sync cannot be declared: that is a Conflict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1024), extend("x-kubernetes-list-type" = "atomic"))]
    pub members: Vec<Member>,
    /// What happens to members that the list does not name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub membership_policy: Option<MembershipPolicy>,
}

/// A group of an identity provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::exactly_one(&["group", "groupRef"]), validation = rules::exactly_one(&["realm", "realmRef"]))]
pub struct OidcGroup {
    /// The value in the groups claim, for Pocket ID the name (not the friendly name) of the group. Proxmox VE drops
    /// values with other characters than letters, digits, `.`, `-` and `_`, and appends `-<realm>` itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::claim_value")]
    pub group: Option<String>,
    /// The PocketIdGroup whose name is that value, in the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_ref: Option<ObjectRef>,
    /// The id of the realm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::realm_id")]
    pub realm: Option<String>,
    /// The ProxmoxRealm that the users log in with, in the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realm_ref: Option<ObjectRef>,
}

impl ProxmoxGroup {
    /// The PocketIdGroup that it refers to.
    pub fn pocket_id_group_ref(&self) -> Option<&ObjectRef> {
        self.spec.oidc.as_ref()?.group_ref.as_ref()
    }
}

impl Object for ProxmoxGroup {
    const KIND: &'static str = "ProxmoxGroup";

    fn management(&self) -> &Management {
        &self.spec.management
    }

    fn refers_to_pocket_id(&self) -> bool {
        self.pocket_id_group_ref().is_some()
    }
}
