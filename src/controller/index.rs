//! What stands in Kubernetes: watched, kept in memory, and whom a change wakes.

mod checks;
mod fresh;
mod kind;
mod lag;
mod pocket_id;
mod review;
mod watch;
mod watched;

use std::collections::BTreeSet;
use std::time::Duration;

use kube::core::ObjectMeta;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, Client, Resource, ResourceExt};
use tokio::sync::mpsc;

use crate::api::object::System;
use crate::api::{
    ClusterProxmoxConnection, Object, ProxmoxAccessCheck, ProxmoxAcl, ProxmoxConnection, ProxmoxGroup, ProxmoxPool,
    ProxmoxRealm, ProxmoxRole, ProxmoxToken, ProxmoxUser,
};
use crate::controller::connections::{Connection, ConnectionKey};
use crate::controller::kinds::{AnyObject, kinds};
use crate::controller::managed::Managed;
use crate::controller::namespaces::Namespaces;
use crate::core::object::{Admission, ObjectKey};
use fresh::CatchingUp;
use kind::{ABSENT, Kind, WAITING};
use pocket_id::PocketIds;
pub(super) use review::anew;
use watch::Starter;

/// Who is to look again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Wake {
    /// One connection.
    Connection(ConnectionKey),
    /// The connections to Proxmox VE of all objects of this namespace that refer to Pocket ID.
    Referring(String),
    /// The connections to Pocket ID in this namespace, or in all.
    PocketId(Option<String>),
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
                Self { $($several: start.showing(start.in_namespaces(), wakes::<$kind>, shown_by::<$kind>),)* }
            }

            fn states(&self) -> Vec<(&'static str, u8)> {
                vec![$(($kind::KIND, self.$several.state()),)*]
            }

            fn catching_up(&self) -> Vec<CatchingUp<'_>> {
                vec![$(self.$several.catch_up(),)*]
            }

            fn of(&self, key: &ConnectionKey) -> Vec<AnyObject> {
                let mut objects = Vec::new();
                $(objects.extend(self.$several.of(key).map(AnyObject::$variant));)*
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

/// The order of objects.
fn by_name(any: &AnyObject) -> (&'static str, &str, Option<&str>) {
    (any.kind(), any.namespace(), any.meta().name.as_deref())
}

/// The connection that an object names.
fn connection_of<K: Object>(object: &K) -> ConnectionKey {
    ConnectionKey::referred(K::SYSTEM, &object.management().connection_ref, object.namespace())
}

/// All watched objects.
pub struct Index {
    connections: Kind<ProxmoxConnection>,
    /// Only where all namespaces are watched, with their labels.
    cluster: Option<(Kind<ClusterProxmoxConnection>, Namespaces)>,
    objects: Objects,
    checks: Kind<ProxmoxAccessCheck>,
    pocket_id: PocketIds,
    /// When it was last begun to see whether all this is new.
    caught_up: tokio::sync::Mutex<Option<std::time::Instant>>,
}

impl Index {
    /// Starts to watch, in one namespace or in all, and to compare what is watched with a list at each `review`; the tasks
    /// end with the set. With several shards a connection is also woken when it turns out which cluster it leads to.
    pub fn start(
        client: &Client,
        namespace: Option<&str>,
        several_shards: bool,
        review: Duration,
        wake: &mpsc::UnboundedSender<Wake>,
        tasks: &mut tokio::task::JoinSet<()>,
    ) -> Self {
        let mut start = Starter { client, namespace, several_shards, review, wake, tasks };
        let connections =
            start.connections(start.in_namespaces(), |connection: &ProxmoxConnection| wakes_of(connection));
        let cluster = namespace.is_none().then(|| {
            let connections = start
                .connections(Api::all(client.clone()), |connection: &ClusterProxmoxConnection| wakes_of(connection));
            (connections, Namespaces::start(client, review, wake, start.tasks))
        });
        let objects = Objects::start(&mut start);
        let checks = start.kind(start.in_namespaces(), |check| vec![Wake::Connection(checks::connection_of(check))]);
        let pocket_id = PocketIds::start(&mut start);
        Self { connections, cluster, objects, checks, pocket_id, caught_up: tokio::sync::Mutex::default() }
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
        kinds.extend(self.pocket_id.catching_up());
        kinds.extend(self.cluster.iter().map(|(connections, _)| connections.catch_up()));
        kinds
    }

    fn states(&self) -> Vec<(&'static str, u8)> {
        let mut states = vec![("ProxmoxConnection", self.connections.state())];
        states.extend(self.cluster.iter().map(|(connections, _)| ("ClusterProxmoxConnection", connections.state())));
        states.extend(self.objects.states());
        states.push(("ProxmoxAccessCheck", self.checks.state()));
        states.extend(self.pocket_id.states());
        states
    }

    /// The connection, if it exists.
    pub fn connection(&self, key: &ConnectionKey) -> Option<Connection> {
        if let Some(namespace) = &key.namespace {
            let key = ObjectRef::new(&key.name).within(namespace);
            return self
                .connections
                .store
                .get(&key)
                .and_then(|it| it.readable().map(|it| Connection::from(it.as_ref())));
        }
        let (connections, _) = self.cluster.as_ref()?;
        let watched = connections.store.get(&ObjectRef::new(&key.name))?;
        watched.readable().map(|it| Connection::from(it.as_ref()))
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
    pub fn admission(&self, namespace: &str, connection: &Connection) -> Admission {
        let labels = || self.cluster.as_ref().and_then(|(_, namespaces)| namespaces.labels(namespace));
        connection.users.admission(namespace, labels)
    }

    /// False where only one namespace is watched: what is not in a namespace cannot be known then.
    pub fn knows_cluster_connections(&self) -> bool {
        self.cluster.is_some()
    }

    /// The objects of a connection, also of one that does not exist.
    pub fn objects(&self, key: &ConnectionKey) -> Vec<AnyObject> {
        let mut objects = self.objects.of(key);
        objects.sort_by(|a, b| by_name(a).cmp(&by_name(b)));
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
        keys.extend(self.pocket_id.keys(None));
        keys
    }

    fn connection_keys(&self) -> BTreeSet<ConnectionKey> {
        fn names<K: Resource<DynamicType = ()>>(kind: &Kind<K>) -> impl Iterator<Item = ConnectionKey> {
            kind.store.state().into_iter().map(|it| key_of(it.meta()))
        }
        let mut keys: BTreeSet<ConnectionKey> = names(&self.connections).collect();
        keys.extend(self.cluster.iter().flat_map(|(connections, _)| names(connections)));
        keys
    }
}

/// Whom a change of a connection to Proxmox VE wakes: its endpoints are where people come back to after signing in.
fn wakes_of(connection: &impl ResourceExt) -> Vec<Wake> {
    vec![Wake::Connection(key_of(connection.meta())), Wake::PocketId(connection.namespace())]
}

/// Whom a change of an object wakes.
fn wakes<K: Object>(object: &K) -> Vec<Wake> {
    let mut wakes = vec![Wake::Connection(connection_of(object))];
    if object.refers_to_pocket_id() {
        wakes.push(Wake::PocketId(Some(object.namespace().to_owned())));
    }
    wakes
}

/// What others look at in an object's status: which secret of a client stands in a realm.
fn shown_by<K: Object>(object: &K) -> Option<String> {
    let in_use = object.status()?.client_in_use.as_ref()?;
    Some(format!("{} {}", in_use.name, in_use.issue))
}

/// The key of a connection of either kind.
fn key_of(meta: &ObjectMeta) -> ConnectionKey {
    let ObjectMeta { namespace, name, .. } = meta;
    ConnectionKey { system: System::ProxmoxVe, namespace: namespace.clone(), name: name.clone().unwrap_or_default() }
}
