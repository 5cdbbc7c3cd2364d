//! What stands in Kubernetes: watched, kept in memory, and whom a change wakes.

mod checks;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use futures::StreamExt;
use kube::core::{DeserializeGuard, NamespaceResourceScope, ObjectMeta};
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{Store, store};
use kube::runtime::{WatchStreamExt, reflector, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use crate::api::{
    CONFIRM_CLUSTER, CONFIRM_REMOVALS, ClusterProxmoxConnection, Object, ProxmoxAccessCheck, ProxmoxAcl,
    ProxmoxConnection, ProxmoxGroup, ProxmoxPool, ProxmoxRealm, ProxmoxRole, ProxmoxToken, ProxmoxUser,
    RECONCILE_REQUESTED_AT, ROTATE_REQUESTED_AT, SYNC_REQUESTED_AT,
};
use crate::controller::connections::{Connection, ConnectionKey};
use crate::controller::kinds::{AnyObject, kinds};
use crate::controller::namespaces::Namespaces;
use crate::core::object::ObjectKey;

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
}

/// One kind's objects, those that cannot be read included.
struct Kind<K: Resource<DynamicType = ()> + 'static> {
    store: Store<DeserializeGuard<K>>,
    state: Arc<AtomicU8>,
}

const WAITING: u8 = 0;
const LISTED: u8 = 1;
const ABSENT: u8 = 2;

impl<K: Resource<DynamicType = ()> + 'static> Kind<K> {
    fn state(&self) -> u8 {
        self.state.load(Ordering::SeqCst)
    }
}

impl<K: Object> Kind<K> {
    /// The readable objects of a connection.
    fn of(&self, key: &ConnectionKey) -> impl Iterator<Item = K> {
        let readable =
            self.store.state_filter(|guard| guard.0.as_ref().is_ok_and(|object| connection_of(object) == *key));
        readable.into_iter().filter_map(|guard| guard.0.as_ref().ok().cloned())
    }

    fn unreadable(&self, namespace: Option<&str>) -> Option<ObjectKey> {
        let concerns = |of: Option<String>| namespace.is_none() || of.as_deref() == namespace;
        self.store.find(|guard| guard.0.is_err() && concerns(guard.namespace())).map(|guard| ObjectKey {
            kind: K::KIND,
            namespace: guard.namespace().unwrap_or_default(),
            name: guard.name_any(),
        })
    }

    fn connections(&self) -> impl Iterator<Item = ConnectionKey> {
        self.store.state().into_iter().filter_map(|guard| guard.0.as_ref().ok().map(connection_of))
    }
}

impl Index {
    /// Starts to watch, in one namespace or in all; the tasks end with the set.
    pub fn start(
        client: &Client,
        namespace: Option<&str>,
        wake: &mpsc::UnboundedSender<Wake>,
        tasks: &mut tokio::task::JoinSet<()>,
    ) -> Self {
        let mut start = Starter { client, namespace, wake, tasks };
        let connections = start.kind(start.in_namespaces(), |connection: &ProxmoxConnection| key_of(connection));
        let cluster = namespace.is_none().then(|| {
            let connections =
                start.kind(Api::all(client.clone()), |connection: &ClusterProxmoxConnection| key_of(connection));
            (connections, Namespaces::start(client, wake, start.tasks))
        });
        let objects = Objects::start(&mut start);
        Self { connections, cluster, objects, checks: start.kind(start.in_namespaces(), checks::connection_of) }
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
            let key = reflector::ObjectRef::new(&key.name).within(namespace);
            return self.connections.store.get(&key).and_then(|guard| guard.0.as_ref().ok().map(Connection::from));
        }
        let (connections, _) = self.cluster.as_ref()?;
        let guard = connections.store.get(&reflector::ObjectRef::new(&key.name))?;
        guard.0.as_ref().ok().map(Connection::from)
    }

    /// All connections whose status says that they lead to this cluster.
    pub fn connections_to(&self, cluster: &str) -> Vec<(ConnectionKey, Connection)> {
        let leads = |connection: &Connection| {
            connection.status.as_ref().is_some_and(|status| status.cluster_id.as_deref() == Some(cluster))
        };
        let keys = self.connection_keys().into_iter();
        keys.filter_map(|key| self.connection(&key).filter(leads).map(|connection| (key, connection))).collect()
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

struct Starter<'a> {
    client: &'a Client,
    namespace: Option<&'a str>,
    wake: &'a mpsc::UnboundedSender<Wake>,
    tasks: &'a mut tokio::task::JoinSet<()>,
}

