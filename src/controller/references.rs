//! What objects refer to: objects, Secrets and ConfigMaps, each in its own namespace.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{join, join_all};

use crate::api::Object as _;
use crate::api::refs::KeyRef;
use crate::controller::connection::Worker;
use crate::controller::index::Index;
use crate::controller::kinds::AnyObject;
use crate::controller::managed::Managed;
use crate::controller::prepare;
use crate::controller::sources::source;
use crate::core::wants::References;

impl Worker {
    /// What objects refer to, each in its own namespace.
    pub(super) async fn references<'a>(&self, objects: &'a [AnyObject]) -> ByNamespace<'a> {
        let mut references = ByNamespace::entered(objects, &self.context.index);
        let mut keys: BTreeMap<&str, BTreeSet<KeyRef>> = BTreeMap::new();
        let mut sources: BTreeMap<&str, BTreeSet<&KeyRef>> = BTreeMap::new();
        for any in objects {
            if !any.is_being_deleted() {
                keys.entry(any.namespace()).or_default().extend(any.secrets(references.of(any.namespace())));
                sources.entry(any.namespace()).or_default().extend(source(any));
            }
        }
        let secrets = keys.into_iter().map(async |(namespace, keys)| {
            (namespace, prepare::secrets(&self.context.kubernetes, namespace, keys).await)
        });
        let texts = sources.into_iter().map(async |(namespace, keys)| (namespace, self.sources(namespace, keys).await));
        let (secrets, texts) = join(join_all(secrets), join_all(texts)).await;
        for (namespace, secrets) in secrets {
            references.all.entry(namespace).or_default().secrets = secrets;
        }
        for (namespace, config_maps) in texts {
            references.all.entry(namespace).or_default().config_maps = config_maps;
        }
        for (namespace, references) in &mut references.all {
            let known = self.audiences.within(namespace);
            references.audiences.extend(known.map(|(client, answer)| (client.to_owned(), answer.clone())));
        }
        references
    }
}

/// What objects refer to, by their namespace.
pub(super) struct ByNamespace<'a> {
    all: BTreeMap<&'a str, References<'a>>,
    none: References<'a>,
}

impl<'a> ByNamespace<'a> {
    /// The objects alone, without what is read for them.
    pub fn entered(objects: &'a [AnyObject], index: &Index) -> Self {
        let mut all: BTreeMap<&str, References<'_>> = BTreeMap::new();
        for any in objects {
            let references = all.entry(any.namespace()).or_default();
            any.enter(references);
            let (client, group) = any.in_pocket_id();
            let client = client.and_then(|name| index.pocket_id_client(any.namespace(), &name.name));
            references.clients.extend(client.map(|client| (client.name().to_owned(), client)));
            let group = group.and_then(|name| index.pocket_id_group(any.namespace(), &name.name));
            references.pocket_id_groups.extend(group.map(|group| (group.name().to_owned(), group)));
        }
        Self { all, none: References::default() }
    }

    /// What an object of a namespace may refer to.
    pub fn of(&self, namespace: &str) -> &References<'a> {
        self.all.get(namespace).unwrap_or(&self.none)
    }
}
