//! The replica that works is killed, frozen or ended.

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use proxmox_identity::sim::pve::Options;

use super::{LEASE, Replica, groups, groups_ready, leases, listed, write_durations, writers};
use crate::world::World;

/// Two replicas, of which the first works.
async fn two(world: &World, arguments: &[&str]) -> (Replica, Replica) {
    let first = Replica::start(world, "first", arguments);
    first.until_it_holds(world, 1).await;
    let second = Replica::start(world, "second", arguments);
    world.until("the second stands by", async || (leases(world).await.len() == 3).then_some(())).await;
    (first, second)
}

/// When a replica renewed its Lease last.
async fn renewed(world: &World, replica: &str) -> Timestamp {
    let held = listed(world).await.into_iter().filter_map(|lease| lease.spec);
    let of_replica = |spec: &LeaseSpec| spec.holder_identity.as_ref().is_some_and(|holder| holder.starts_with(replica));
    held.filter(of_replica).filter_map(|spec| spec.renew_time).map(|time| time.0).max().expect("a Lease")
}

#[tokio::test]
async fn a_killed_leader_is_followed_within_the_time_of_its_lease() {
    let world = World::new().await;
    let (first, second) = two(&world, &[]).await;
    world.connect().await;
    groups(&world, "before", 3).await;
    groups_ready(&world, "before", 3).await;
    assert_eq!(second.holds().await, Some(0), "a leader that works is left alone");
    assert_eq!(second.get("/readyz").await.expect("an answer").0, 200, "a standby is ready");

    first.signal("-KILL");
    let renewed = renewed(&world, "first").await;
    second.until_it_holds(&world, 1).await;
    let waited = Timestamp::now().duration_since(renewed);
    let lease = SignedDuration::try_from(LEASE).expect("a short while");
    assert!(waited >= lease, "not before the lease has run out: {waited:#}");
    // As long again for machines with much else to do.
    assert!(waited < lease * 2, "{waited:#}");
    groups(&world, "after", 3).await;
    groups_ready(&world, "after", 3).await;
    groups_ready(&world, "before", 3).await;
    let writers = writers(&world.pve);
    assert_eq!(writers, ["first", "first", "first", "second", "second", "second"], "nothing is made twice");
    world.until("the dead one's Lease is gone", async || (leases(&world).await.len() == 2).then_some(())).await;
}

#[tokio::test]
async fn a_frozen_leader_that_goes_on_finishes_at_most_the_request_that_it_had_begun() {
    let slow = Options { time_scale: 0.02, write_latency: Duration::from_millis(300), ..Options::default() };
    let world = World::with(slow).await;
    let (first, second) = two(&world, &[]).await;
    world.connect().await;
    world.ready("ProxmoxConnection", "pve").await;
    groups(&world, "g", 24).await;
    world.until("the first is in the midst of it", async || (writers(&world.pve).len() >= 3).then_some(())).await;
    first.signal("-STOP");
    let frozen = first.log().len();
    second.until_it_holds(&world, 1).await;
    world.until("the second writes", async || writers(&world.pve).iter().any(|it| it == "second").then_some(())).await;
    first.signal("-CONT");
    groups_ready(&world, "g", 24).await;
    first.until_it_holds(&world, 0).await;
    let writers = writers(&world.pve);
    let begun = writers.iter().position(|writer| writer == "second").expect("the second wrote");
    let late = writers[begun..].iter().filter(|writer| *writer == "first").count();
    assert!(late <= 1, "{late} writes of the frozen one after the second began: {writers:?}");
    // Whatever it had begun took longer than others waited for it.
    let log = first.log();
    let durations = write_durations(&log[frozen..]);
    assert!(
        durations.iter().all(|seconds| *seconds > LEASE.as_secs_f64() / 2.0),
        "it began another one: {durations:?}"
    );
    assert!(first.log()[frozen..].contains("this replica has lost a shard"), "it tells that it lost its lease");

    // It did not end, and leads again when it must.
    second.signal("-TERM");
    first.until_it_holds(&world, 1).await;
    world.object("ProxmoxGroup", "last", "").await;
    world.ready("ProxmoxGroup", "last").await;
}

#[tokio::test]
async fn a_leader_that_ends_finishes_its_step_and_hands_over_at_once() {
    let slow = Options { time_scale: 0.02, write_latency: Duration::from_millis(200), ..Options::default() };
    let world = World::with(slow).await;
    let (mut first, second) = two(&world, &["--lease-duration=60s"]).await;
    world.connect().await;
    groups(&world, "g", 12).await;
    world.until("the first is in the midst of it", async || (writers(&world.pve).len() >= 2).then_some(())).await;
    first.signal("-TERM");
    let told = Instant::now();
    second.until_it_holds(&world, 1).await;
    assert!(told.elapsed() < Duration::from_secs(30), "sooner than the lease can run out: {:?}", told.elapsed());
    world.until("the first ends", async || first.process.has_ended().expect("a state").then_some(())).await;
    groups_ready(&world, "g", 12).await;
    let (writers, holders) = (writers(&world.pve), leases(&world).await);
    assert_eq!(writers.len(), 12, "each group is made once: {writers:?}");
    assert!(writers.is_sorted(), "first the one, then the other: {writers:?}");
    assert_eq!(holders.len(), 2, "it has taken its Lease along: {holders:?}");
}

#[tokio::test]
async fn what_the_former_leader_made_stays_owned_by_its_objects() {
    // The next one sees everything late: it must not begin with what it has seen by then.
    let world = World::new().await;
    let first = Replica::start(&world, "first", &[]);
    first.until_it_holds(&world, 1).await;
    let late = format!("KUBECONFIG={} PROXMOX_IDENTITY_WATCH_LAG_MS=1500", world.kubeconfig().display());
    let second = Replica::start_with(&world, &late, "second", &[]);
    world.until("the second stands by", async || (leases(&world).await.len() == 3).then_some(())).await;
    world.connect().await;
    groups(&world, "g", 5).await;
    groups_ready(&world, "g", 5).await;
    first.signal("-TERM");
    second.until_it_holds(&world, 1).await;
    world.object("ProxmoxGroup", "last", "").await;
    world.ready("ProxmoxGroup", "last").await;
    for number in 0..5 {
        let name = format!("g-{number}");
        let group = world.get_object("ProxmoxGroup", &name).await.expect("a group");
        assert_eq!(group["status"]["ledger"][0]["origin"], "Created", "{name}");
    }
    assert_eq!(writers(&world.pve), ["first", "first", "first", "first", "first", "second"]);
}
