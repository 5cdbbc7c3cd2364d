//! How an object is managed: the part of the spec that all kinds written to Proxmox VE share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::refs::ConnectionRef;

/// The part of the spec that all kinds written to Proxmox VE share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Management {
    /// The connection that this is for. Cannot be changed.
    pub connection_ref: ConnectionRef,
    /// `Manage` makes Proxmox VE equal to this object and keeps it so. `Observe` writes nothing there: Ready is
    /// True with reason Observed, and differences are shown as condition Drifted and in status.pendingChanges.
    #[serde(default)]
    pub management_policy: ManagementPolicy,
    /// What to do with what already stands in Proxmox VE and nobody manages yet. `IfIdentical` takes it over where
    /// nothing would have to be written, and otherwise reports AlreadyExists with the difference. `Never` reports
    /// AlreadyExists. `Always` takes it over and writes the difference.
    #[serde(default)]
    pub adoption_policy: AdoptionPolicy,
    /// What deletion does in Proxmox VE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// Nothing is read or written for this object while true; what it owns stays its own, and its deletion waits.
    #[serde(default, skip_serializing_if = "is_false")]
    pub suspend: bool,
}

impl Management {
    /// A spec's shared part with nothing but its connection.
    pub fn new(connection: impl Into<String>) -> Self {
        Self {
            connection_ref: ConnectionRef { name: connection.into(), kind: None },
            management_policy: ManagementPolicy::default(),
            adoption_policy: AdoptionPolicy::default(),
            deletion_policy: None,
            suspend: false,
        }
    }
}

/// Whether the operator writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ManagementPolicy {
    /// Make Proxmox VE equal to the object.
    #[default]
    Manage,
    /// Only compare.
    Observe,
}

/// Whether what already stands is taken over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AdoptionPolicy {
    /// Only where nothing would be written.
    #[default]
    IfIdentical,
    /// Not at all.
    Never,
    /// Whatever it looks like.
    Always,
}

// The schema of an optional enum shows the documentation of the enum, not of the field.
/// What happens in Proxmox VE when this object is deleted. `Delete` removes what the object stands for, `Orphan` leaves
/// it. Unset: what the operator created goes, what it took over stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// Remove all that the object stands for, also what was taken over.
    Delete,
    /// Leave all.
    Orphan,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
pub(super) fn is_false(value: &bool) -> bool {
    !value
}
