//! What stands in Kubernetes: watched, kept in memory, and whom a change wakes.

mod checks;
mod fresh;
mod kind;
mod lag;
mod watch;

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::runtime::reflector::ObjectRef;
use kube::{Api, Client, Resource, ResourceExt};
use tokio::sync::mpsc;

use crate::api::{
    ClusterProxmoxConnection, Object, ProxmoxAccessCheck, ProxmoxAcl, ProxmoxConnection, ProxmoxGroup, ProxmoxPool,
    ProxmoxRealm, ProxmoxRole, ProxmoxToken, ProxmoxUser,
};
use crate::controller::connections::{Connection, ConnectionKey};
use crate::controller::kinds::{AnyObject, kinds};
use crate::controller::managed::Managed;
use crate::controller::namespaces::Namespaces;
use crate::core::object::ObjectKey;
use fresh::CatchingUp;
use kind::{ABSENT, Kind, WAITING};
use watch::Starter;

/// Who is to look again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wake {
    /// One connection.
    Connection(ConnectionKey),
    /// All: a list was read anew, so that anything may have gone.
    All,
}

macro_rules! objects {
    ($($several:ident: $variant:ident($kind:ident),)*) => {
        /// The objects of every kind that is written to Proxmox VE.
        struct Objects {
            $($several: Kind<$kind>,)*
        }

        impl Objects {
            fn start(start: &mut Starter<'_>) -> Self {
                Self { $($several: start.kind(start.in_namespaces(), |object: &$kind| connection_of(object)),)* }
            }

            fn states(&self) -> Vec<(&'static str, u8)> {
                vec![$(($kind::KIND, self.$several.state()),)*]
            }

            fn catching_up(&self) -> Vec<CatchingUp<'_>> {
                vec![$(self.$several.catch_up(),)*]
            }

            fn of(&self, key: &ConnectionKey) -> Vec<AnyObject> {
                let mut objects = Vec::new();
                $(objects.extend(self.$several.of(key).map(|object| AnyObject::$variant(Arc::new(object))));)*
                objects
            }

            fn unreadable(&self, namespace: Option<&str>) -> Option<ObjectKey> {
                None$(.or_else(|| self.$several.unreadable(namespace)))*
            }

            fn connections(&self) -> BTreeSet<ConnectionKey> {
                let mut keys = BTreeSet::new();
                $(keys.extend(self.$several.connections());)*
                keys
            }
        }
    };
}
kinds!(objects);

/// The connection that an object names.
fn connection_of<K: Object>(object: &K) -> ConnectionKey {
    ConnectionKey::referred(&object.management().connection_ref, object.namespace())
}

/// All watched objects.
pub struct Index {
    connections: Kind<ProxmoxConnection>,
    /// Only where all namespaces are watched, with their labels.
    cluster: Option<(Kind<ClusterProxmoxConnection>, Namespaces)>,
    objects: Objects,
    checks: Kind<ProxmoxAccessCheck>,
    /// When it was last begun to see whether all this is new.
    caught_up: tokio::sync::Mutex<Option<std::time::Instant>>,
}

impl Index {
    /// Starts to watch, in one namespace or in all; the tasks end with the set. With several shards a connection is also
    /// woken when it turns out which cluster it leads to.
    pub fn start(
        client: &Client,
        namespace: Option<&str>,
        several_shards: bool,
        wake: &mpsc::UnboundedSender<Wake>,
        tasks: &mut tokio::task::JoinSet<()>,
    ) -> Self {
        let mut start = Starter { client, namespace, several_shards, wake, tasks };
        let connections = start.connections(start.in_namespaces(), |connection: &ProxmoxConnection| key_of(connection));
        let cluster = namespace.is_none().then(|| {
            let connections =
                start.connections(Api::all(client.clone()), |connection: &ClusterProxmoxConnection| key_of(connection));
            (connections, Namespaces::start(client, wake, start.tasks))
        });
        let objects = Objects::start(&mut start);
        let checks = start.kind(start.in_namespaces(), checks::connection_of);
        Self { connections, cluster, objects, checks, caught_up: tokio::sync::Mutex::default() }
    }

    /// True once every kind has its first full list, or no CRD.
    pub fn is_ready(&self) -> bool {
        self.states().iter().all(|(_, state)| *state != WAITING)
            && self.cluster.as_ref().is_none_or(|(_, namespaces)| namespaces.are_listed())
    }

