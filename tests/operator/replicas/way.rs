//! The way to the apiserver is cut, or clocks differ.

use std::time::{Duration, Instant};

use proxmox_identity::sim::pve::Options;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::{LEASE, Replica, groups, groups_ready, leases, writers};
use crate::world::World;

/// A way to the apiserver that can be cut.
struct Way {
    dir: TempDir,
    open: watch::Sender<bool>,
}

impl Way {
    async fn new(world: &World) -> Self {
        let text = std::fs::read_to_string(world.kubeconfig()).expect("a kubeconfig");
        let mut config: Value = serde_json::from_str(&text).expect("JSON");
        let server = config["clusters"][0]["cluster"]["server"].as_str().expect("a server").to_owned();
        let to = server.strip_prefix("https://").expect("https").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let here = listener.local_addr().expect("an address");
        config["clusters"][0]["cluster"]["server"] = format!("https://{here}").into();
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("kubeconfig"), config.to_string()).expect("a file");
        let (open, is_open) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let (mut is_open, to) = (is_open.clone(), to.clone());
                tokio::spawn(async move {
                    let carry = async {
                        if let Ok(mut to) = TcpStream::connect(to).await {
                            let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                        }
                    };
                    tokio::select! {
                        () = carry => {}
                        _ = is_open.wait_for(|open| !open) => {}
                    }
                });
            }
        });
        Self { dir, open }
    }

    fn kubeconfig(&self) -> String {
        format!("KUBECONFIG={}", self.dir.path().join("kubeconfig").display())
    }
}

#[tokio::test]
async fn a_leader_without_an_apiserver_stops_writing_before_its_lease_runs_out() {
    let slow = Options { time_scale: 0.02, write_latency: Duration::from_millis(100), ..Options::default() };
    let world = World::with(slow).await;
    let (way, short) = (Way::new(&world).await, ["--lease-duration=2s"]);
    let first = Replica::start_with(&world, &way.kubeconfig(), "first", &short);
    first.until_it_holds(&world, 1).await;
    let second = Replica::start(&world, "second", &short);
    world.until("the second stands by", async || (leases(&world).await.len() == 3).then_some(())).await;
    // What it plans at once keeps it busy for 2 s, without any need of the apiserver.
    groups(&world, "g", 60).await;
    world.connect().await;
    let count = || writers(&world.pve).iter().filter(|writer| *writer == "first").count();
    world.until("the first begins", async || (count() > 0).then_some(())).await;
    way.open.send_replace(false);
    let cut = Instant::now();
    let (mut last, mut written) = (cut, count());
    while cut.elapsed() < Duration::from_secs(3) {
        if count() != written {
            (last, written) = (Instant::now(), count());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let wrote = last - cut;
    assert!(wrote < Duration::from_millis(1500), "a lease of 2 s, and it wrote for {wrote:?}");
    second.until_it_holds(&world, 1).await;
    groups_ready(&world, "g", 60).await;
    let writers = writers(&world.pve);
    assert!(writers.is_sorted(), "the first wrote after the second had begun: {writers:?}");
    assert_eq!(writers.len(), 60, "nothing is made twice");

    // It lives, and comes back as a standby.
    assert_eq!(first.get("/healthz").await.expect("an answer").0, 200);
    way.open.send_replace(true);
    world.until("the first stands by", async || (leases(&world).await.len() == 3).then_some(())).await;
    assert_eq!(first.holds().await, Some(0));
}

#[tokio::test]
async fn what_clocks_say_does_not_matter() {
    let world = World::new().await;
    let first = Replica::start(&world, "first", &[]);
    first.until_it_holds(&world, 1).await;
    let second = Replica::start(&world, "second", &[]);
    world.until("the second stands by", async || (leases(&world).await.len() == 3).then_some(())).await;
    // As if the leader's clock stood hours off, in either direction.
    let leases =
        kube::Api::<k8s_openapi::api::coordination::v1::Lease>::namespaced(world.client.clone(), &world.home());
    let name = super::leases(&world).await.into_iter().find(|(name, _)| name.contains("-first-")).expect("its Lease").0;
    for time in ["2001-01-01T00:00:00.000000Z", "2101-01-01T00:00:00.000000Z"] {
        let began = Instant::now();
        while began.elapsed() < LEASE * 3 / 2 {
            let patch = serde_json::json!({ "spec": { "renewTime": time } });
            let params = kube::api::PatchParams::default();
            leases.patch(&name, &params, &kube::api::Patch::Merge(patch)).await.expect("patched");
            assert_eq!(second.holds().await, Some(0), "{time}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        first.until_it_holds(&world, 1).await;
    }
    first.signal("-KILL");
    let patch = serde_json::json!({ "spec": { "renewTime": "2101-01-01T00:00:00.000000Z" } });
    let params = kube::api::PatchParams::default();
    leases.patch(&name, &params, &kube::api::Patch::Merge(patch)).await.expect("patched");
    second.until_it_holds(&world, 1).await;
}
