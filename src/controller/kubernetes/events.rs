//! Events.

use kube::runtime::events::Event;

use super::{Kubernetes, Target};
use crate::permit::Permit;

impl Kubernetes {
    /// Tells of something as an Event of an object. An Event that cannot be written is logged and not missed.
    pub async fn publish(&self, permit: &Permit, target: &Target, event: &Event) {
        let reference = k8s_openapi::api::core::v1::ObjectReference {
            api_version: Some(target.resource.api_version.clone()),
            kind: Some(target.resource.kind.clone()),
            namespace: target.namespace.clone(),
            name: Some(target.name.clone()),
            uid: Some(target.uid.clone()),
            ..Default::default()
        };
        if let Err(error) =
            self.write(permit, target.does("POST Event about"), self.recorders.publish(event, &reference)).await
        {
            tracing::debug!(%error, "an Event could not be written");
        }
    }
}
