//! What is read of the sources of realms' users.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::future::join_all;

use crate::api::Reason;
use crate::api::refs::KeyRef;
use crate::controller::connection::Worker;
use crate::controller::kinds::AnyObject;
use crate::controller::prepare;
use crate::core::object::{Mode, Refusal};
use crate::core::wants::source_of_realm;

impl Worker {
    /// Reads the keys of ConfigMaps that realms have their users from.
    pub(super) async fn sources(&self, objects: &[AnyObject]) -> HashMap<KeyRef, Result<String, Refusal>> {
        let looked_at = objects.iter().filter(|any| matches!(any.mode(), Mode::Manage | Mode::Observe));
        let keys: BTreeSet<&KeyRef> = looked_at.filter_map(source).collect();
        let read = keys.into_iter().map(async |key| {
            let data = self.context.kubernetes.config_map(&self.key.namespace, &key.name).await;
            let text = match data {
                Ok(data) => value(data, key),
                Err(error) => Err(prepare::unread("ConfigMap", &key.name, &error)),
            };
            (key.clone(), text)
        });
        join_all(read).await.into_iter().collect()
    }
}

fn source(any: &AnyObject) -> Option<&KeyRef> {
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
