//! One kind watched: what changes goes into memory and wakes its connection.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use kube::core::object::HasStatus;
use kube::core::{DeserializeGuard, NamespaceResourceScope, ObjectMeta};
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{Lookup, store};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::{Notify, mpsc};

use super::Wake;
use super::kind::{ABSENT, Kind, LISTED, WAITING};
use super::lag::late;
use super::review::{anew, review};
use super::watched::{Watched, shared};
use crate::api::connection_status::ConnectionStatus;
use crate::api::{
    CONFIRM_CLUSTER, CONFIRM_REMOVALS, GROUP, RECONCILE_REQUESTED_AT, ROTATE_REQUESTED_AT, SYNC_REQUESTED_AT,
};
use crate::controller::kubernetes::is_held;

/// Starts to watch kinds.
pub(super) struct Starter<'a> {
    pub(super) client: &'a Client,
    pub(super) namespace: Option<&'a str>,
    pub(super) several_shards: bool,
    /// How often a watch is compared with a list.
    pub(super) review: Duration,
    pub(super) wake: &'a mpsc::UnboundedSender<Wake>,
    pub(super) tasks: &'a mut tokio::task::JoinSet<()>,
}

impl Starter<'_> {
    pub(super) fn in_namespaces<K: Resource<DynamicType = (), Scope = NamespaceResourceScope>>(
        &self,
    ) -> Api<DeserializeGuard<K>> {
        match self.namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }

    pub(super) fn kind<K>(
        &mut self,
        api: Api<DeserializeGuard<K>>,
        wakes: impl Fn(&K) -> Vec<Wake> + Send + Sync + 'static,
    ) -> Kind<K>
    where
        K: Resource<DynamicType = ()> + Clone + fmt::Debug + DeserializeOwned + Send + Sync + 'static,
    {
        self.showing(api, wakes, |_| None)
    }

    pub(super) fn connections<K>(
        &mut self,
        api: Api<DeserializeGuard<K>>,
        wakes: impl Fn(&K) -> Vec<Wake> + Send + Sync + 'static,
    ) -> Kind<K>
    where
        K: Resource<DynamicType = ()> + HasStatus<Status = ConnectionStatus>,
        K: Clone + fmt::Debug + DeserializeOwned + Send + Sync + 'static,
    {
        if self.several_shards {
            self.showing(api, wakes, |connection| connection.status()?.cluster_id.clone())
        } else {
            self.kind(api, wakes)
        }
    }

    /// Watches a kind whose objects wake also when what they show of their status changes.
    pub(super) fn showing<K>(
        &mut self,
        api: Api<DeserializeGuard<K>>,
        wakes: impl Fn(&K) -> Vec<Wake> + Send + Sync + 'static,
        shows: impl Fn(&K) -> Option<String> + Send + Sync + 'static,
    ) -> Kind<K>
    where
        K: Resource<DynamicType = ()> + Clone + fmt::Debug + DeserializeOwned + Send + Sync + 'static,
    {
        let (store, writer) = store();
        let kind = Kind { store, state: Arc::new(AtomicU8::new(WAITING)), api };
        let begin_anew = Arc::new(Notify::new());
        self.tasks.spawn(review(kind.clone(), self.review, Arc::clone(&begin_anew)));
        let (client, wake) = (self.client.clone(), self.wake.clone());
        self.tasks.spawn(watch(kind.clone(), client, writer, begin_anew, wakes, shows, wake));
        kind
    }
}

async fn watch<K>(
    Kind { store, state, api }: Kind<K>,
    client: Client,
    mut writer: Writer<Watched<K>>,
    begin_anew: Arc<Notify>,
    wakes: impl Fn(&K) -> Vec<Wake>,
    shows: impl Fn(&K) -> Option<String>,
    wake: mpsc::UnboundedSender<Wake>,
) where
    K: Resource<DynamicType = ()> + Clone + fmt::Debug + DeserializeOwned + Send + Sync + 'static,
{
    let events =
        || watcher(api.clone(), watcher::Config::default()).modify(|object| strip(object.meta_mut())).default_backoff();
    let mut stream = std::pin::pin!(late(anew(events, || begin_anew.notified())).map_ok(shared));
    let interest = |object: &Watched<K>| Interest {
        shown: object.readable().and_then(|it| shows(it)),
        ..Interest::of(object.meta())
    };
    let woken = |object: &Watched<K>| object.readable().map_or(vec![Wake::All], |it| wakes(it));
    while let Some(event) = stream.next().await {
        let changed = match &event {
            Ok(watcher::Event::Apply(object)) => store
                .get(&object.to_object_ref(()))
                .is_none_or(|former| interest(object).is_news_after(&interest(&former))),
            _ => true,
        };
        if let Ok(event) = &event {
            writer.apply_watcher_event(event);
        }
        let waking = match event {
            Ok(watcher::Event::Apply(object)) => {
                if changed {
                    woken(&object)
                } else {
                    Vec::new()
                }
            }
            Ok(watcher::Event::Delete(object)) => woken(&object),
            Ok(watcher::Event::Init | watcher::Event::InitApply(_)) => Vec::new(),
            Ok(watcher::Event::InitDone) => {
                state.store(LISTED, Ordering::SeqCst);
                vec![Wake::All]
            }
            Err(error) => {
                let absent = is_unknown(&error) && is_absent::<K>(&client).await;
                if absent {
                    tracing::warn!(kind = %K::kind(&()), "its CRD is not installed: kubectl apply -k crds");
                } else {
                    tracing::warn!(kind = %K::kind(&()), %error, "watch failed, trying again");
                }
                let absent =
                    absent && state.compare_exchange(WAITING, ABSENT, Ordering::SeqCst, Ordering::SeqCst).is_ok();
                if absent { vec![Wake::All] } else { Vec::new() }
            }
        };
        for waking in waking {
            // The receiver lives as long as the operator; without it there is nobody to wake.
            let _ = wake.send(waking);
        }
    }
}

