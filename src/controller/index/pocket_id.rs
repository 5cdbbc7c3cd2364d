//! Connections to Pocket ID and their objects.

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::core::ObjectMeta;
use kube::runtime::reflector::ObjectRef;

use super::fresh::CatchingUp;
use super::kind::Kind;
use super::watch::Starter;
use super::{Index, Wake, connection_of};
use crate::api::{Object, PocketIdClient, PocketIdConnection, PocketIdGroup, ProxmoxGroup, ProxmoxRealm};
use crate::controller::connections::ConnectionKey;
use crate::controller::managed::Managed;
use crate::controller::pocket_id::PocketIdObject;

/// All that is watched for Pocket ID.
pub(super) struct PocketIds {
    connections: Kind<PocketIdConnection>,
    groups: Kind<PocketIdGroup>,
    clients: Kind<PocketIdClient>,
}

impl PocketIds {
    pub(super) fn start(start: &mut Starter<'_>) -> Self {
        let connections =
            start.kind(start.in_namespaces(), |it: &PocketIdConnection| vec![Wake::Connection(key_of(&it.metadata))]);
        let groups = start.kind(start.in_namespaces(), wakes::<PocketIdGroup>);
        let clients = start.showing(start.in_namespaces(), wakes::<PocketIdClient>, secret_of);
        Self { connections, groups, clients }
    }

    pub(super) fn states(&self) -> [(&'static str, u8); 3] {
        [
            ("PocketIdConnection", self.connections.state()),
            (PocketIdGroup::KIND, self.groups.state()),
            (PocketIdClient::KIND, self.clients.state()),
        ]
    }

    pub(super) fn catching_up(&self) -> [CatchingUp<'_>; 3] {
        [self.connections.catch_up(), self.groups.catch_up(), self.clients.catch_up()]
    }

    /// All connections that exist or that objects name, in a namespace or in all.
    pub(super) fn keys(&self, namespace: Option<&str>) -> BTreeSet<ConnectionKey> {
        let mut keys: BTreeSet<ConnectionKey> =
            self.connections.store.state().iter().map(|it| key_of(it.meta())).collect();
        keys.extend(self.groups.connections());
        keys.extend(self.clients.connections());
        keys.retain(|key| namespace.is_none() || key.namespace.as_deref() == namespace);
        keys
    }
}

/// Whom a change of an object wakes: its own connection, and those of realms and groups that may refer to it.
fn wakes<K: Object>(object: &K) -> Vec<Wake> {
    vec![Wake::Connection(connection_of(object)), Wake::Referring(object.namespace().to_owned())]
}

/// What realms look at in a client's status.
fn secret_of(client: &PocketIdClient) -> Option<String> {
    let secret = client.status.as_ref()?.client_secret.as_ref()?;
    Some(format!("{} {:?} {}", secret.issue, secret.secret_state, secret.secret_name))
}

fn key_of(meta: &ObjectMeta) -> ConnectionKey {
    let ObjectMeta { namespace, name, .. } = meta;
    ConnectionKey::pocket_id(namespace.as_deref().unwrap_or_default(), name.as_deref().unwrap_or_default())
}

impl Index {
    /// The PocketIdConnection, if it exists.
    pub fn pocket_id(&self, key: &ConnectionKey) -> Option<Arc<PocketIdConnection>> {
        let reference = ObjectRef::new(&key.name).within(key.namespace.as_deref().unwrap_or_default());
        self.pocket_id.connections.store.get(&reference).and_then(|it| it.readable().cloned())
    }

    /// The objects of a connection to Pocket ID, also of one that does not exist.
    pub fn pocket_id_objects(&self, key: &ConnectionKey) -> Vec<PocketIdObject> {
        let groups = self.pocket_id.groups.of(key).map(PocketIdObject::Group);
        let clients = self.pocket_id.clients.of(key).map(PocketIdObject::Client);
        let mut objects: Vec<_> = groups.chain(clients).collect();
        objects.sort_by_cached_key(Managed::key);
        objects
    }

    /// The connections to Pocket ID in a namespace, or in all.
    pub fn pocket_id_keys(&self, namespace: Option<&str>) -> BTreeSet<ConnectionKey> {
        self.pocket_id.keys(namespace)
    }

    /// The connections to Proxmox VE of all objects of a namespace that refer to Pocket ID.
    pub fn referring(&self, namespace: &str) -> BTreeSet<ConnectionKey> {
        fn of<K: Object>(kind: &Kind<K>, namespace: &str) -> Vec<ConnectionKey> {
            let refers = |object: &K| object.refers_to_pocket_id() && object.namespace() == namespace;
            kind.find_all(refers).iter().map(|object| connection_of(object.as_ref())).collect()
        }
        of(&self.objects.realms, namespace).into_iter().chain(of(&self.objects.groups, namespace)).collect()
    }

    /// The realms of a namespace that can be read.
    pub fn realms_in(&self, namespace: &str) -> Vec<Arc<ProxmoxRealm>> {
        self.objects.realms.find_all(|realm| realm.namespace() == namespace)
    }

    /// The groups of a namespace that can be read and that refer to Pocket ID.
    pub fn groups_from_pocket_id(&self, namespace: &str) -> Vec<Arc<ProxmoxGroup>> {
        self.objects.groups.find_all(|group| group.namespace() == namespace && group.refers_to_pocket_id())
    }

    /// The groups of Pocket ID in a namespace.
    pub fn pocket_id_groups(&self, namespace: &str) -> Vec<Arc<PocketIdGroup>> {
        self.pocket_id.groups.find_all(|group| group.namespace() == namespace)
    }

    /// The PocketIdGroup of a name, if it exists and can be read.
    pub fn pocket_id_group(&self, namespace: &str, name: &str) -> Option<Arc<PocketIdGroup>> {
        let reference = ObjectRef::new(name).within(namespace);
        self.pocket_id.groups.store.get(&reference).and_then(|it| it.readable().cloned())
    }

    /// The PocketIdClient of a name, if it exists and can be read.
    pub fn pocket_id_client(&self, namespace: &str, name: &str) -> Option<Arc<PocketIdClient>> {
        let reference = ObjectRef::new(name).within(namespace);
        self.pocket_id.clients.store.get(&reference).and_then(|it| it.readable().cloned())
    }
}
