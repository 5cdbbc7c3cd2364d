//! How many requests it takes, at the limits of Pocket ID before 2.10: 100 at once, then one a second.

use std::fmt::Write as _;

use proxmox_identity::sim::pocket_id::{Options, Release};
use serde_json::{Value, json};

use super::Both;

const GROUPS: usize = 200;
const CLIENTS: usize = 50;

/// A manifest of an object of Pocket ID.
fn manifest(kind: &str, name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: proxmox-identity.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\n\
         spec: {{connectionRef: {{name: pocket-id}}, {spec}}}\n"
    )
}

fn manifests(groups: usize, clients: usize) -> String {
    let mut manifests = String::new();
    for number in 0..groups {
        let spec = format!("members: [user-{}]", number % 20);
        let _ = write!(manifests, "{}", manifest("PocketIdGroup", &format!("group-{number}"), &spec));
    }
    for number in 0..clients {
        let spec = format!(
            "callbackUrls: ['https://a.example'], allowedGroups: [{{groupRef: {{name: group-{}}}}}]",
            number % groups
        );
        let _ = write!(manifests, "{}", manifest("PocketIdClient", &format!("client-{number}"), &spec));
    }
    manifests
}

fn add_users(world: &Both) -> Vec<String> {
    (0..20).map(|number| world.pocket.add_user(&format!("user-{number}"), &[]).expect("a user")).collect()
}

/// The same made by hand, so that it is there at once.
async fn make_by_hand(world: &Both) {
    let users = add_users(world);
    let mut groups = Vec::new();
    for number in 0..GROUPS {
        let id = world.group_by_hand(&format!("group-{number}")).await;
        world.pocket_put(&format!("/api/user-groups/{id}/users"), json!({"userIds": [users[number % 20]]})).await;
        groups.push(id);
    }
    for number in 0..CLIENTS {
        let id = format!("client-{number}");
        let body = json!({"id": id, "name": id, "callbackURLs": ["https://a.example"], "pkceEnabled": true, "isGroupRestricted": true});
        world.pocket_post("/api/oidc/clients", body).await;
        let path = format!("/api/oidc/clients/{id}/allowed-user-groups");
        world.pocket_put(&path, json!({"userGroupIds": [groups[number % GROUPS]]})).await;
    }
}

/// What each object's status was last written as.
async fn versions(world: &Both) -> Vec<String> {
    let mut versions = Vec::new();
    for kind in ["PocketIdConnection", "PocketIdGroup", "PocketIdClient"] {
        let list = world.api(kind).list(&kube::api::ListParams::default()).await.expect("a list");
        versions.extend(
            list.items.into_iter().map(|it| format!("{:?} {:?}", it.metadata.name, it.metadata.resource_version)),
        );
    }
    versions
}

async fn count_ready(world: &Both, kind: &str) -> usize {
    let list = world.api(kind).list(&kube::api::ListParams::default()).await.expect("a list");
    let is_ready = |object: &kube::api::DynamicObject| {
        let ready = |it: &Value| it["type"] == "Ready" && it["status"] == "True";
        object.data["status"]["conditions"].as_array().is_some_and(|all| all.iter().any(ready))
    };
    list.items.iter().filter(|object| is_ready(object)).count()
}

async fn all_ready(world: &Both, groups: usize, clients: usize) {
    world
        .until("all are ready", async || {
            let ready = (count_ready(world, "PocketIdGroup").await, count_ready(world, "PocketIdClient").await);
            (ready == (groups, clients)).then_some(())
        })
        .await;
}

#[tokio::test]
async fn two_hundred_groups_and_fifty_clients_cost_a_fraction_of_the_limit_and_no_write() {
    let world = Both::of(Release::V2_9).await;
    make_by_hand(&world).await;
    world.apply(&manifests(GROUPS, CLIENTS)).await;
    world.pocket.clear_requests();
    world.start_operator();
    all_ready(&world, GROUPS, CLIENTS).await;
    println!("{GROUPS} groups and {CLIENTS} clients were taken over with {} requests", requests(&world));
    world.pocket_passes(1).await;
    let before = versions(&world).await;
    for what in ["the same process", "a new process"] {
        if what == "a new process" {
            world.start_operator();
            world.pocket_passes(1).await;
        }
        world.pocket.clear_requests();
        world.pocket_passes(4).await;
        // Give or take a pass under way.
        let passes = world.pocket.requests().count("GET", "/api/version/current");
        let each = requests(&world).div_ceil(passes);
        println!("{what}: {} requests in {passes} passes, {each} each", requests(&world));
        // With the default interval of a minute that many are sent in a minute, of 60 that are allowed.
        assert!(each <= 20, "{what}: {:?}", world.pocket.requests().counts);
        assert_eq!(world.pocket_writes(), 0, "{what}");
        assert_eq!(versions(&world).await, before, "{what}: no status is written");
    }
}

fn requests(world: &Both) -> u64 {
    world.pocket.requests().counts.iter().map(|it| it.count).sum()
}

#[tokio::test]
async fn what_is_more_than_the_burst_is_made_without_one_refusal() {
    const FEW_GROUPS: usize = 32;
    const FEW_CLIENTS: usize = 10;
    // It would refuse the 101st request of a moment, if it came.
    let options = Options { limit_loopback: true, time_scale: 0.9, ..Options::default() };
    let world = Both::with(options).await;
    world.resync("PocketIdConnection/pocket-id", "10m").await;
    add_users(&world);
    world.apply(&manifests(FEW_GROUPS, FEW_CLIENTS)).await;
    let begun = std::time::Instant::now();
    world.start_operator();
    all_ready(&world, FEW_GROUPS, FEW_CLIENTS).await;
    let counts = world.pocket.requests().counts;
    let (refused, writes) = (counts.iter().filter(|it| it.status == 429).count(), world.pocket_writes());
    println!("{} requests, {writes} of them writes, in {:?}", requests(&world), begun.elapsed());
    assert_eq!(refused, 0, "{counts:?}");
    let each_once = 2 * FEW_GROUPS + 3 * FEW_CLIENTS;
    assert_eq!(usize::try_from(writes), Ok(each_once), "{counts:?}");
    assert!(requests(&world) > 100, "more than the burst");
}
