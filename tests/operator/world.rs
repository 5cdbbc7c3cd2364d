//! A world for one test: a namespace on the real control plane, a simulated Proxmox VE and the operator's process.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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

/// Everything that one test works on.
pub struct World {
    pub client: Client,
    pub namespace: String,
    pub pve: Simulator,
    /// The operator works with the rights of the chart.
    kubeconfig: PathBuf,
    operator: Mutex<Option<GuardedChild>>,
    /// The log of an operator that this world shares with others.
    shared_log: Option<PathBuf>,
    revivals: AtomicU32,
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
            kubeconfig,
            operator: Mutex::new(None),
            shared_log: None,
            revivals: AtomicU32::new(0),
        }
    }

    /// Has the log of an operator judged too that works for this world and for others.
    pub fn share(&mut self, operator: &GuardedChild) {
        self.shared_log = Some(operator.dir().join("log"));
    }

    /// How the operator reaches the control plane.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The namespace that the operator would run in.
    pub fn home(&self) -> String {
        account::home(&self.namespace)
    }

    /// Starts the operator, or starts it again after a kill.
    pub fn start_operator(&self) -> &Self {
        self.start_operator_with(&[], &[])
    }

    /// Starts the operator with more variables and arguments.
    pub fn start_operator_with(&self, variables: &[&str], arguments: &[&str]) -> &Self {
        let kubeconfig = format!("KUBECONFIG={}", self.kubeconfig.display());
        let fixed = [kubeconfig.as_str(), "RUST_LOG=trace"];
        let command = [env!("CARGO_BIN_EXE_proxmox-identity"), "run", "--listen=127.0.0.1:0"];
        let namespace = format!("--watch-namespace={}", self.namespace);
        let last = [namespace.as_str()];
        let words = fixed.iter().chain(variables).chain(&command).chain(&last).chain(arguments);
        self.start(words.map(|word| (*word).to_owned()).collect())
    }

    /// Starts the operator as these words say, which `env` reads.
    pub fn start(&self, words: Vec<String>) -> &Self {
        self.kill_operator();
        let child = GuardedChild::start(Path::new("/usr/bin/env"), |_| Ok(words)).expect("the operator starts");
        *self.operator() = Some(child);
        self
    }

    /// Tells the operator to end, and waits until it has.
    pub async fn end_operator(&self) {
        let id = self.operator().as_ref().expect("an operator").id().to_string();
        assert!(std::process::Command::new("kill").arg(&id).status().expect("kill runs").success());
        let has_ended = || self.operator().as_mut().is_some_and(|operator| operator.has_ended().expect("a state"));
        let started = Instant::now();
        while !has_ended() {
            assert!(started.elapsed() < PATIENCE, "it does not end\n{}", self.tail());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Kills the operator at once. Kubernetes must have refused it nothing until now.
    pub fn kill_operator(&self) {
        let Some(operator) = self.operator().take() else { return };
        let log = read(&operator.dir().join("log"));
        drop(operator);
        account::was_never_refused(&log);
    }

    /// Starts the operator again if it was killed at a call.
    fn revive_operator(&self) {
        let ended = self.operator().as_mut().is_some_and(|operator| operator.has_ended().expect("a state"));
        if ended {
            self.revivals.fetch_add(1, Ordering::SeqCst);
            self.start_operator();
        }
    }

    /// How often the operator was killed at a call.
    pub fn revivals(&self) -> u32 {
        self.revivals.load(Ordering::SeqCst)
    }

    fn operator(&self) -> MutexGuard<'_, Option<GuardedChild>> {
        self.operator.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that the operator has logged, at the most talkative level.
    pub fn log(&self) -> String {
        let dir = self.operator().as_ref().expect("an operator").dir().to_owned();
        read(&dir.join("log"))
    }

    /// How many calls to other systems the operator's process has made.
    pub fn calls(&self) -> usize {
        self.log().lines().filter(|line| line.contains("\"outward call\"")).count()
    }

    /// Where the operator serves health and metrics.
    pub async fn address(&self) -> String {
        self.until("the operator serves", async || served_at(&self.log())).await
    }

    /// What the operator serves at a path.
    pub async fn get(&self, path: &str) -> (u16, String) {
        fetch(&format!("http://{}{path}", self.address().await)).await.expect("an answer")
    }

    /// The usual connection, with the token of root.
    pub async fn connect(&self) -> &Self {
        self.connect_with(&self.pve.token(), "").await
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
            tokio::time::sleep(Duration::from_millis(20)).await;
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
        let started = Instant::now();
        loop {
            if let Some(value) = check().await {
                return value;
            }
            self.revive_operator();
            assert!(started.elapsed() < PATIENCE, "waited in vain until {what}\n{}", self.tail());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn tail(&self) -> String {
        if self.operator().is_none() {
            return String::new();
        }
        let log = self.log();
        // What was done says more than each call.
        let told = |line: &&str| line.contains("\"audit\"") || line.contains("\"WARN\"") || line.contains("\"ERROR\"");
        let ours: Vec<&str> = log.lines().filter(told).collect();
        ours[ours.len().saturating_sub(40)..].join("\n")
    }

    /// The reasons of all Events about an object.
    pub async fn events(&self, name: &str) -> Vec<String> {
        let events = Api::<k8s_openapi::api::events::v1::Event>::namespaced(self.client.clone(), &self.namespace);
        let list = events.list(&ListParams::default()).await.expect("Events").items;
        let about = list
            .into_iter()
            .filter(|event| event.regarding.as_ref().is_some_and(|it| it.name.as_deref() == Some(name)));
        about.map(|event| format!("{} {}", event.reason.unwrap_or_default(), event.note.unwrap_or_default())).collect()
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

    /// What Proxmox VE answers root.
    pub async fn pve_get(&self, path: &str) -> Value {
        self.pve_call("GET", path, &[]).await
    }

    /// What Proxmox VE answers root, or nothing where it refuses.
    pub async fn pve_find(&self, path: &str) -> Option<Value> {
        let (status, body) = self.pve_answer("GET", path, &[]).await;
        status.is_success().then(|| body["data"].clone())
    }

    /// A call to Proxmox VE behind the operator's back.
    pub async fn pve_call(&self, method: &str, path: &str, form: &[(&str, &str)]) -> Value {
        let (status, body) = self.pve_answer(method, path, form).await;
        assert!(status.is_success(), "{method} {path}: {status} {body}");
        body["data"].clone()
    }

    async fn pve_answer(&self, method: &str, path: &str, form: &[(&str, &str)]) -> (reqwest::StatusCode, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut url = url::Url::parse(&format!("{}/api2/json{path}", self.pve.url())).expect("a URL");
        if method == reqwest::Method::DELETE {
            url.query_pairs_mut().extend_pairs(form);
        }
        let client = insecure();
        let mut request =
            client.request(method.clone(), url).header("Authorization", format!("PVEAPIToken={}", self.pve.token()));
        if !form.is_empty() && method != reqwest::Method::DELETE {
            request = request.form(form);
        }
        let answer = request.send().await.expect("an answer");
        (answer.status(), answer.json().await.expect("JSON"))
    }

    /// Whether a whole token, `user@realm!tokenid=uuid`, is taken.
    pub async fn works(&self, token: &str) -> bool {
        let url = format!("{}/api2/json/version", self.pve.url());
        let request = insecure().get(url).header("Authorization", format!("PVEAPIToken={token}"));
        request.send().await.expect("an answer").status().is_success()
    }

    /// Whether a user can log in with a password.
    pub async fn logs_in(&self, user: &str, password: &str) -> bool {
        let url = format!("{}/api2/json/access/ticket", self.pve.url());
        let request = insecure().post(url).form(&[("username", user), ("password", password)]);
        request.send().await.expect("an answer").status().is_success()
    }

    /// The ACL as `path role type:subject propagate`, sorted.
    pub async fn acl(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entries = self.pve_get("/access/acl").await;
        let mut lines: Vec<String> = entries
            .as_array()
            .expect("a list")
            .iter()
            .map(|entry| {
                let (path, role) = (text(&entry["path"]), text(&entry["roleid"]));
                format!("{path} {role} {}:{} {}", text(&entry["type"]), text(&entry["ugid"]), entry["propagate"])
            })
            .collect();
        lines.sort();
        lines
    }

    /// The ids of all groups, sorted.
    pub async fn groups(&self) -> Vec<String> {
        let groups = self.pve_get("/access/groups").await;
        let ids = groups
            .as_array()
            .expect("a list")
            .iter()
            .map(|group| group["groupid"].as_str().unwrap_or_default().to_owned());
        let mut ids: Vec<String> = ids.collect();
        ids.sort();
        ids
    }

    /// How many requests that change something Proxmox VE has seen: all but reads and the beginnings of logins.
    pub fn pve_writes(&self) -> u64 {
        let changes = |path: &str| !matches!(path, "/access/ticket" | "/access/openid/auth-url");
        let counts = self.pve.requests().counts;
        counts.iter().filter(|it| it.method != "GET" && changes(&it.path)).map(|it| it.count).sum()
    }

    /// Waits until so many passes more have been made.
    pub async fn passes(&self, more: u64) {
        let count = || self.pve.requests().count("GET", "/access/permissions");
        let target = count() + more;
        self.until("passes are made", async || (count() >= target).then_some(())).await;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // A test that has failed already says why.
        if !std::thread::panicking() {
            self.kill_operator();
            if let Some(log) = &self.shared_log {
                account::was_never_refused(&read(log));
            }
        }
    }
}

fn read(log: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default()).into_owned()
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

fn insecure() -> reqwest::Client {
    // The simulator's certificate is made anew for each; what is tested here is not this client.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().build().expect("a client")
}

/// Where a process with this log serves metrics and health.
pub fn served_at(log: &str) -> Option<String> {
    log.lines().find_map(|line| {
        let line: Value = serde_json::from_str(line).ok()?;
        (line["message"] == "serving /metrics, /healthz and /readyz")
            .then(|| line["address"].as_str().map(str::to_owned))?
    })
}

/// Status and text at a URL.
pub async fn fetch(url: &str) -> reqwest::Result<(u16, String)> {
    let answer = insecure().get(url).send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}
