//! The kind ProxmoxUser.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::api::management::Management;
use crate::api::membership::{GroupOfUser, MembershipPolicy};
use crate::api::object::Object;
use crate::api::refs::{KeyRef, ObjectRef};
use crate::api::status::ObjectStatus;
use crate::api::{rules, schema};

/// Who the user is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "proxmox-identity.dev",
    version = "v1alpha1",
    kind = "ProxmoxUser",
    plural = "proxmoxusers",
    shortname = "pveuser",
    namespaced,
    status = "ObjectStatus",
    derive = "PartialEq",
    doc = "A user of Proxmox VE. Its id is userId, or userName (metadata.name where unset) in the realm.",
    validation = rules::name_is_user(),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::exactly_one(&["userId", "realm", "realmRef"]),
    validation = rules::not_together("userName", "userId"),
    validation = rules::immutable("userId"),
    validation = rules::immutable("userName"),
    validation = rules::immutable("realm"),
    validation = rules::immutable("realmRef"),
    validation = rules::ignored_list("groups"),
)]
pub struct ProxmoxUserSpec {
    /// How it is managed.
    #[serde(flatten)]
    pub management: Management,
    /// The whole id of the user, `name@realm`. Cannot be changed, set or removed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::user_id")]
    pub user_id: Option<String>,
    /// The part of the id before `@`, by default metadata.name. Cannot be changed, set or removed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::user_name")]
    pub user_name: Option<String>,
    /// The id of the realm that the user logs in with. Cannot be changed, set or removed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::realm_id")]
    pub realm: Option<String>,
    /// The ProxmoxRealm that the user logs in with, in the same namespace. Cannot be changed, set or removed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realm_ref: Option<ObjectRef>,
    /// Whether the user may log in and its tokens work. A new user may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// When the user and its tokens stop working, such as `2027-01-31T00:00:00Z`. Empty: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::expiry")]
    pub expires_at: Option<String>,
    /// The first name. Unset: not managed; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::person_name")]
    pub first_name: Option<String>,
    /// The last name. Unset: not managed; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::person_name")]
    pub last_name: Option<String>,
    /// The e-mail address. Unset: not managed; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::email")]
    pub email: Option<String>,
    /// The comment of the user. Unset: not managed; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::user_comment")]
    pub comment: Option<String>,
    /// The groups that the user is in. Memberships may be declared here or in `members` of the ProxmoxGroup; both mean
    /// the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), extend("x-kubernetes-list-type" = "atomic"))]
    pub groups: Vec<GroupOfUser>,
    /// What happens to other groups that the user is in. `Additive` (the default) leaves them. `Exact` removes the user
    /// from those that no object declares; with an empty list from all. `Ignore` manages no memberships here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub membership_policy: Option<MembershipPolicy>,
    /// The Secret that holds the password, of 8 to 64 characters, for users of the realms pve and pam. Proxmox VE never
    /// shows it: it is set when the user is made, and again when the Secret changes, which needs a connection with
    /// auth.ticket since Proxmox VE lets no API token change a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_secret_ref: Option<KeyRef>,
    /// The Secret that holds the keys for the second factor of old (`keys` of Proxmox VE, for the realm's tfa).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys_secret_ref: Option<KeyRef>,
}

impl Object for ProxmoxUser {
    const KIND: &'static str = "ProxmoxUser";

    fn management(&self) -> &Management {
        &self.spec.management
    }
}
