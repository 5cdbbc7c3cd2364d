//! Many connections, each to a cluster of its own, and one that hangs.

use std::time::{Duration, Instant};

use kube::api::DynamicObject;
use proxmox_identity::sim::ANY_REQUEST;
use proxmox_identity::sim::pve::{Fault, FaultName, Simulator};
use serde_json::json;

use crate::Scale;
use crate::figures::{Figures, count};
use crate::fleet::{self, Fleet, Layout, recorded};
use crate::latency::{entry_spec, percentiles, until_ready};
use crate::process;
use crate::world::World;

/// How many connections, and objects of each.
pub const CONNECTIONS: (usize, usize) = (200, 50);

/// Groups of each cluster.
const GROUPS: usize = 10;

/// How long the one that hangs takes for each answer.
const HANG_MS: u64 = 30_000;

/// Measures.
pub async fn measure(scale: Scale, figures: &mut Figures) {
    let ((connections, objects), samples, rest, hangs_for) = if scale == Scale::Smoke {
        ((3, 2), 2, Duration::from_secs(1), Duration::ZERO)
    } else {
        (CONNECTIONS, 200, Duration::from_mins(1), 3 * Duration::from_millis(HANG_MS))
    };
    let mut fleet = Fleet::new(recorded(), Layout::PathEach).await;
    let mut clusters = Vec::new();
    for number in 0..connections {
        clusters.push(cluster(&fleet.world, number).await);
    }
    let manifests = (0..connections * objects).map(|number| {
        let (connection, entry) = (number / objects, number % objects);
        let spec = entry_spec(&connection_name(connection), &format!("/vms/{}", 100 + entry), entry % GROUPS);
        json!({
            "apiVersion": "proxmox-identity.dev/v1alpha1", "kind": "ProxmoxAcl",
            "metadata": {"name": fleet::name(number)}, "spec": spec,
        })
        .to_string()
    });
    fleet::create(&fleet.world.api("ProxmoxAcl"), manifests).await;
    fleet.expect(connections * objects);
    let begun = Instant::now();
    fleet.start_operator().await;
    fleet.all_ready().await;
    figures.set("whole_s", begun.elapsed().as_secs_f64());

    let process = fleet.world.process();
    let (begun, cpu, passes) = (Instant::now(), process::cpu(process), fleet.passes().await);
    tokio::time::sleep(rest).await;
    let (took, cpu) = (begun.elapsed(), process::cpu(process).saturating_sub(cpu));
    figures.set("cpu_percent", 100.0 * cpu.as_secs_f64() / took.as_secs_f64());
    figures.set("passes_per_s", (fleet.passes().await - passes) / took.as_secs_f64());
    let memory = process::memory(process);
    figures.set("resident_mib", memory.resident);
    figures.set("peak_mib", memory.peak);

    let alone = changes(&fleet.world, connections, "a", |times, _| times >= samples).await;
    let alone = percentiles(figures, "alone.", alone);
    let hang =
        Fault { file: Some(ANY_REQUEST.to_owned()), count: u32::MAX, ms: HANG_MS, ..Fault::new(FaultName::Delay) };
    clusters[0].fault(hang);
    let object: DynamicObject = serde_json::from_value(json!({
        "apiVersion": "proxmox-identity.dev/v1alpha1", "kind": "ProxmoxAcl", "metadata": {"name": "hangs"},
        "spec": entry_spec(&connection_name(0), "/storage/hangs", 0),
    }))
    .expect("an object");
    fleet.world.put(&object).await;
    // So long that the way to the one that hangs is given up and tried again meanwhile.
    let beside = |times: usize, took: Duration| times >= samples && took >= hangs_for;
    let beside = percentiles(figures, "beside.", changes(&fleet.world, connections, "b", beside).await);
    let hangs = fleet.world.api("ProxmoxAcl").get("hangs").await.expect("an object");
    assert!(!fleet::is_ready(&hangs), "it hung all the time");
    figures.set("ratio", beside.middle / alone.middle);
    figures.set("worst_ratio", beside.worst / alone.worst);
    figures.set("connections", count(connections));
}

fn connection_name(number: usize) -> String {
    format!("pve-{number}")
}

/// A cluster with the groups, and a connection to it.
async fn cluster(world: &World, number: usize) -> Simulator {
    let pve = Simulator::start(recorded()).await.expect("a simulator");
    let client = crate::bare::client();
    for group in 0..GROUPS {
        let request = client.post(format!("{}/api2/json/access/groups", pve.url()));
        let request = request.header("Authorization", format!("PVEAPIToken={}", pve.token()));
        let answer = request.form(&[("groupid", format!("g{group}"))]).send().await.expect("an answer");
        assert!(answer.status().is_success());
    }
    pve.clear_requests();
    let name = connection_name(number);
    let (url, token, fingerprint) = (pve.url(), pve.token(), pve.fingerprint());
    world
        .apply(&format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{token: \"{token}\"}}\n---\n\
             apiVersion: proxmox-identity.dev/v1alpha1\nkind: ProxmoxConnection\nmetadata: {{name: {name}}}\nspec:\n  \
             endpoints: [\"{url}\"]\n  auth: {{token: {{secretRef: {{name: {name}}}}}}}\n  \
             tls: {{fingerprints: [\"{fingerprint}\"]}}\n"
        ))
        .await;
    pve
}

/// New objects on connections in turn, but for the first one, until there are enough of them and it has taken long enough.
async fn changes(
    world: &World,
    connections: usize,
    series: &str,
    enough: impl Fn(usize, Duration) -> bool,
) -> Vec<Duration> {
    let (begun, mut times) = (Instant::now(), Vec::new());
    while !enough(times.len(), begun.elapsed()) {
        let sample = times.len() + 1;
        let connection = 1 + sample % (connections - 1);
        let spec = entry_spec(&connection_name(connection), &format!("/storage/{series}{sample}"), sample % GROUPS);
        times.push(until_ready(world, &format!("{series}-{sample}"), spec).await);
    }
    times
}
