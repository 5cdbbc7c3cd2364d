//! What is common to objects of all kinds, whatever system they are written to.

use kube::core::ObjectMeta;
use kube::discovery::ApiResource;

use crate::api::management::{DeletionPolicy, Management, ManagementPolicy};
use crate::api::object::System;
use crate::api::status::ObjectStatus;
use crate::controller::kubernetes::{self, Target};
use crate::core::object::{Mode, ObjectKey};

/// An object of some kind.
pub trait Managed {
    /// The system that it is written to.
    const SYSTEM: System;

    /// Its metadata.
    fn meta(&self) -> &ObjectMeta;

    /// The shared part of its spec.
    fn management(&self) -> &Management;

    /// Its status as Kubernetes has it.
    fn status(&self) -> Option<&ObjectStatus>;

    /// Its kind's name.
    fn kind(&self) -> &'static str;

    /// The value of the annotation that asks for a pass.
    fn reconcile_requested_at(&self) -> Option<&str>;

    /// How Kubernetes calls its kind.
    fn api_resource(&self) -> ApiResource;

    /// Its kind, namespace and name.
    fn key(&self) -> ObjectKey {
        let ObjectMeta { namespace, name, .. } = self.meta();
        ObjectKey {
            kind: self.kind(),
            namespace: namespace.clone().unwrap_or_default(),
            name: name.clone().unwrap_or_default(),
        }
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

    /// True when its deletion leaves what it stands for.
    fn is_orphaning(&self) -> bool {
        self.management().deletion_policy == Some(DeletionPolicy::Orphan)
    }

    /// True when its deletion leaves whatever it stands for, known or not.
    fn leaves_all(&self) -> bool {
        self.is_orphaning() || self.management().management_policy == ManagementPolicy::Observe
    }

    /// Where it is written to.
    fn target(&self) -> Target {
        Target::new(self.api_resource(), self.meta())
    }

    /// Its version in Kubernetes.
    fn version(&self) -> u64 {
        kubernetes::resource_version(self.meta())
    }

    /// What may be done for it.
    fn mode(&self) -> Mode {
        let Management { management_policy, suspend, .. } = self.management();
        match (self.is_being_deleted(), management_policy, suspend) {
            (false, _, true) => Mode::Suspended,
            (false, ManagementPolicy::Manage, false) => Mode::Manage,
            (false, ManagementPolicy::Observe, false) => Mode::Observe,
            (true, ManagementPolicy::Observe, _) => Mode::DeletingObserver,
            (true, ManagementPolicy::Manage, true) => Mode::DeletingSuspended,
            (true, ManagementPolicy::Manage, false) => Mode::Deleting,
        }
    }
}

/// Implements [`Managed`] for an enum whose variants each hold an object of one kind.
macro_rules! managed {
    ($any:ident for $system:expr, $($variant:ident),*) => {
        impl $crate::controller::managed::Managed for $any {
            const SYSTEM: $crate::api::object::System = $system;

            fn meta(&self) -> &kube::core::ObjectMeta {
                match self { $(Self::$variant(object) => &object.metadata,)* }
            }

            fn management(&self) -> &$crate::api::management::Management {
                match self { $(Self::$variant(object) => $crate::api::Object::management(object.as_ref()),)* }
            }

            fn status(&self) -> Option<&$crate::api::status::ObjectStatus> {
                match self { $(Self::$variant(object) => object.status.as_ref(),)* }
            }

            fn kind(&self) -> &'static str {
                fn kind<K: $crate::api::Object>(_: &K) -> &'static str {
                    K::KIND
                }
                match self { $(Self::$variant(object) => kind(object.as_ref()),)* }
            }

            fn reconcile_requested_at(&self) -> Option<&str> {
                match self { $(Self::$variant(object) => $crate::api::Object::reconcile_requested_at(object.as_ref()),)* }
            }

            fn api_resource(&self) -> kube::discovery::ApiResource {
                fn resource<K: kube::Resource<DynamicType = ()>>(_: &K) -> kube::discovery::ApiResource {
                    kube::discovery::ApiResource::erase::<K>(&())
                }
                match self { $(Self::$variant(object) => resource(object.as_ref()),)* }
            }
        }
    };
}
pub(super) use managed;