impl Starter<'_> {
    fn in_namespaces<K: Resource<DynamicType = (), Scope = NamespaceResourceScope>>(&self) -> Api<DeserializeGuard<K>> {
        match self.namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }

    fn kind<K>(
        &mut self,
        api: Api<DeserializeGuard<K>>,
        key: impl Fn(&K) -> ConnectionKey + Send + Sync + 'static,
    ) -> Kind<K>
    where
        K: Resource<DynamicType = ()> + Clone + fmt::Debug + DeserializeOwned + Send + Sync + 'static,
    {
        let (store, writer) = store();
        let state = Arc::new(AtomicU8::new(WAITING));
        self.tasks.spawn(watch(api, writer, key, self.wake.clone(), Arc::clone(&state)));
        Kind { store, state }
    }
}

async fn watch<K>(
    api: Api<DeserializeGuard<K>>,
    writer: Writer<DeserializeGuard<K>>,
    key: impl Fn(&K) -> ConnectionKey,
    wake: mpsc::UnboundedSender<Wake>,
    state: Arc<AtomicU8>,
) where
    K: Resource<DynamicType = ()> + Clone + fmt::Debug + DeserializeOwned + Send + Sync + 'static,
{
    let mut seen: HashMap<(Option<String>, String), Interest> = HashMap::new();
    let stream = watcher(api, watcher::Config::default())
        .modify(|object| object.meta_mut().managed_fields = None)
        .default_backoff()
        .reflect(writer);
    let mut stream = std::pin::pin!(stream);
    while let Some(event) = stream.next().await {
        let waking = match event {
            Ok(watcher::Event::Apply(object)) => {
                let interest = Interest::of(object.meta());
                let name = (object.namespace(), object.name_any());
                let changed = seen.get(&name) != Some(&interest);
                seen.insert(name, interest);
                changed.then(|| object.0.as_ref().map_or(Wake::All, |object| Wake::Connection(key(object))))
            }
            Ok(watcher::Event::Delete(object)) => {
                seen.remove(&(object.namespace(), object.name_any()));
                Some(object.0.as_ref().map_or(Wake::All, |object| Wake::Connection(key(object))))
            }
            Ok(watcher::Event::Init | watcher::Event::InitApply(_)) => None,
            Ok(watcher::Event::InitDone) => {
                seen.clear();
                state.store(LISTED, Ordering::SeqCst);
                Some(Wake::All)
            }
            Err(error) => {
                if is_absent(&error) {
                    tracing::warn!(kind = %K::kind(&()), "its CRD is not installed: kubectl apply -f crds/");
                } else {
                    tracing::warn!(kind = %K::kind(&()), %error, "watch failed, trying again");
                }
                let absent = is_absent(&error)
                    && state.compare_exchange(WAITING, ABSENT, Ordering::SeqCst, Ordering::SeqCst).is_ok();
                absent.then_some(Wake::All)
            }
        };
        if let Some(waking) = waking {
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

/// The part of an object whose change wakes: not its status, which we write ourselves.
#[derive(PartialEq, Eq)]
struct Interest {
    uid: Option<String>,
    generation: Option<i64>,
    deleted: bool,
    finalizers: Option<Vec<String>>,
    annotations: [Option<String>; 5],
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
        }
    }
}
