//! Whatever objects say stands in Proxmox VE, nothing else changes there, and nothing of it is left when they go.

mod between;
mod objects;
mod random;
mod seen;

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use futures::StreamExt as _;

use crate::kinds::all;
use crate::kinds::bench::flow;
use crate::world::World;
use objects::{Made, objects};
use random::Random;
use seen::{lines, lists};

/// Rounds are told apart by their number; those of one world follow each other.
const WORLDS: u64 = 6;
const ROUNDS: u64 = 5;

#[tokio::test]
async fn random_objects_of_all_kinds_come_stay_and_go_without_a_trace() {
    let seed = std::env::var("ROUND_TRIP_SEED").map_or_else(|_| fresh(), |text| text.parse().expect("a number"));
    println!("ROUND_TRIP_SEED={seed}");
    let worlds = futures::stream::iter(0..WORLDS).map(async |number| {
        let world = world().await;
        let mut random = Random::new(seed.wrapping_add(number));
        let mut kinds = BTreeSet::new();
        for round in 0..ROUNDS {
            kinds.extend(round_trip(&world, &mut random, round).await);
        }
        kinds
    });
    let kinds: BTreeSet<&str> = worlds.buffer_unordered(6).collect::<Vec<_>>().await.into_iter().flatten().collect();
    assert_eq!(kinds, all().iter().map(|table| table.kind).collect(), "every kind took part");
}

fn fresh() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs()
}

/// A world in which things stand that are not the operator's business.
async fn world() -> World {
    let world = World::new().await;
    for (method, path, form) in [
        ("POST", "/access/groups", [("groupid", "staff"), ("comment", "theirs")].as_slice()),
        ("POST", "/access/users", &[("userid", "svc@pve"), ("groups", "staff")]),
        ("POST", "/access/users/svc@pve/token/theirs", &[("privsep", "0")]),
        ("POST", "/access/roles", &[("roleid", "Theirs"), ("privs", "VM.Audit")]),
        ("POST", "/pools", &[("poolid", "theirs")]),
        ("PUT", "/pools", &[("poolid", "theirs"), ("vms", "119"), ("storage", "local")]),
        // With its first write the file gets sections for the built-in realms, which stay.
        ("PUT", "/access/domains/pve", &[("comment", "theirs")]),
        ("PUT", "/access/acl", &[("path", "/storage"), ("groups", "staff"), ("roles", "Theirs")]),
        ("PUT", "/access/acl", &[("path", "/vms"), ("users", "svc@pve"), ("roles", "PVEVMUser")]),
    ] {
        world.pve_call(method, path, form).await;
    }
    world.start_operator().connect().await;
    world
}

/// Answers with the kinds that took part.
async fn round_trip(world: &World, random: &mut Random, round: u64) -> BTreeSet<&'static str> {
    let (before, lists_before) = (lines(world).await, lists(world).await);
    let objects = objects(random, round);
    for Made { kind, name, spec, stands: _ } in &objects {
        world.object(kind, name, &flow(spec)).await;
    }
    let claimed = objects.iter().flat_map(|made| made.stands.iter().cloned());
    let expected: BTreeSet<String> = before.into_iter().chain(claimed).collect();
    settles(world, &objects, &expected).await;
    if random.one_in(2) {
        damage(world, random, &objects).await;
        settles(world, &objects, &expected).await;
    }
    // What was healed stands in Proxmox VE a moment before the status tells it.
    world.passes(2).await;
    let settled = (world.pve_writes(), as_they_are(world, &objects).await);
    world.passes(2).await;
    let after = (world.pve_writes(), as_they_are(world, &objects).await);
    assert_eq!(after.0, settled.0, "a second pass writes nothing");
    for (after, settled) in after.1.iter().zip(&settled.1) {
        assert_eq!(after, settled, "a second pass changes no object");
    }

    for Made { kind, name, .. } in &objects {
        world.delete(kind, name).await;
    }
    for Made { kind, name, .. } in &objects {
        world.gone(kind, name).await;
    }
    for (after, before) in lists(world).await.iter().zip(&lists_before) {
        assert_eq!(after.to_string(), before.to_string());
    }
    objects.iter().map(|made| made.kind).collect()
}

/// Waits until all is ready and as expected.
async fn settles(world: &World, objects: &[Made], expected: &BTreeSet<String>) {
    let settled = async || {
        for Made { kind, name, .. } in objects {
            world.ready(kind, name).await;
        }
        let stands = lines(world).await;
        let missing: Vec<_> = expected.difference(&stands).collect();
        let surplus: Vec<_> = stands.difference(expected).collect();
        let all = missing.is_empty() && surplus.is_empty();
        if all { Ok(()) } else { Err(format!("missing {missing:#?}, surplus {surplus:#?}")) }
    };
    world.until_or("all stands as it should", settled).await;
}

/// Removes some things by hand, with all that Proxmox VE drops along with them.
async fn damage(world: &World, random: &mut Random, objects: &[Made]) {
    for Made { kind, name, .. } in random.some(objects) {
        let object = world.get_object(kind, name).await.expect("an object");
        let id = object["status"]["externalId"].as_str().expect("an id");
        let path = match *kind {
            "ProxmoxGroup" => format!("/access/groups/{id}"),
            "ProxmoxRole" => format!("/access/roles/{id}"),
            "ProxmoxUser" => format!("/access/users/{id}"),
            _ => continue,
        };
        world.pve_call("DELETE", &path, &[]).await;
    }
}

/// The objects with their statuses and resource versions.
async fn as_they_are(world: &World, objects: &[Made]) -> Vec<String> {
    let mut all = Vec::new();
    for Made { kind, name, .. } in objects {
        let object = world.get_object(kind, name).await.expect("an object");
        all.push(format!("{object:#}"));
    }
    all
}
