//! Many ACL entries, an object for each.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use futures::{StreamExt, stream};
use kube::Api;
use kube::api::{DynamicObject, ListParams, PostParams};
use proxmox_identity::sim::pve::Options;
use serde_json::Value;

use crate::bare;
use crate::world::{World, condition, manifest};

/// Groups that stand before anything is measured; entries are for them in turn.
pub const GROUPS: usize = 100;

/// How many objects are made at once.
const AT_ONCE: usize = 16;

/// What the operator counts of entries that are Ready.
const READY: &str = "proxmox_identity_resource_condition{kind=\"ProxmoxAcl\",type=\"Ready\",status=\"True\"}";

/// How often it is looked whether all are.
const LOOK: Duration = Duration::from_millis(100);

/// Which operator is measured, where it is not the one that was built with the rig.
pub static OTHER_PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// The operator that is measured.
fn program() -> &'static Path {
    OTHER_PROGRAM.get().map_or(Path::new(env!("CARGO_BIN_EXE_proxmox-identity")), PathBuf::as_path)
}

/// How Proxmox VE answers, by the recordings: 10 ms for a list, 6 ms for a write to a small file.
pub fn recorded() -> Options {
    Options {
        read_latency: Duration::from_millis(10),
        write_latency: Duration::from_millis(6),
        time_scale: 1.0,
        ..Options::default()
    }
}

/// Where the entries are, and whether they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Each is on a path of its own, and so needs a PUT of its own.
    PathEach,
    /// They stand before their objects are made, which then take them over: nothing waits for Proxmox VE.
    Standing,
}

/// A world with so many objects, each of which claims one ACL entry.
pub struct Fleet {
    pub world: World,
    layout: Layout,
    objects: usize,
    client: reqwest::Client,
    /// Where the operator serves its metrics.
    address: String,
}

impl Fleet {
    /// With the groups and without objects; nothing runs yet.
    pub async fn new(options: Options, layout: Layout) -> Self {
        let world = World::with(options).await;
        for group in 0..GROUPS {
            world.pve_call("POST", "/access/groups", &[("groupid", &format!("g{group}"))]).await;
        }
        world.pve.clear_requests();
        world.connect().await;
        Self { world, layout, objects: 0, client: bare::client(), address: String::new() }
    }

    /// Starts the operator as people run it.
    pub async fn start_operator(&mut self) {
        let mut words = vec![format!("KUBECONFIG={}", self.world.kubeconfig().display()), "RUST_LOG=info".to_owned()];
        words.push(program().display().to_string());
        words.extend(["run", "--listen=127.0.0.1:0"].map(str::to_owned));
        words.push(format!("--watch-namespace={}", self.world.namespace));
        self.world.start(words);
        self.address = self.world.address().await;
    }

    /// Makes objects until there are so many.
    pub async fn grow_to(&mut self, objects: usize) {
        let per_path = match self.layout {
            Layout::PathEach => 1,
            Layout::Standing => GROUPS,
        };
        if self.layout == Layout::Standing {
            for path in self.objects.div_ceil(GROUPS)..objects.div_ceil(GROUPS) {
                self.stand(100 + path).await;
            }
        }
        let manifests = (self.objects..objects).map(|number| {
            let (path, group) = (100 + number / per_path, number % GROUPS);
            let spec = format!("path: /vms/{path}, roles: [{{role: PVEVMUser}}], subjects: [{{group: g{group}}}]");
            manifest("ProxmoxAcl", &name(number), &spec)
        });
        create(&self.world.api("ProxmoxAcl"), manifests).await;
        self.objects = objects;
    }

    /// All groups get an entry on a path, before any object claims it.
    async fn stand(&self, path: usize) {
        let groups: Vec<String> = (0..GROUPS).map(|group| format!("g{group}")).collect();
        let (path, groups) = (format!("/vms/{path}"), groups.join(","));
        let form = [("path", path.as_str()), ("roles", "PVEVMUser"), ("groups", &groups)];
        self.world.pve_call("PUT", "/access/acl", &form).await;
    }

    /// So many objects are there that were not made here.
    pub fn expect(&mut self, objects: usize) {
        self.objects = objects;
    }

    /// How many passes the operator has made.
    pub async fn passes(&self) -> f64 {
        let metrics = self.metrics().await;
        let count = metrics.lines().find_map(|line| line.strip_prefix("proxmox_identity_passes_total "));
        count.and_then(|count| count.parse().ok()).expect("a number")
    }

    /// Waits until all objects are Ready in Kubernetes.
    pub async fn all_ready(&self) {
        let goal = format!("{READY} {}", self.objects);
        // What the operator counts costs little to ask for, but is a little ahead of what is stored.
        while !self.metrics().await.lines().any(|line| line == goal) {
            tokio::time::sleep(LOOK).await;
        }
        while self.ready().await < self.objects {
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn metrics(&self) -> String {
        let answer = self.client.get(format!("http://{}/metrics", self.address)).send().await.expect("an answer");
        answer.text().await.expect("metrics")
    }

    async fn ready(&self) -> usize {
        let (api, mut params, mut ready) = (self.world.api("ProxmoxAcl"), ListParams::default().limit(500), 0);
        loop {
            let page = api.list(&params).await.expect("a list");
            ready += page.items.iter().filter(|object| is_ready(object)).count();
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => return ready,
            }
        }
    }
}

/// The name of an object.
pub fn name(number: usize) -> String {
    format!("entry-{number}")
}

/// Whether an object is as its spec of now says.
pub fn is_ready(object: &DynamicObject) -> bool {
    let object = serde_json::to_value(object).expect("JSON");
    let current = object["metadata"]["generation"] == object["status"]["observedGeneration"];
    current && condition(&object, "Ready").is_some_and(|ready| ready["status"] == "True")
}

/// Makes objects, several at once.
pub async fn create(api: &Api<DynamicObject>, manifests: impl Iterator<Item = String>) {
    let made = stream::iter(manifests).map(async |manifest| {
        let object: Value = serde_saphyr::from_str(&manifest).expect("YAML");
        let object: DynamicObject = serde_json::from_value(object).expect("an object");
        api.create(&PostParams::default(), &object).await.expect("made");
    });
    made.buffer_unordered(AT_ONCE).collect::<()>().await;
}
