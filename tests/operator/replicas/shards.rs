//! Many connections, spread over replicas by shards.

use std::time::Duration;

use futures::future::join_all;
use proxmox_identity::sim::pve::{Options, Simulator};

use super::{Replica, leases, writers};
use crate::world::{World, manifest};

/// So many connections there are, unless this variable says how many.
const CONNECTIONS: usize = 12;
const OTHERWISE: &str = "SHARDED_CONNECTIONS";

fn connections() -> usize {
    std::env::var(OTHERWISE).map_or(CONNECTIONS, |count| count.parse().expect("a number of connections"))
}

async fn simulators() -> Vec<Simulator> {
    let start = (0..connections()).map(async |_| {
        Simulator::start(Options { time_scale: 0.02, ..Options::default() }).await.expect("a simulator")
    });
    join_all(start).await
}

/// A connection to a simulator.
async fn connect(world: &World, name: &str, pve: &Simulator) {
    let (url, fingerprint, token) = (pve.url(), pve.fingerprint(), pve.token());
    world
        .apply(&format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{token: \"{token}\"}}\n---\n\
             apiVersion: proxmox-identity.dev/v1alpha1\nkind: ProxmoxConnection\nmetadata: {{name: {name}}}\nspec:\n  \
             endpoints: [\"{url}\"]\n  auth: {{token: {{secretRef: {{name: {name}}}}}}}\n  \
             tls: {{fingerprints: [\"{fingerprint}\"]}}\n  resyncInterval: 1s\n"
        ))
        .await;
}

/// A group on each connection.
async fn group_on_each(world: &World, prefix: &str, connections: usize) {
    for number in 0..connections {
        let name = format!("{prefix}-{number}");
        let group = manifest("ProxmoxGroup", &name, "").replace("{name: pve}", &format!("{{name: pve-{number}}}"));
        world.apply(&group).await;
    }
}

async fn all_ready(world: &World, prefix: &str, connections: usize) {
    for number in 0..connections {
        world.ready("ProxmoxGroup", &format!("{prefix}-{number}")).await;
    }
}

#[tokio::test]
async fn connections_are_spread_over_three_replicas_and_all_go_on_when_one_dies() {
    let (world, pves) = (World::new().await, simulators().await);
    let shards = ["--shards=6"];
    let replicas = ["one", "two", "three"].map(|name| Replica::start(&world, name, &shards));
    for replica in &replicas {
        replica.until_it_holds(&world, 2).await;
    }
    for (number, pve) in pves.iter().enumerate() {
        connect(&world, &format!("pve-{number}"), pve).await;
    }
    group_on_each(&world, "first", pves.len()).await;
    all_ready(&world, "first", pves.len()).await;
    for pve in &pves {
        assert_eq!(writers(pve).len(), 1, "one wrote for each connection, once");
    }
    let busy = replicas.iter().filter(|replica| pves.iter().any(|pve| writers(pve)[0] == replica.name)).count();
    assert!(busy > 1, "the work is shared");

    let [one, two, three] = replicas;
    one.signal("-KILL");
    two.until_it_holds(&world, 3).await;
    three.until_it_holds(&world, 3).await;
    group_on_each(&world, "second", pves.len()).await;
    all_ready(&world, "second", pves.len()).await;
    for pve in &pves {
        let writers = writers(pve);
        assert_eq!(writers.len(), 2, "{writers:?}");
        assert_ne!(writers[1], "one");
    }

    let four = Replica::start(&world, "four", &shards);
    for replica in [&two, &three, &four] {
        replica.until_it_holds(&world, 2).await;
    }
    group_on_each(&world, "third", pves.len()).await;
    all_ready(&world, "third", pves.len()).await;
    for pve in &pves {
        assert_eq!(writers(pve).len(), 3, "moved and not made again");
    }
}

#[tokio::test]
async fn two_connections_to_one_cluster_are_one_replicas() {
    let world = World::new().await;
    let shards = ["--shards=8"];
    let one = Replica::start(&world, "one", &shards);
    let two = Replica::start(&world, "two", &shards);
    for replica in [&one, &two] {
        replica.until_it_holds(&world, 4).await;
    }
    for number in 0..CONNECTIONS {
        connect(&world, &format!("pve-{number}"), &world.pve).await;
    }
    group_on_each(&world, "group", CONNECTIONS).await;
    all_ready(&world, "group", CONNECTIONS).await;
    // Some may have waited in vain for the lock, and come again.
    let mut writers = writers(&world.pve);
    writers.dedup();
    assert_eq!(writers.len(), 1, "one replica wrote for all: {writers:?}");
    assert_eq!(world.groups().await.len(), CONNECTIONS);
}

#[tokio::test]
async fn with_another_number_of_shards_a_replica_waits_until_the_others_are_gone() {
    let world = World::new().await;
    let old = Replica::start(&world, "old", &["--shards=1"]);
    old.until_it_holds(&world, 1).await;
    world.connect().await;
    world.object("ProxmoxGroup", "a", "").await;
    world.ready("ProxmoxGroup", "a").await;
    let new = Replica::start(&world, "new", &["--shards=4"]);
    world.until("the new one stands by", async || (leases(&world).await.len() == 3).then_some(())).await;
    world.until("it says why", async || new.log().contains("another number of shards").then_some(())).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((old.holds().await, new.holds().await), (Some(1), Some(0)));
    old.signal("-TERM");
    new.until_it_holds(&world, 4).await;
    world.object("ProxmoxGroup", "b", "").await;
    world.ready("ProxmoxGroup", "b").await;
    assert_eq!(writers(&world.pve), ["old", "new"]);
}
