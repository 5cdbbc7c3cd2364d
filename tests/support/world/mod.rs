//! A world for one test: a namespace on the real control plane, a simulated Proxmox VE and the operator's process.

#[path = "../defect.rs"]
mod defect;
pub mod operator;
mod pve;

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use k8s_openapi::api::events::v1::Event;
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::discovery::ApiResource;
use kube::{Api, Client};
use proxmox_identity::sim::child::GuardedChild;
use proxmox_identity::sim::control_plane::ControlPlane;
use proxmox_identity::sim::pve::{Options, Simulator};
use serde_json::Value;

use crate::account::{self, Reach};
use crate::support::{cluster, control_plane};

/// How long anything may take before a test gives up; nothing measures time by it.
const PATIENCE: Duration = Duration::from_mins(5);

/// How soon it is looked again.
const LOOK: Duration = Duration::from_millis(20);

/// Everything that one test works on.
pub struct World {
    pub client: Client,
    pub namespace: String,
    pub pve: Simulator,
    /// The way of tests to the simulators; it takes any certificate.
    pub http: reqwest::Client,
    /// The operator works with the rights of the chart.
    kubeconfig: PathBuf,
    operator: Mutex<Option<GuardedChild>>,
    /// The log of an operator that this world shares with others.
    shared_log: Option<PathBuf>,
    /// What the last process that was killed at a call had logged.
    log_until_killed: Mutex<String>,
}

impl World {
    /// A namespace and an empty Proxmox VE; no operator yet.
    pub async fn new() -> Self {
        Self::with(Options { time_scale: 0.02, ..Options::default() }).await
    }

    /// The same with a simulator of one's own making.
    pub async fn with(options: Options) -> Self {
        Self::on(control_plane().await, options).await
    }

    /// The same on another control plane.
    pub async fn on(plane: &'static ControlPlane, options: Options) -> Self {
        Self::reaching(Reach::Namespace, plane, options).await
    }

    /// The same with an operator that may look so far, though it looks into one namespace.
    pub async fn reaching(reach: Reach, plane: &'static ControlPlane, options: Options) -> Self {
        let client = plane.client().await.expect("a client");
        let namespace = cluster::namespace(&client).await;
        let kubeconfig = account::kubeconfig(plane, &client, &namespace, reach).await;
        let pve = Simulator::start(options).await.expect("a simulator");
        Self {
            client,
            namespace,
            pve,
            http: pve::insecure(),
            kubeconfig,
            operator: Mutex::new(None),
            shared_log: None,
            log_until_killed: Mutex::default(),
        }
    }

    /// The usual connection, with the token of root.
    pub async fn connect(&self) -> &Self {
        self.connect_with(&self.pve.token(), "").await
    }

    /// Leaves the connection `pve` to changes: from now on it is compared so rarely when nothing happens.
    pub async fn resync_each(&self, interval: &str) {
        let patch = Patch::Merge(serde_json::json!({"spec": {"resyncInterval": interval}}));
        self.api("ProxmoxConnection").patch("pve", &PatchParams::default(), &patch).await.expect("patched");
        self.ready("ProxmoxConnection", "pve").await;
    }

    /// A connection with a token and more lines of spec.
    pub async fn connect_with(&self, token: &str, more: &str) -> &Self {
        self.connect_as("pve", "token", token, more).await
    }

