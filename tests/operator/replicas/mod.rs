//! Several replicas: one works on a connection at a time, another one goes on when it cannot, and nobody writes without
//! a lease.

mod failover;
mod shards;
mod way;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::ListParams;
use proxmox_identity::sim::child::GuardedChild;
use proxmox_identity::sim::pve::Simulator;
use serde_json::Value;

use crate::world::World;
use crate::world::operator::{fetch, served_at};

/// How long a lease lasts here.
const LEASE: Duration = Duration::from_secs(6);

/// One of several operators.
struct Replica {
    name: &'static str,
    process: GuardedChild,
}

impl Replica {
    /// Starts a replica beside the others of a world.
    fn start(world: &World, name: &'static str, arguments: &[&str]) -> Self {
        Self::start_with(world, &format!("KUBECONFIG={}", world.kubeconfig().display()), name, arguments)
    }

    /// The same with another variable than the usual way to the apiserver, or with more of them.
    fn start_with(world: &World, variables: &str, name: &'static str, arguments: &[&str]) -> Self {
        let namespace = &world.namespace;
        let mut words: Vec<String> = variables.split(' ').map(str::to_owned).collect();
        words.extend([
            format!("POD_NAME={name}"),
            "RUST_LOG=info,proxmox_identity=debug".to_owned(),
            env!("CARGO_BIN_EXE_proxmox-identity").to_owned(),
            "run".to_owned(),
            "--listen=127.0.0.1:0".to_owned(),
            format!("--watch-namespace={namespace}"),
            format!("--namespace={}", world.home()),
            "--leader-election".to_owned(),
        ]);
        if !arguments.iter().any(|argument| argument.starts_with("--lease-duration=")) {
            words.push(format!("--lease-duration={}s", LEASE.as_secs()));
        }
        words.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        let process = GuardedChild::start(Path::new("/usr/bin/env"), |_| Ok(words)).expect("the operator starts");
        Self { name, process }
    }

    /// Sends its process, and no other, a signal.
    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.process.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.process.dir().join("log")).unwrap_or_default()
    }

    /// What it serves at a path; nothing before it serves.
    async fn get(&self, path: &str) -> Option<(u16, String)> {
        fetch(&format!("http://{}{path}", served_at(&self.log())?)).await.ok()
    }

    /// How many shards it holds, by its own account.
    async fn holds(&self) -> Option<usize> {
        let (_, metrics) = self.get("/metrics").await?;
        let leads = |line: &&str| line.starts_with("proxmox_identity_leader{") && line.ends_with(" 1");
        Some(metrics.lines().filter(leads).count())
    }

    /// Waits until it holds so many shards.
    async fn until_it_holds(&self, world: &World, shards: usize) {
        let what = format!("{} holds {shards} shards", self.name);
        world.until(&what, async || (self.holds().await == Some(shards)).then_some(())).await;
    }
}

/// The writes to Proxmox VE that a log tells of, and how long each took in seconds.
fn write_durations(log: &str) -> Vec<f64> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let writes = lines.filter(|line| line["message"] == "called Proxmox VE" && line["method"] != "GET");
    let seconds = |text: &str| {
        let (number, scale) = match text.strip_suffix("ms") {
            Some(number) => (number, 0.001),
            None => (text.strip_suffix('s').unwrap_or("0"), 1.0),
        };
        number.parse::<f64>().unwrap_or_default() * scale
    };
    writes.map(|line| seconds(line["duration"].as_str().expect("a duration"))).collect()
}

/// The Leases of a world.
async fn listed(world: &World) -> Vec<Lease> {
    let leases = Api::<Lease>::namespaced(world.client.clone(), &world.home());
    leases.list(&ListParams::default()).await.expect("Leases").items
}

/// The Leases of a world by their names, with who holds them.
async fn leases(world: &World) -> Vec<(String, String)> {
    let list = listed(world).await;
    let holder = |lease: &Lease| lease.spec.as_ref().and_then(|spec| spec.holder_identity.clone()).unwrap_or_default();
    list.iter().map(|lease| (lease.metadata.name.clone().unwrap_or_default(), holder(lease))).collect()
}

/// Which replicas have written to a Proxmox VE, in the order of their writes.
fn writers(pve: &Simulator) -> Vec<String> {
    let name = |agent: &str| agent.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).map(str::to_owned);
    let writes = pve.requests().writes.into_iter();
    writes
        .filter(|write| write.path != "/access/openid/auth-url")
        .map(|write| name(&write.agent).expect("a name"))
        .collect()
}

/// Makes so many groups.
async fn groups(world: &World, prefix: &str, count: usize) {
    for number in 0..count {
        world.object("ProxmoxGroup", &format!("{prefix}-{number}"), "").await;
    }
}

/// Waits until they are Ready.
async fn groups_ready(world: &World, prefix: &str, count: usize) {
    for number in 0..count {
        world.ready("ProxmoxGroup", &format!("{prefix}-{number}")).await;
    }
}

#[tokio::test]
async fn an_operator_alone_leads_without_leases() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.ready("ProxmoxGroup", "g").await;
    let (_, metrics) = world.get("/metrics").await;
    assert!(metrics.contains("proxmox_identity_leader{shard=\"0\"} 1"), "{metrics}");
    world.end_operator().await;
    assert_eq!(leases(&world).await, []);
    let agents: Vec<String> = world.pve.requests().writes.into_iter().map(|write| write.agent).collect();
    assert_eq!(agents, [concat!("proxmox-identity/", env!("CARGO_PKG_VERSION"))]);
}