    /// What is not ready yet, and which CRDs are missing: `None` when all is well.
    pub fn not_ready(&self) -> Option<String> {
        let texts: Vec<String> = self
            .states()
            .iter()
            .filter_map(|(kind, state)| match *state {
                WAITING => Some(format!("{kind}: no list yet")),
                ABSENT => Some(format!("{kind}: its CRD is not installed")),
                _ => None,
            })
            .collect();
        (!texts.is_empty()).then(|| texts.join("; "))
    }

    fn catching_up(&self) -> Vec<CatchingUp<'_>> {
        let mut kinds = self.objects.catching_up();
        kinds.extend([self.connections.catch_up(), self.checks.catch_up()]);
        kinds.extend(self.cluster.iter().map(|(connections, _)| connections.catch_up()));
        kinds
    }

    fn states(&self) -> Vec<(&'static str, u8)> {
        let mut states = vec![("ProxmoxConnection", self.connections.state())];
        states.extend(self.cluster.iter().map(|(connections, _)| ("ClusterProxmoxConnection", connections.state())));
        states.extend(self.objects.states());
        states.push(("ProxmoxAccessCheck", self.checks.state()));
        states
    }

    /// The connection, if it exists.
    pub fn connection(&self, key: &ConnectionKey) -> Option<Connection> {
        if let Some(namespace) = &key.namespace {
            let key = ObjectRef::new(&key.name).within(namespace);
            return self.connections.store.get(&key).and_then(|guard| guard.0.as_ref().ok().map(Connection::from));
        }
        let (connections, _) = self.cluster.as_ref()?;
        let guard = connections.store.get(&ObjectRef::new(&key.name))?;
        guard.0.as_ref().ok().map(Connection::from)
    }

    /// All connections whose status says that they lead to this cluster.
    pub fn connections_to(&self, cluster: &str) -> Vec<(ConnectionKey, Connection)> {
        let mut found: Vec<_> = self.connections.leading_to(cluster).collect();
        found.extend(self.cluster.iter().flat_map(|(connections, _)| connections.leading_to(cluster)));
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        found
    }

    /// The other connections to the same cluster, as far as is known.
    pub fn peers(&self, key: &ConnectionKey) -> Vec<ConnectionKey> {
        let cluster = self.connection(key).and_then(|connection| connection.status?.cluster_id);
        let same = cluster.map(|cluster| self.connections_to(&cluster)).unwrap_or_default();
        same.into_iter().map(|(other, _)| other).filter(|other| other != key).collect()
    }

    /// Whether objects of a namespace may use a connection.
    pub fn may_use(&self, namespace: &str, connection: &Connection) -> bool {
        let labels = || self.cluster.as_ref().and_then(|(_, namespaces)| namespaces.labels(namespace));
        connection.users.allow(namespace, labels)
    }

    /// False where only one namespace is watched: what is not in a namespace cannot be known then.
    pub fn knows_cluster_connections(&self) -> bool {
        self.cluster.is_some()
    }

    /// The objects of a connection, also of one that does not exist.
    pub fn objects(&self, key: &ConnectionKey) -> Vec<AnyObject> {
        let mut objects = self.objects.of(key);
        objects.sort_by_cached_key(AnyObject::key);
        objects
    }

    /// An object that cannot be read, and that may be for this connection: what it wants is not known.
    pub fn unreadable(&self, key: &ConnectionKey) -> Option<ObjectKey> {
        self.objects.unreadable(key.namespace.as_deref())
    }

    /// All connections that exist or that objects or checks name.
    pub fn keys(&self) -> BTreeSet<ConnectionKey> {
        let mut keys = self.objects.connections();
        keys.extend(self.check_connections());
        keys.extend(self.connection_keys());
        keys
    }

    fn connection_keys(&self) -> BTreeSet<ConnectionKey> {
        fn names<K: Resource<DynamicType = ()> + Clone>(kind: &Kind<K>) -> impl Iterator<Item = ConnectionKey> {
            kind.store.state().into_iter().map(|guard| key_of(guard.as_ref()))
        }
        let mut keys: BTreeSet<ConnectionKey> = names(&self.connections).collect();
        keys.extend(self.cluster.iter().flat_map(|(connections, _)| names(connections)));
        keys
    }
}

/// The key of a connection of either kind.
fn key_of(connection: &impl ResourceExt) -> ConnectionKey {
    ConnectionKey { namespace: connection.namespace(), name: connection.name_any() }
}
