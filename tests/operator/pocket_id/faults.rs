//! Requests that fail or whose answers are lost, at every kind of write.

use futures::StreamExt;
use proxmox_identity::sim::pocket_id::{Fault, FaultName, Release};
use serde_json::json;

use super::Both;

/// What is written for a group with members and a client, as the simulator names it.
const FILES: [&str; 6] = ["groups", "claims", "members", "clients", "allowed-groups", "secrets"];

/// So many worlds at once.
const AT_ONCE: usize = 4;

/// What goes wrong, each with the next write to each file.
fn faults() -> [(&'static str, Fault); 6] {
    let fault = Fault::new;
    [
        ("the answer is lost", fault(FaultName::Cut)),
        ("the request is lost", Fault { before: true, ..fault(FaultName::Cut) }),
        ("a proxy fails", fault(FaultName::Status)),
        ("an inner error", Fault { status: 500, ..fault(FaultName::Status) }),
        ("too many requests", Fault { status: 429, ..fault(FaultName::Status) }),
        ("no such page", Fault { status: 404, ..fault(FaultName::Status) }),
    ]
}

fn set(world: &Both, fault: &Fault) {
    for file in FILES {
        world.pocket.fault(Fault { file: Some(file.to_owned()), ..fault.clone() });
    }
}

async fn total(world: &Both, list: &str) -> u64 {
    world.pocket_get(list).await["pagination"]["totalItems"].as_u64().expect("a number")
}

/// Makes, changes and removes a group and a client while each kind of write fails once.
async fn life(release: Release, what: &str, fault: &Fault) {
    let world = Both::of(release).await;
    for name in ["alice", "bob"] {
        world.pocket.add_user(name, &[]).expect("a user");
    }
    world.start_operator();
    set(&world, fault);
    world.declare("PocketIdGroup", "team", "members: [alice], customClaims: {a: b}").await;
    let client = |address: &str| format!("callbackUrls: ['{address}'], allowedGroups: [{{groupRef: {{name: team}}}}]");
    world.declare("PocketIdClient", "pve", &client("https://a.example")).await;
    let all = [("PocketIdGroup", "team"), ("PocketIdClient", "pve")];
    for (kind, name) in all {
        world.ready(kind, name).await;
    }
    let said = format!("{release:?}, {what}");
    let lists = ["/api/user-groups", "/api/oidc/clients"];
    assert_eq!((total(&world, lists[0]).await, total(&world, lists[1]).await), (1, 1), "{said}");
    assert_eq!(world.members("team").await, ["alice"], "{said}");
    assert_eq!(world.lets_in("pve").await, ["team"], "{said}");
    let secret = world.value("pve", "clientSecret").await.expect("a secret");
    assert!(world.takes("pve", &secret).await, "{said}");
    one_secret(&world, release, &said).await;
    world.pocket.clear_faults();

    set(&world, fault);
    world.declare("PocketIdGroup", "team", "members: [bob], customClaims: {a: c}").await;
    world.declare("PocketIdClient", "pve", &client("https://b.example")).await;
    world.rotate("pve", "now").await;
    for (kind, name) in all {
        world.ready(kind, name).await;
    }
    assert_eq!(world.members("team").await, ["bob"], "{said}");
    let group = world.pocket_group("team").await.expect("a group");
    assert_eq!(group["customClaims"], json!([{"key": "a", "value": "c"}]), "{said}");
    assert_eq!(
        world.pocket_client("pve").await.expect("a client")["callbackURLs"],
        json!(["https://b.example"]),
        "{said}"
    );
    let new = world.value("pve", "clientSecret").await.expect("a secret");
    assert!(world.takes("pve", &new).await && new != secret, "{said}");
    world.pocket.clear_faults();

    set(&world, fault);
    for (kind, name) in all {
        world.delete(kind, name).await;
    }
    for (kind, name) in all {
        world.gone(kind, name).await;
    }
    assert_eq!((total(&world, lists[0]).await, total(&world, lists[1]).await), (0, 0), "{said}");
}

/// Secrets whose answer was lost end as well.
async fn one_secret(world: &Both, release: Release, said: &str) {
    if release < Release::V2_14 {
        return;
    }
    world
        .until(&format!("one secret is left: {said}"), async || {
            let listed = world.pocket_get("/api/oidc/clients/pve/secrets").await;
            (listed.as_array().map(Vec::len) == Some(1)).then_some(())
        })
        .await;
}

#[tokio::test]
async fn whatever_fails_once_is_made_up_for_and_nothing_is_made_twice() {
    let releases = [Release::V2_9, Release::V2_14];
    let lives = releases.into_iter().flat_map(|release| faults().map(|(what, fault)| (release, what, fault)));
    let lives = futures::stream::iter(lives).map(async |(release, what, fault)| life(release, what, &fault).await);
    lives.buffer_unordered(AT_ONCE).collect::<()>().await;
}
