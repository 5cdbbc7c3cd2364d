//! Whether what the watch has shown of objects is still so, before anything is corrected for them: a watch may lag behind,
//! and what differs in the other system may be just what somebody has changed or removed since.

use std::collections::{BTreeMap, HashMap, HashSet};

use kube::core::ObjectMeta;

use crate::controller::kubernetes::Target;
use crate::controller::managed::Managed;
use crate::controller::tell::Reporter;

/// Objects for which nothing is done in a pass, by their places.
#[derive(Default)]
pub(super) struct Blocked {
    /// Their finalizer or their ledger could not be stored.
    pub unwritten: HashSet<usize>,
    /// Kubernetes has another version of them than the watch has shown.
    pub outdated: HashSet<usize>,
}

impl Blocked {
    pub(super) fn contains(&self, index: usize) -> bool {
        self.unwritten.contains(&index) || self.outdated.contains(&index)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.unwritten.is_empty() && self.outdated.is_empty()
    }
}

impl Reporter {
    /// Which of these objects are gone, deleted or changed in Kubernetes, unseen by the watch; all of those that cannot
    /// be asked for. One request for each kind and namespace.
    pub(super) async fn outdated<'a, A: Managed + 'a>(
        &self,
        objects: impl Iterator<Item = (usize, &'a A)>,
    ) -> HashSet<usize> {
        let mut by_list: BTreeMap<(&str, &str), Vec<(usize, &A)>> = BTreeMap::new();
        for (index, any) in objects {
            by_list.entry((any.kind(), any.namespace())).or_default().push((index, any));
        }
        let mut outdated = HashSet::new();
        for listed in by_list.values() {
            let Some((_, first)) = listed.first() else { continue };
            let Target { resource, namespace, name, uid: _ } = first.target();
            let only = (listed.len() == 1).then_some(name.as_str());
            let standing = match self.context.kubernetes.standing(&resource, namespace.as_deref(), only).await {
                Ok(standing) => standing,
                Err(error) => {
                    tracing::warn!(connection = %self.key, kind = resource.kind, %error, "whether objects have changed could not be read");
                    HashMap::new()
                }
            };
            let is_so = |any: &A| {
                any.meta().name.as_ref().and_then(|name| standing.get(name)).is_some_and(|now| same(any.meta(), now))
            };
            outdated.extend(listed.iter().filter(|(_, any)| !is_so(any)).map(|(index, _)| *index));
        }
        outdated
    }
}

/// Whether an object asks for the same as it did.
fn same(shown: &ObjectMeta, now: &ObjectMeta) -> bool {
    let asks = |meta: &ObjectMeta| (meta.uid.clone(), meta.generation, meta.deletion_timestamp.is_some());
    asks(shown) == asks(now)
}
