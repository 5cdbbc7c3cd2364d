//! How many requests and writes it takes.

use std::fmt::Write as _;

use crate::world::{World, condition, manifest};

/// The requests of a resync, from several: each was made as often as the others, give or take a pass under way.
async fn requests_of_a_pass(world: &World) -> Vec<String> {
    world.passes(1).await;
    world.pve.clear_requests();
    world.passes(4).await;
    let counts = world.pve.requests().counts;
    let passes: Vec<u64> = counts.iter().map(|count| count.count).collect();
    assert!(passes.iter().all(|count| (3..=5).contains(count)), "{counts:?}");
    let mut requests: Vec<String> = counts.iter().map(|count| format!("{} {}", count.method, count.path)).collect();
    requests.sort();
    requests
}

async fn versions(world: &World, kinds: &[(&str, &str)]) -> Vec<String> {
    let mut versions = Vec::new();
    for (kind, name) in kinds {
        let object = world.get_object(kind, name).await.expect("an object");
        versions.push(object["metadata"]["resourceVersion"].to_string());
    }
    versions
}

#[tokio::test]
async fn a_second_pass_writes_nothing_anywhere() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "comment: '0'").await;
    world.object("ProxmoxPool", "p", "comment: ' padded '").await;
    world.object("ProxmoxRealm", "r", "realm: PocketID, openid: {issuerUrl: 'https://id.example.com', clientId: c, scopes: [openid, groups]}, default: true").await;
    world.object("ProxmoxRealm", "pam", "pam: {}, comment: ''").await;
    world.object("ProxmoxAcl", "a", "path: /vms, roles: [{role: PVEVMUser}], subjects: [{group: g}]").await;
    let all = [
        ("ProxmoxGroup", "g"),
        ("ProxmoxPool", "p"),
        ("ProxmoxRealm", "r"),
        ("ProxmoxRealm", "pam"),
        ("ProxmoxAcl", "a"),
    ];
    for (kind, name) in all {
        world.ready(kind, name).await;
    }
    world.ready("ProxmoxConnection", "pve").await;
    // What is worth knowing of a realm is told a moment later.
    world
        .until("the issuer was asked for", async || {
            condition(&world.get_object("ProxmoxRealm", "r").await?, "Warning").map(drop)
        })
        .await;
    world.passes(2).await;
    let (writes, before) = (world.pve_writes(), versions(&world, &all).await);
    let connection = versions(&world, &[("ProxmoxConnection", "pve")]).await;
    world.passes(5).await;
    assert_eq!(world.pve_writes(), writes);
    assert_eq!(versions(&world, &all).await, before);
    assert_eq!(versions(&world, &[("ProxmoxConnection", "pve")]).await, connection);
    // Also a new process finds nothing to write.
    world.start_operator();
    world.passes(3).await;
    assert_eq!(world.pve_writes(), writes);
    assert_eq!(versions(&world, &all).await, before);
}

#[tokio::test]
async fn a_thousand_entries_are_a_hundred_requests_and_a_resync_costs_the_same_as_of_one() {
    let world = World::new().await;
    let mut manifests = String::new();
    for group in 0..10 {
        let _ = write!(manifests, "---\n{}", manifest("ProxmoxGroup", &format!("g{group}"), ""));
    }
    world.connect().await.apply(&manifests).await;
    world.start_operator();
    for group in 0..10 {
        world.ready("ProxmoxGroup", &format!("g{group}")).await;
    }
    let few = requests_of_a_pass(&world).await;
    world.kill_operator();

    manifests.clear();
    for path in 100..200 {
        for group in 0..10 {
            let spec = format!(
                "path: /vms/{path}, roles: [{{role: PVEVMUser}}], subjects: [{{groupRef: {{name: g{group}}}}}]"
            );
            let _ = write!(manifests, "---\n{}", manifest("ProxmoxAcl", &format!("vm{path}-g{group}"), &spec));
        }
    }
    world.apply(&manifests).await;
    world.pve.clear_requests();
    world.start_operator();
    world.until("all entries stand", async || (world.acl().await.len() == 1000).then_some(())).await;
    world.ready("ProxmoxAcl", "vm199-g9").await;
    world.ready("ProxmoxAcl", "vm100-g0").await;
    assert_eq!(world.pve.requests().count("PUT", "/access/acl"), 100);
    let many = requests_of_a_pass(&world).await;
    assert_eq!(few, many, "10 objects and 1,010");
    assert_eq!(many.len(), 9, "{many:?}");
    world.ready("ProxmoxAcl", "vm150-g5").await;
}

#[tokio::test]
async fn what_is_made_is_seen_to_stand_in_the_same_pass() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.resync_each("1h").await;
    world.object("ProxmoxGroup", "first", "").await;
    world.ready("ProxmoxGroup", "first").await;
    for (change, spec) in [("made", ""), ("changed", "comment: changed")] {
        // A pass begins with the certificates, and a look with the permissions.
        world.pve.clear_requests();
        world.object("ProxmoxGroup", "second", spec).await;
        world.ready("ProxmoxGroup", "second").await;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let requests = world.pve.requests();
        let (passes, looks) =
            (requests.count("GET", "/nodes/localhost/certificates/info"), requests.count("GET", "/access/permissions"));
        assert_eq!((passes, looks), (1, 2), "{change}: {:?}", requests.counts);
    }
}
