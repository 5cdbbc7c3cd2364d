//! Who is in which group, from either side.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::refs::ObjectRef;
use crate::api::{rules, schema};

/// A member of a group: exactly one of the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::exactly_one(&["user", "userRef"]))]
pub struct Member {
    /// The id of a user, `name@realm`. The membership waits until the user exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::user_id")]
    pub user: Option<String>,
    /// A ProxmoxUser in the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_ref: Option<ObjectRef>,
}

/// A group that a user is in: exactly one of the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::exactly_one(&["group", "groupRef"]))]
pub struct GroupOfUser {
    /// The id of a group. The membership waits until the group exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::group_id")]
    pub group: Option<String>,
    /// A ProxmoxGroup in the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_ref: Option<ObjectRef>,
}

// The schema of an optional enum shows the documentation of the enum, not of the field.
/// What happens to members that the list does not name. `Additive` (the default) leaves them. `Exact` removes those that
/// no object declares; with an empty list that is all of them. `Ignore` manages no members here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MembershipPolicy {
    /// They are not managed here.
    Ignore,
    /// Those of the list are there; others may be.
    #[default]
    Additive,
    /// Those of the list, and of other objects, are there, and no others.
    Exact,
}
