//! The status of the kinds that are written to Proxmox VE or Pocket ID.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::pocket_id_client::ClientSecretStatus;

/// What the operator knows and has done for this object.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct ObjectStatus {
    /// The generation of the spec that this status is about; -1 until the object was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready` is always there. `Reconciling` and `Stalled` are there only while true: the operator is at work or
    /// retries, or it needs a person. `Drifted` is there while an observed object differs from Proxmox VE,
    /// `Warning` while something about an object that is ready is worth knowing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// What this is called in Proxmox VE: its id there; for an ACL the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// What this object has made or taken over in Proxmox VE, or was about to. The operator needs it to clean up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub ledger: Vec<LedgerEntry>,
    /// The version of the Secret whose password was last written to Proxmox VE, which never shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_secret: Option<SecretVersion>,
    /// How it stands with the token's secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenStatus>,
    /// How it stands with the client's secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<ClientSecretStatus>,
    /// The logo that the client was last given: its URL, or the SHA-256 of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// Which secret of the PocketIdClient that it refers to stands in the realm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_in_use: Option<ClientInUse>,
    /// Whether people can sign in with a realm that refers to a client of Pocket ID, before anybody tries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<SignInStatus>,
    /// When the sync jobs ran and will run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["id"]))]
    pub sync_jobs: Vec<SyncJobStatus>,
    /// What became of the sync that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync: Option<SyncStatus>,
    /// What would be written, one sentence each: the steps still to come, or the differences of an observed object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub pending_changes: Vec<String>,
    /// The last value of the annotation proxmox-identity.dev/reconcile-requested-at that was handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// What was last written to Proxmox VE for this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_change: Option<LastChange>,
}

/// A client of Pocket ID in a realm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientInUse {
    /// The PocketIdClient.
    pub name: String,
    /// Which of its secrets, as its `status.clientSecret.issue` counts them.
    pub issue: i64,
}

/// Whether people can sign in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignInStatus {
    /// What keeps people from signing in or from getting their groups, one sentence each. Empty: nothing that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub problems: Vec<String>,
    /// What a sign-in would give the users of `openid.users.samples`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["user"]))]
    pub samples: Vec<SampleStatus>,
}

/// What a sign-in would give one user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SampleStatus {
    /// The user's name in Pocket ID.
    pub user: String,
    /// `Admitted`: gets in. `TurnedAway`: not let in by Pocket ID. `NoSuchUser`: not known there. `Refused`: let in by Pocket
    /// ID, and not by Proxmox VE.
    pub result: SampleResult,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The user in Proxmox VE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The groups of Proxmox VE that the user would be put into.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub groups: Vec<String>,
    /// Groups that the user has in Pocket ID and gets nothing from: Proxmox VE drops their names, or has no such group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub ignored: Vec<String>,
}

/// Whether a user would get in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SampleResult {
    /// Gets in.
    Admitted,
    /// Not let in by Pocket ID: in none of the allowed groups, or disabled.
    TurnedAway,
    /// Not known to Pocket ID.
    NoSuchUser,
    /// Let in by Pocket ID, and not by Proxmox VE.
    Refused,
}

/// When a sync job ran and will run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncJobStatus {
    /// Its id.
    pub id: String,
    /// When it last ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<Time>,
    /// When it runs next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_run: Option<Time>,
}

/// What became of a sync that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncStatus {
    /// The value of the annotation proxmox-identity.dev/sync-requested-at that asked for it.
    pub requested_at: String,
    /// `Running`, `Succeeded` or `Failed`.
    pub state: SyncState,
    /// The task in Proxmox VE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// How far a sync has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SyncState {
    /// At work.
    Running,
    /// Done.
    Succeeded,
    /// It ended with an error.
    Failed,
}

/// How it stands with the secret of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenStatus {
    /// `Pending`: a new secret is asked for and not yet in the Secret. `Delivered`: it is. `Unknown`: the token was taken
    /// over, and its secret with it is not known here.
    pub secret_state: SecretState,
    /// The Secret that it is written into.
    pub secret_name: String,
    /// How many secrets have been asked for; the Secret says the same in its annotation proxmox-identity.dev/issue.
    pub issue: i64,
    /// When the present secret was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<Time>,
    /// When it is replaced at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_rotation: Option<Time>,
    /// The last value of the annotation proxmox-identity.dev/rotate-requested-at that was handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_rotate_at: Option<String>,
    /// ACL entries that are put back while the token is made anew, where Proxmox VE cannot give it a new secret otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub restoring: Vec<RestoredEntry>,
}

/// An ACL entry that is put back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestoredEntry {
    /// Its path.
    pub path: String,
    /// Its role.
    pub role: String,
    /// Whether it also counts below its path.
    pub propagate: bool,
}

/// How it stands with the secret of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SecretState {
    /// Asked for and not yet in the Secret.
    Pending,
    /// In the Secret.
    Delivered,
    /// Not known here: the token was taken over.
    Unknown,
}

/// One version of a Secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretVersion {
    /// The Secret's name.
    pub name: String,
    /// Its uid: a Secret that was made anew is another one.
    pub uid: String,
    /// Its resourceVersion.
    pub resource_version: String,
}

/// One thing in Proxmox VE that an object stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LedgerEntry {
    /// What it is.
    pub claim: String,
    /// `Created` by the operator, or `Adopted`: it stood there before.
    pub origin: Origin,
    /// `Intended` before it is written, `Applied` once it is known to stand.
    pub state: LedgerState,
}

/// Where something in Proxmox VE comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Origin {
    /// The operator made it.
    Created,
    /// It stood there before.
    Adopted,
}

/// How far a claim has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum LedgerState {
    /// About to be written.
    Intended,
    /// Known to stand.
    Applied,
}

/// The last write to Proxmox VE.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastChange {
    /// When.
    pub time: Time,
    /// What, in a sentence.
    pub summary: String,
}
