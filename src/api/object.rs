//! What the controller needs to know of any kind that is written to Proxmox VE or Pocket ID.

use std::fmt::Debug;

use kube::core::NamespaceResourceScope;
use kube::core::object::HasStatus;
use kube::{CustomResourceExt, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::RECONCILE_REQUESTED_AT;
use crate::api::management::{DeletionPolicy, Management, ManagementPolicy};
use crate::api::status::ObjectStatus;

/// The system that a kind is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum System {
    /// Proxmox VE.
    ProxmoxVe,
    /// Pocket ID.
    PocketId,
}

impl System {
    /// Its name, for messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProxmoxVe => "Proxmox VE",
            Self::PocketId => "Pocket ID",
        }
    }
}

/// A kind that stands for things in Proxmox VE or Pocket ID.
pub trait Object:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + HasStatus<Status = ObjectStatus>
    + CustomResourceExt
    + Clone
    + Debug
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    /// The kind's name.
    const KIND: &'static str;

    /// The system that it is written to.
    const SYSTEM: System = System::ProxmoxVe;

    /// The part of the spec that all kinds share.
    fn management(&self) -> &Management;

    /// True when it refers to an object that stands for something in Pocket ID.
    fn refers_to_pocket_id(&self) -> bool {
        false
    }

    /// True when it is only compared.
    fn is_observed(&self) -> bool {
        self.management().management_policy == ManagementPolicy::Observe
    }

    /// True while nothing is to be done for it.
    fn is_suspended(&self) -> bool {
        self.management().suspend
    }

    /// What its deletion does, where somebody said so.
    fn deletion_policy(&self) -> Option<DeletionPolicy> {
        self.management().deletion_policy
    }

    /// Its name.
    fn name(&self) -> &str {
        self.meta().name.as_deref().unwrap_or_default()
    }

    /// Its namespace.
    fn namespace(&self) -> &str {
        self.meta().namespace.as_deref().unwrap_or_default()
    }

    /// Its uid.
    fn uid(&self) -> &str {
        self.meta().uid.as_deref().unwrap_or_default()
    }

    /// The generation of its spec.
    fn generation(&self) -> i64 {
        self.meta().generation.unwrap_or_default()
    }

    /// True once somebody deleted it.
    fn is_being_deleted(&self) -> bool {
        self.meta().deletion_timestamp.is_some()
    }

    /// The value of the annotation that asks for a pass.
    fn reconcile_requested_at(&self) -> Option<&str> {
        self.meta().annotations.as_ref()?.get(RECONCILE_REQUESTED_AT).map(String::as_str)
    }
}