/// Takes off what nobody here looks at: who has written which field, and what others have noted, such as the whole object
/// once more as kubectl has last applied it.
fn strip(meta: &mut ObjectMeta) {
    meta.managed_fields = None;
    if let Some(annotations) = &mut meta.annotations {
        annotations.retain(|name, _| name.split_once('/').is_some_and(|(owner, _)| owner == GROUP));
    }
}

/// Whether the apiserver serves no such kind, by its own list. A 404 alone may be of something in between, and without the
/// objects of a kind what they claim would count as claimed by nobody.
async fn is_absent<K: Resource<DynamicType = ()>>(client: &Client) -> bool {
    let (group, version) = (K::group(&()), K::version(&()));
    let Ok(groups) = client.list_api_groups().await else { return false };
    let served = groups.groups.iter().find(|served| served.name == group).map(|served| &served.versions);
    if served.is_none_or(|versions| !versions.iter().any(|served| served.version == version)) {
        return true;
    }
    match client.list_api_group_resources(&K::api_version(&())).await {
        Ok(served) => !served.resources.iter().any(|resource| resource.name == K::plural(&())),
        Err(_) => false,
    }
}

fn is_unknown(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => status.code == 404,
        _ => false,
    }
}

/// The part of an object whose change wakes: not its status, which we write ourselves, but for what it shows of it: the
/// cluster that a connection leads to, which another replica may have written, or what others refer to.
#[derive(PartialEq, Eq, Clone)]
struct Interest {
    uid: Option<String>,
    generation: Option<i64>,
    deleted: bool,
    /// Whether our finalizer is on it.
    held: bool,
    annotations: [Option<String>; 5],
    shown: Option<String>,
}

impl Interest {
    fn of(meta: &ObjectMeta) -> Self {
        let annotation = |name: &str| meta.annotations.as_ref()?.get(name).cloned();
        Self {
            uid: meta.uid.clone(),
            generation: meta.generation,
            deleted: meta.deletion_timestamp.is_some(),
            held: is_held(meta),
            annotations: [
                RECONCILE_REQUESTED_AT,
                CONFIRM_CLUSTER,
                CONFIRM_REMOVALS,
                ROTATE_REQUESTED_AT,
                SYNC_REQUESTED_AT,
            ]
            .map(annotation),
            shown: None,
        }
    }

    /// Whether somebody else changed something: our finalizer comes from us, and is taken off by others too.
    fn is_news_after(&self, former: &Self) -> bool {
        *self != Self { held: former.held || self.held, ..former.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::FINALIZER;

    #[test]
    fn of_what_is_watched_only_that_is_kept_which_somebody_looks_at() {
        let mut meta: ObjectMeta = serde_json::from_value(serde_json::json!({
            "name": "g",
            "managedFields": [{"manager": "kubectl", "operation": "Apply"}],
            "annotations": {
                RECONCILE_REQUESTED_AT: "now",
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
                "proxmox-identity.dev.example.com/other": "",
                "bare": "",
            },
        }))
        .expect("metadata");
        strip(&mut meta);
        let annotations = [(RECONCILE_REQUESTED_AT.to_owned(), "now".to_owned())].into();
        assert_eq!(
            meta,
            ObjectMeta { name: Some("g".to_owned()), annotations: Some(annotations), ..ObjectMeta::default() }
        );
    }

    #[test]
    fn our_finalizer_is_news_when_it_goes_and_not_when_it_comes() {
        let object = |generation: i64, finalizers: &[&str]| {
            let meta = serde_json::json!({"uid": "a", "generation": generation, "finalizers": finalizers});
            Interest::of(&serde_json::from_value(meta).expect("metadata"))
        };
        let (bare, ours, others) =
            (object(1, &[]), object(1, &[FINALIZER]), object(1, &[FINALIZER, "example.com/other"]));
        assert!(!ours.is_news_after(&bare), "we put it on");
        assert!(bare.is_news_after(&ours), "somebody took it off");
        assert!(!others.is_news_after(&ours), "another's does not concern us");
        assert!(!bare.is_news_after(&bare) && !ours.is_news_after(&ours), "nothing changed");
        assert!(object(2, &[FINALIZER]).is_news_after(&bare), "the spec changed at the same time");
    }
}
