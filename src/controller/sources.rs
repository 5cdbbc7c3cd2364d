//! What is read of the sources of realms' users.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::future::join_all;

use crate::api::Reason;
use crate::api::refs::KeyRef;
use crate::controller::connection::Worker;
use crate::controller::kinds::AnyObject;
use crate::controller::managed::Managed;
use crate::controller::prepare;
use crate::core::object::{Mode, Refusal};
use crate::core::wants::source_of_realm;

impl Worker {
    /// Reads the keys of ConfigMaps that realms have their users from.
    pub(super) async fn sources(
        &self,
        namespace: &str,
        keys: BTreeSet<&KeyRef>,
    ) -> HashMap<KeyRef, Result<String, Refusal>> {
        let read = keys.into_iter().map(async |key| {
            let data = self.context.kubernetes.config_map(namespace, &key.name).await;
            let text = match data {
                Ok(data) => value(data, key),
                Err(error) => Err(prepare::unread("ConfigMap", &key.name, &error)),
            };
            (key.clone(), text)
        });
        join_all(read).await.into_iter().collect()
    }
}

/// The key of a ConfigMap that a realm has its users from, where it is looked at.
pub(super) fn source(any: &AnyObject) -> Option<&KeyRef> {
    if !matches!(any.mode(), Mode::Manage | Mode::Observe) {
        return None;
    }
    match any {
        AnyObject::Realm(realm) => source_of_realm(realm),
        AnyObject::Role(_)
        | AnyObject::Group(_)
        | AnyObject::User(_)
        | AnyObject::Token(_)
        | AnyObject::Pool(_)
        | AnyObject::Acl(_) => None,
    }
}

fn value(data: Option<BTreeMap<String, String>>, key: &KeyRef) -> Result<String, Refusal> {
    data.and_then(|mut data| data.remove(&key.key)).ok_or_else(|| {
        let message = format!(
            "ConfigMap {} does not exist in this namespace, or has no key {} with text; create it",
            key.name, key.key
        );
        Refusal::new(Reason::SourceUnusable, message)
    })
}
