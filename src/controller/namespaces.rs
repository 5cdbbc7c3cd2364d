//! The namespaces of Kubernetes and their labels, by which a ClusterProxmoxConnection is offered.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use tokio::sync::mpsc;

use crate::controller::connections::Labels;
use crate::controller::index::{Wake, anew};
use crate::controller::wait::jittered;

/// The labels of all namespaces; `None` until they were listed, and empty where that is refused.
#[derive(Clone, Default)]
pub struct Namespaces(Arc<RwLock<Option<BTreeMap<String, Labels>>>>);

impl Namespaces {
    /// Starts to watch, and to list them anew at each `review`.
    pub fn start(
        client: &Client,
        review: Duration,
        wake: &mpsc::UnboundedSender<Wake>,
        tasks: &mut tokio::task::JoinSet<()>,
    ) -> Self {
        let namespaces = Self::default();
        tasks.spawn(watch(Api::all(client.clone()), review, namespaces.clone(), wake.clone()));
        namespaces
    }

    /// The labels of a namespace; `None` while they are not known.
    pub fn labels(&self, namespace: &str) -> Option<Labels> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).as_ref()?.get(namespace).cloned()
    }

    /// True once all namespaces were listed, or it is known that they cannot be.
    pub fn are_listed(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Changes what is known; true when that is something new.
    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, Labels>)) -> bool {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = known.clone();
        change(known.get_or_insert_default());
        *known != before
    }
}

async fn watch(
    api: Api<PartialObjectMeta<Namespace>>,
    review: Duration,
    namespaces: Namespaces,
    wake: mpsc::UnboundedSender<Wake>,
) {
    let mut listed: BTreeMap<String, Labels> = BTreeMap::new();
    let events = || watcher(api.clone(), watcher::Config::default()).default_backoff();
    let mut stream = std::pin::pin!(anew(events, || tokio::time::sleep(jittered(review))));
    while let Some(event) = stream.next().await {
        let news = match event {
            Ok(watcher::Event::Apply(it)) => {
                namespaces.change(|known| drop(known.insert(it.name_any(), it.labels().clone())))
            }
            Ok(watcher::Event::Delete(it)) => namespaces.change(|known| drop(known.remove(&it.name_any()))),
            Ok(watcher::Event::Init) => {
                listed.clear();
                false
            }
            Ok(watcher::Event::InitApply(it)) => {
                listed.insert(it.name_any(), it.labels().clone());
                false
            }
            Ok(watcher::Event::InitDone) => namespaces.change(|known| *known = std::mem::take(&mut listed)),
            Err(error) => {
                tracing::warn!(kind = "Namespace", %error, "watch failed, trying again");
                // What may not be listed stays unknown, and holds up no connection that names namespaces. Anything else
                // is listed at the next attempt.
                is_forbidden(&error) && !namespaces.are_listed() && namespaces.change(|_| {})
            }
        };
        if news {
            // The receiver lives as long as the operator; without it there is nobody to wake.
            let _ = wake.send(Wake::All);
        }
    }
}

/// Whether the operator has no right to list them.
fn is_forbidden(error: &watcher::Error) -> bool {
    let (watcher::Error::InitialListFailed(kube::Error::Api(status))
    | watcher::Error::WatchStartFailed(kube::Error::Api(status))
    | watcher::Error::WatchError(status)) = error
    else {
        return false;
    };
    status.code == 403
}
