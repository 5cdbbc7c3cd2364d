//! One kind watched: what changes goes into memory and wakes its connection.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use futures::{StreamExt, TryStreamExt};
use kube::core::object::HasStatus;
use kube::core::{DeserializeGuard, NamespaceResourceScope, ObjectMeta};
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{Lookup, store};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use super::Wake;
use super::kind::{ABSENT, Kind, LISTED, WAITING};
use super::lag::late;
use super::watched::{Watched, shared};
use crate::api::connection_status::ConnectionStatus;
use crate::api::{CONFIRM_CLUSTER, CONFIRM_REMOVALS, RECONCILE_REQUESTED_AT, ROTATE_REQUESTED_AT, SYNC_REQUESTED_AT};

/// Starts to watch kinds.
pub(super) struct Starter<'a> {
    pub(super) client: &'a Client,
    pub(super) namespace: Option<&'a str>,
    pub(super) several_shards: bool,
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
        let state = Arc::new(AtomicU8::new(WAITING));
        self.tasks.spawn(watch(api.clone(), writer, wakes, shows, self.wake.clone(), Arc::clone(&state)));
        Kind { store, state, api }
    }
}

async fn watch<K>(
    api: Api<DeserializeGuard<K>>,
    mut writer: Writer<Watched<K>>,
    wakes: impl Fn(&K) -> Vec<Wake>,
    shows: impl Fn(&K) -> Option<String>,
    wake: mpsc::UnboundedSender<Wake>,
    state: Arc<AtomicU8>,
) where
    K: Resource<DynamicType = ()> + Clone + fmt::Debug + DeserializeOwned + Send + Sync + 'static,
{
    let events = watcher(api, watcher::Config::default())
        .modify(|object| object.meta_mut().managed_fields = None)
        .default_backoff();
    let store = writer.as_reader();
    let mut stream = std::pin::pin!(late(events).map_ok(shared));
    let interest = |object: &Watched<K>| Interest {
        shown: object.readable().and_then(|it| shows(it)),
        ..Interest::of(object.meta())
    };
    let woken = |object: &Watched<K>| object.readable().map_or(vec![Wake::All], |it| wakes(it));
    while let Some(event) = stream.next().await {
        let changed = match &event {
            Ok(watcher::Event::Apply(object)) => {
                store.get(&object.to_object_ref(())).is_none_or(|former| interest(&former) != interest(object))
            }
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
                if is_absent(&error) {
                    tracing::warn!(kind = %K::kind(&()), "its CRD is not installed: kubectl apply -k crds");
                } else {
                    tracing::warn!(kind = %K::kind(&()), %error, "watch failed, trying again");
                }
                let absent = is_absent(&error)
                    && state.compare_exchange(WAITING, ABSENT, Ordering::SeqCst, Ordering::SeqCst).is_ok();
                if absent { vec![Wake::All] } else { Vec::new() }
            }
        };
        for waking in waking {
            // The receiver lives as long as the operator; without it there is nobody to wake.
            let _ = wake.send(waking);
        }
    }
}

fn is_absent(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => status.code == 404,
        _ => false,
    }
}

/// The part of an object whose change wakes: not its status, which we write ourselves, but for what it shows of it: the
/// cluster that a connection leads to, which another replica may have written, or what others refer to.
#[derive(PartialEq, Eq)]
struct Interest {
    uid: Option<String>,
    generation: Option<i64>,
    deleted: bool,
    finalizers: Option<Vec<String>>,
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
            finalizers: meta.finalizers.clone(),
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
}
