//! The status of a connection.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the operator knows about the cluster and this way to it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct ConnectionStatus {
    /// The generation of the spec that this status is about; -1 until the connection was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready` is always there. `Reconciling` and `Stalled` are there only while true: the operator is at work or
    /// retries, or it needs a person. `Warning` is there while something is worth knowing though all works.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The same as clusterId: the field that all kinds have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Which cluster this is: the SHA-256 fingerprint of its own certificate authority (pve-root-ca.pem). When the
    /// endpoints lead to another one, nothing is written there until the annotation
    /// proxmox-identity.dev/confirm-cluster names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<String>,
    /// The version of Proxmox VE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The endpoint that answers now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// When the certificate of that endpoint expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_expiry: Option<Time>,
    /// How many objects use this connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<i32>,
    /// When Proxmox VE was last read in full, as of the last change of this status: a pass that finds nothing new
    /// does not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_pass: Option<Time>,
    /// How much of each list of Proxmox VE this credential can see. PVE leaves out what it may not see, in silence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["list"]))]
    pub visibility: Vec<ListVisibility>,
    /// The privileges that objects of this connection need and that its credential lacks, as far as that can be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub missing_privileges: Vec<MissingPrivilege>,
    /// How much stands in Proxmox VE that no object of this connection claims, holds or observes. A kind that the
    /// credential does not see in full is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["kind"]))]
    pub unmanaged: Vec<Unmanaged>,
    /// Who may grant everything: holds Permissions.Modify on `/` and may be used now, besides root@pam itself. Absent when
    /// the credential does not see all that it follows from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub administrators: Option<Administrators>,
    /// The last value of the annotation proxmox-identity.dev/reconcile-requested-at that was handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
}

impl ConnectionStatus {
    /// True when nothing differs but the time of the last pass, which alone is not worth a write.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        self == &Self { last_pass: self.last_pass.clone(), ..other.clone() }
    }
}

/// A privilege that the credential lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MissingPrivilege {
    /// Its name, such as `User.Modify`.
    pub privilege: String,
    /// The path on which it is needed, or above it with `propagate`.
    pub path: String,
    /// The kinds of objects that need it.
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub kinds: Vec<String>,
}

/// What no object answers for, of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Unmanaged {
    /// `acl`, `groups`, `pools`, `realms`, `roles`, `tokens` or `users`.
    pub kind: String,
    /// How many, without what is built in: the realms pam and pve, the user root@pam and roles that cannot be changed.
    pub count: i32,
    /// Those that appeared last while the operator was looking, the last first; at most three.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub newest: Vec<String>,
}

/// Who may grant everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Administrators {
    /// How many users and tokens.
    pub count: i32,
    /// How many of them would not be so by the entries that objects of this connection claim alone.
    pub unmanaged: i32,
    /// The first of them, users before tokens; at most twenty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub names: Vec<String>,
}

/// How much of one list of Proxmox VE can be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListVisibility {
    /// `groups`, `users`, `roles`, `acl`, `realms` or `pools`.
    pub list: String,
    /// `Known`: all of it. `Partial`: what is missing may still stand there. `Unknown`: it could not be read.
    pub extent: Extent,
    /// Why not all of it, and which privilege is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How much of a list can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Extent {
    /// All of it.
    Known,
    /// Some of it.
    Partial,
    /// Nothing.
    Unknown,
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::Timestamp;

    use super::*;

    #[test]
    fn the_time_of_a_pass_alone_is_no_change() {
        let before = ConnectionStatus { version: Some("9.1.4".into()), ..Default::default() };
        let passed = ConnectionStatus { last_pass: Some(Time(Timestamp::UNIX_EPOCH)), ..before.clone() };
        let upgraded = ConnectionStatus { version: Some("9.2.0".into()), ..before.clone() };
        assert!(passed.says_the_same_as(&before));
        assert!(before.says_the_same_as(&passed));
        assert!(!upgraded.says_the_same_as(&before));
    }
}
