//! Whether what is in memory is as new as what others have written.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, try_join_all};
use kube::Resource;
use kube::api::ListParams;
use kube::core::ObjectMeta;
use serde::de::DeserializeOwned;

use super::Index;
use super::kind::{ABSENT, Kind};
use crate::controller::kubernetes::resource_version;

/// How soon it is looked again whether the watch has shown something.
const LOOK: Duration = Duration::from_millis(10);

/// How often that is done before everything is listed anew: what was deleted meanwhile is never shown.
const LOOKS: u32 = 50;

/// Objects of one page.
const PAGE: u32 = 500;

/// One kind of objects on its way to be as new as what stands in Kubernetes.
pub(super) type CatchingUp<'a> = BoxFuture<'a, Result<(), kube::Error>>;

/// Namespace and name.
pub(super) type Name = (Option<String>, Option<String>);

fn name(meta: &ObjectMeta) -> Name {
    (meta.namespace.clone(), meta.name.clone())
}

impl<K> Kind<K>
where
    K: Resource<DynamicType = ()> + Clone + fmt::Debug + DeserializeOwned + Send + Sync + 'static,
{
    /// Waits until the watch has shown all that stands in Kubernetes now.
    pub(super) fn catch_up(&self) -> CatchingUp<'_> {
        async {
            while self.state() != ABSENT {
                let (all, listed) = self.list().await?;
                for _ in 0..LOOKS {
                    if behind(&self.shown(), all, &listed).is_empty() {
                        return Ok(());
                    }
                    tokio::time::sleep(LOOK).await;
                }
            }
            Ok(())
        }
        .boxed()
    }

    /// The version of the list, and of each object in it: as they stand in etcd.
    pub(super) async fn list(&self) -> Result<(u64, BTreeMap<Name, u64>), kube::Error> {
        let (mut all, mut listed, mut params) = (0, BTreeMap::new(), ListParams::default().limit(PAGE));
        loop {
            let page = self.api.list_metadata(&params).await?;
            all = page.metadata.resource_version.and_then(|version| version.parse().ok()).unwrap_or(all);
            let versions = page.items.iter().map(|object| (name(&object.metadata), resource_version(&object.metadata)));
            listed.extend(versions);
            let Some(token) = page.metadata.continue_.filter(|token| !token.is_empty()) else {
                return Ok((all, listed));
            };
            params = params.continue_token(&token);
        }
    }

    /// The version of each object in memory.
    pub(super) fn shown(&self) -> BTreeMap<Name, u64> {
        let shown = self.store.state();
        shown.iter().map(|object| (name(object.meta()), resource_version(object.meta()))).collect()
    }
}

/// What a watch has not shown yet of a list of this version, with the version of each object that it shows instead: a
/// change of an object that is listed, or that one is not there any more.
pub(super) fn behind(
    shown: &BTreeMap<Name, u64>,
    all: u64,
    listed: &BTreeMap<Name, u64>,
) -> BTreeMap<Name, Option<u64>> {
    let changed = listed.iter().map(|(name, version)| (name, shown.get(name).copied(), *version));
    let changed = changed.filter(|(_, shown, version)| shown.is_none_or(|shown| shown < *version));
    let gone = shown.iter().filter(|(name, version)| **version <= all && !listed.contains_key(*name));
    let changed = changed.map(|(name, shown, _)| (name.clone(), shown));
    changed.chain(gone.map(|(name, version)| (name.clone(), Some(*version)))).collect()
}

impl Index {
    /// Waits until everything in memory is at least as new as all that was written before this was asked: by another
    /// replica, whose turn has just ended. Who asks while that is under way shares the next answer.
    ///
    /// # Errors
    /// When the apiserver refuses or cannot be reached.
    pub async fn catch_up(&self) -> Result<(), kube::Error> {
        let asked = std::time::Instant::now();
        let mut begun = self.caught_up.lock().await;
        if begun.is_some_and(|begun| begun > asked) {
            return Ok(());
        }
        let now = std::time::Instant::now();
        try_join_all(self.catching_up()).await?;
        *begun = Some(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(objects: &[(&str, u64)]) -> BTreeMap<Name, u64> {
        objects.iter().map(|(name, version)| ((None, Some((*name).to_owned())), *version)).collect()
    }

    #[test]
    fn what_a_watch_is_behind_with_goes_by_what_it_shows_instead() {
        let (shown, listed) = (
            versions(&[("changed", 4), ("gone", 3), ("same", 5)]),
            versions(&[("changed", 7), ("new", 6), ("same", 5)]),
        );
        let behind: Vec<_> = behind(&shown, 10, &listed).into_iter().map(|((_, name), shown)| (name, shown)).collect();
        let name = |name: &str| Some(name.to_owned());
        assert_eq!(behind, [(name("changed"), Some(4)), (name("gone"), Some(3)), (name("new"), None)]);
    }

    #[test]
    fn a_watch_has_caught_up_when_it_shows_all_of_a_list_and_nothing_that_was_gone_by_then() {
        for (shown, listed, caught_up, why) in [
            (&[][..], &[][..], true, "nothing there"),
            (&[("a", 5)], &[("a", 5)], true, "the same"),
            (&[("a", 4)], &[("a", 5)], false, "its last change is missing"),
            (&[("a", 12)], &[("a", 5)], true, "it was changed since"),
            (&[], &[("a", 5)], false, "it is missing"),
            (&[("a", 5), ("b", 5)], &[("a", 5)], false, "the other one was deleted"),
            (&[("a", 5), ("b", 12)], &[("a", 5)], true, "the other one was made since"),
        ] {
            assert_eq!(behind(&versions(shown), 10, &versions(listed)).is_empty(), caught_up, "{why}");
        }
    }
}
