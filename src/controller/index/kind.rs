//! The objects of one kind in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use kube::core::DeserializeGuard;
use kube::core::object::HasStatus;
use kube::runtime::reflector::Store;
use kube::{Api, Resource};

use super::connection_of;
use super::watched::Watched;
use crate::api::Object;
use crate::api::connection_status::ConnectionStatus;
use crate::controller::connections::{Connection, ConnectionKey};
use crate::core::object::ObjectKey;

/// One kind's objects, those that cannot be read included.
#[derive(Clone)]
pub(super) struct Kind<K: Resource<DynamicType = ()> + 'static> {
    pub(super) store: Store<Watched<K>>,
    pub(super) state: Arc<AtomicU8>,
    pub(super) api: Api<DeserializeGuard<K>>,
}

pub(super) const WAITING: u8 = 0;
pub(super) const LISTED: u8 = 1;
pub(super) const ABSENT: u8 = 2;

impl<K: Resource<DynamicType = ()> + 'static> Kind<K> {
    pub(super) fn state(&self) -> u8 {
        self.state.load(Ordering::SeqCst)
    }
}

impl<K> Kind<K>
where
    K: Resource<DynamicType = ()> + HasStatus<Status = ConnectionStatus> + Clone + 'static,
    for<'a> Connection: From<&'a K>,
{
    pub(super) fn leading_to(&self, cluster: &str) -> impl Iterator<Item = (ConnectionKey, Connection)> {
        let leads = |connection: &K| connection.status().and_then(|it| it.cluster_id.as_deref()) == Some(cluster);
        let found = self.store.state_filter(|it| it.readable().is_some_and(|it| leads(it)));
        let connections = found.into_iter().filter_map(|it| it.readable().map(|it| Connection::from(it.as_ref())));
        connections.map(|connection| (connection.key(), connection))
    }
}

impl<K: Object> Kind<K> {
    /// The readable objects of which this is so.
    pub(super) fn find_all(&self, is_so: impl Fn(&K) -> bool) -> Vec<Arc<K>> {
        let found = self.store.state_filter(|it| it.readable().is_some_and(|it| is_so(it)));
        found.into_iter().filter_map(|it| it.readable().cloned()).collect()
    }

    /// The readable objects of a connection.
    pub(super) fn of(&self, key: &ConnectionKey) -> impl Iterator<Item = Arc<K>> {
        self.find_all(|object| key.is_referred(K::SYSTEM, &object.management().connection_ref, object.namespace()))
            .into_iter()
    }

    pub(super) fn unreadable(&self, namespace: Option<&str>) -> Option<ObjectKey> {
        let concerns = |of: Option<&str>| namespace.is_none() || of == namespace;
        let found = self.store.find(|it| it.readable().is_none() && concerns(it.meta().namespace.as_deref()));
        found.map(|it| it.key(K::KIND))
    }

    pub(super) fn connections(&self) -> impl Iterator<Item = ConnectionKey> {
        self.store.state().into_iter().filter_map(|it| it.readable().map(|it| connection_of(it.as_ref())))
    }
}
