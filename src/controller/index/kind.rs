//! The objects of one kind in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use kube::core::DeserializeGuard;
use kube::core::object::HasStatus;
use kube::runtime::reflector::Store;
use kube::{Api, Resource, ResourceExt};

use super::connection_of;
use crate::api::Object;
use crate::api::connection_status::ConnectionStatus;
use crate::controller::connections::{Connection, ConnectionKey};
use crate::core::object::ObjectKey;

/// One kind's objects, those that cannot be read included.
pub(super) struct Kind<K: Resource<DynamicType = ()> + 'static> {
    pub(super) store: Store<DeserializeGuard<K>>,
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
        let found = self.store.state_filter(|guard| guard.0.as_ref().is_ok_and(leads));
        let connections = found.into_iter().filter_map(|guard| guard.0.as_ref().ok().map(Connection::from));
        connections.map(|connection| (connection.key(), connection))
    }
}

impl<K: Object> Kind<K> {
    /// The readable objects of which this is so.
    pub(super) fn find_all(&self, is_so: impl Fn(&K) -> bool) -> Vec<K> {
        let found = self.store.state_filter(|guard| guard.0.as_ref().is_ok_and(&is_so));
        found.into_iter().filter_map(|guard| guard.0.as_ref().ok().cloned()).collect()
    }

    /// The readable objects of a connection.
    pub(super) fn of(&self, key: &ConnectionKey) -> impl Iterator<Item = K> {
        let readable =
            self.store.state_filter(|guard| guard.0.as_ref().is_ok_and(|object| connection_of(object) == *key));
        readable.into_iter().filter_map(|guard| guard.0.as_ref().ok().cloned())
    }

    pub(super) fn unreadable(&self, namespace: Option<&str>) -> Option<ObjectKey> {
        let concerns = |of: Option<String>| namespace.is_none() || of.as_deref() == namespace;
        self.store.find(|guard| guard.0.is_err() && concerns(guard.namespace())).map(|guard| ObjectKey {
            kind: K::KIND,
            namespace: guard.namespace().unwrap_or_default(),
            name: guard.name_any(),
        })
    }

    pub(super) fn connections(&self) -> impl Iterator<Item = ConnectionKey> {
        self.store.state().into_iter().filter_map(|guard| guard.0.as_ref().ok().map(connection_of))
    }
}