    /// The same by another name, with the token in a Secret of another name.
    pub async fn connect_as(&self, name: &str, secret: &str, token: &str, more: &str) -> &Self {
        let (url, fingerprint) = (self.pve.url(), self.pve.fingerprint());
        self.apply(&format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: {secret}}}\nstringData: {{token: \"{token}\"}}\n---\n\
             apiVersion: proxmox-identity.dev/v1alpha1\nkind: ProxmoxConnection\nmetadata: {{name: {name}}}\nspec:\n  \
             endpoints: [\"{url}\"]\n  auth: {{token: {{secretRef: {{name: {secret}}}}}}}\n  \
             tls: {{fingerprints: [\"{fingerprint}\"]}}\n  resyncInterval: 1s\n{more}"
        ))
        .await
    }

    /// Applies manifests, as `kubectl apply --server-side` does.
    pub async fn apply(&self, manifests: &str) -> &Self {
        for object in serde_saphyr::from_multiple::<DynamicObject>(manifests).expect("manifests") {
            self.put(&object).await;
        }
        self
    }

    /// Applies one manifest.
    pub async fn put(&self, object: &DynamicObject) {
        let (kind, name) = (kind_of(object), object.metadata.name.clone().expect("a name"));
        let params = PatchParams::apply("test").force();
        let applied = self.api(&kind).patch(&name, &params, &Patch::Apply(object)).await;
        applied.unwrap_or_else(|error| panic!("{kind} {name} is refused: {error}"));
    }

    /// An object of ours in one line: `spec` is YAML flow without the connection.
    pub async fn object(&self, kind: &str, name: &str, spec: &str) -> &Self {
        self.apply(&manifest(kind, name, spec)).await
    }

    /// Deletes an object without waiting.
    pub async fn delete(&self, kind: &str, name: &str) {
        self.api(kind).delete(name, &DeleteParams::default()).await.expect("deleted");
    }

    /// The object, if it is there.
    pub async fn get_object(&self, kind: &str, name: &str) -> Option<Value> {
        let object = self.api(kind).get_opt(name).await.expect("an answer");
        object.map(|object| serde_json::to_value(object).expect("JSON"))
    }

    /// Waits until the object's Ready has this reason, for the generation it has now; answers with the message.
    pub async fn reason(&self, kind: &str, name: &str, reason: &str) -> String {
        let waiting = async || {
            let object = self.get_object(kind, name).await?;
            let ready = condition(&object, "Ready")?;
            let current = object["metadata"]["generation"] == object["status"]["observedGeneration"];
            (current && ready["reason"] == reason).then(|| ready["message"].as_str().unwrap_or_default().to_owned())
        };
        let started = Instant::now();
        loop {
            if let Some(message) = waiting().await {
                return message;
            }
            self.revive_operator();
            if started.elapsed() > PATIENCE {
                let object = self.get_object(kind, name).await;
                panic!("{kind} {name} has not become {reason}: {object:#?}\n{}", self.tail());
            }
            wait(started).await;
        }
    }

    /// Waits until the object is as its spec says.
    pub async fn ready(&self, kind: &str, name: &str) {
        self.reason(kind, name, "Succeeded").await;
    }

    /// Waits until the object is gone.
    pub async fn gone(&self, kind: &str, name: &str) {
        self.until(&format!("{kind} {name} goes"), async || self.get_object(kind, name).await.is_none().then_some(()))
            .await;
    }

    /// Waits for something.
    pub async fn until<T>(&self, what: &str, mut check: impl AsyncFnMut() -> Option<T>) -> T {
        self.until_or(what, async || check().await.ok_or_else(String::new)).await
    }

    /// Waits for something that says why it is not there yet.
    pub async fn until_or<T>(&self, what: &str, mut check: impl AsyncFnMut() -> Result<T, String>) -> T {
        let started = Instant::now();
        loop {
            let why = match check().await {
                Ok(value) => return value,
                Err(why) => why,
            };
            self.revive_operator();
            assert!(started.elapsed() < PATIENCE, "waited in vain until {what}: {why}\n{}", self.tail());
            wait(started).await;
        }
    }

    /// Waits for an Event about an object with this reason that says all this; answers with reason and note. Events come
    /// sooner or later than the status that says the same.
    pub async fn told(&self, name: &str, reason: &str, says: &[&str]) -> String {
        let fits = |event: &String| event.starts_with(reason) && says.iter().all(|word| event.contains(word));
        let what = format!("an Event tells {reason} {says:?} of {name}");
        self.until(&what, async || self.events(name).await.into_iter().find(fits)).await
    }

    /// Reason and note of all Events about an object.
    pub async fn events(&self, name: &str) -> Vec<String> {
        let about = |event: &Event| event.regarding.as_ref().is_some_and(|it| it.name.as_deref() == Some(name));
        self.events_that(about).await
    }

    /// Reason and note of all Events.
    pub async fn all_events(&self) -> Vec<String> {
        self.events_that(|_| true).await
    }

    async fn events_that(&self, matter: impl Fn(&Event) -> bool) -> Vec<String> {
        let events = Api::<Event>::namespaced(self.client.clone(), &self.namespace);
        let list = events.list(&ListParams::default()).await.expect("Events").items;
        let told = |event: Event| format!("{} {}", event.reason.unwrap_or_default(), event.note.unwrap_or_default());
        list.into_iter().filter(matter).map(told).collect()
    }

    /// The objects of a kind in this world.
    pub fn api(&self, kind: &str) -> Api<DynamicObject> {
        match kind {
            "ClusterProxmoxConnection" => Api::all_with(self.client.clone(), &resource(kind)),
            _ => self.api_in(kind, &self.namespace),
        }
    }

    /// The objects of a kind in another namespace.
    pub fn api_in(&self, kind: &str, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &resource(kind))
    }

    /// Waits until so many passes more have begun, by what each reads first: with two, one was made whole since.
    pub async fn passes(&self, more: u64) {
        let count = || self.pve.requests().count("GET", "/access/permissions");
        let target = count() + more;
        self.until("passes are made", async || (count() >= target).then_some(())).await;
    }
}

/// Waits a little before one looks again, and longer the longer one has waited: many who look all the time keep what they
/// wait for from being done.
async fn wait(since: Instant) {
    tokio::time::sleep((since.elapsed() / 10).clamp(LOOK, 7 * LOOK)).await;
}

/// A manifest of one of our kinds.
pub fn manifest(kind: &str, name: &str, spec: &str) -> String {
    let comma = if spec.is_empty() { "" } else { ", " };
    format!(
        "apiVersion: proxmox-identity.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\n\
         spec: {{connectionRef: {{name: pve}}{comma}{spec}}}\n"
    )
}

/// The condition of a type in an object's status.
pub fn condition<'a>(object: &'a Value, type_: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == type_)
}

fn kind_of(object: &DynamicObject) -> String {
    object.types.as_ref().expect("a kind").kind.clone()
}

fn resource(kind: &str) -> ApiResource {
    let (group, version) = match kind {
        "Secret" | "ConfigMap" => ("", "v1"),
        _ => ("proxmox-identity.dev", "v1alpha1"),
    };
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version,
        kind: kind.to_owned(),
        plural: format!("{}s", kind.to_lowercase()),
    }
}
