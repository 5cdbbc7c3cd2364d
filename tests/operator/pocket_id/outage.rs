//! Pocket ID that cannot be reached, refuses the key, or is not the right one.

use proxmox_identity::sim::ANY_REQUEST;
use proxmox_identity::sim::pocket_id::{Fault, FaultName};
use serde_json::json;

use super::Both;
use crate::world::condition;

const CLIENT: &str = "callbackUrls: ['https://a.example'], allowedGroups: [{group: team}]";

async fn world_with(arguments: &[&str]) -> Both {
    let world = Both::new().await;
    world.start_operator_with(&[], arguments);
    world.declare("PocketIdGroup", "team", "").await;
    world.declare("PocketIdClient", "pve", CLIENT).await;
    all_ready(&world).await;
    world.ready("PocketIdConnection", "pocket-id").await;
    world
}

async fn all_ready(world: &Both) {
    world.ready("PocketIdGroup", "team").await;
    world.ready("PocketIdClient", "pve").await;
}

async fn version(world: &Both, kind: &str, name: &str) -> String {
    world.get_object(kind, name).await.expect("an object")["metadata"]["resourceVersion"].to_string()
}

async fn set_key(world: &Both, key: &str) {
    world.patch("Secret", "pocket-id", json!({"stringData": {"key": key}})).await;
}

fn down(world: &Both) {
    world.pocket.fault(Fault {
        file: Some(ANY_REQUEST.to_owned()),
        count: u32::MAX,
        status: 503,
        ..Fault::new(FaultName::Status)
    });
}

#[tokio::test]
async fn while_pocket_id_is_away_what_is_ready_stays_so_and_what_is_new_waits() {
    let world = world_with(&[]).await;
    let before = (version(&world, "PocketIdGroup", "team").await, version(&world, "PocketIdClient", "pve").await);
    for (reason, breaks) in [("APIUnavailable", false), ("AuthenticationFailed", true)] {
        if breaks {
            set_key(&world, "another-key-of-nobody").await;
        } else {
            down(&world);
        }
        let message = world.reason("PocketIdConnection", "pocket-id", reason).await;
        assert!(!message.contains("another-key-of-nobody"), "{message}");
        world.declare("PocketIdGroup", "fresh", "").await;
        let message = world.reason("PocketIdGroup", "fresh", "ConnectionNotReady").await;
        assert!(message.contains(reason), "{message}");
        let after = (version(&world, "PocketIdGroup", "team").await, version(&world, "PocketIdClient", "pve").await);
        assert_eq!(after, before, "{reason}: nothing is said about what is ready");
        world.delete("PocketIdGroup", "fresh").await;
        world.gone("PocketIdGroup", "fresh").await;
        world.pocket.clear_faults();
        set_key(&world, world.pocket.api_key()).await;
        world.ready("PocketIdConnection", "pocket-id").await;
    }
}

#[tokio::test]
async fn after_the_deadline_what_was_ready_says_that_nobody_knows() {
    let world = world_with(&["--progress-deadline=2s"]).await;
    down(&world);
    world.reason("PocketIdGroup", "team", "ConnectionNotReady").await;
    let object = world.get_object("PocketIdGroup", "team").await.expect("an object");
    assert!(condition(&object, "Stalled").is_some(), "{object:#}");
    // What is deleted meanwhile is not given up.
    world.delete("PocketIdGroup", "team").await;
    let message = world.reason("PocketIdGroup", "team", "DeletionBlocked").await;
    assert!(message.contains("Orphan"), "{message}");
    world.pocket.clear_faults();
    world.gone("PocketIdGroup", "team").await;
    assert!(world.pocket_group("team").await.is_none());
}

#[tokio::test]
async fn a_key_that_is_missing_heals_when_it_comes() {
    let world = Both::new().await;
    world.delete("Secret", "pocket-id").await;
    world.start_operator();
    world.declare("PocketIdGroup", "team", "").await;
    let message = world.reason("PocketIdConnection", "pocket-id", "SecretNotFound").await;
    assert!(message.contains("pocket-id"), "{message}");
    world.reason("PocketIdGroup", "team", "ConnectionNotReady").await;
    world.connect_pocket_id("").await;
    world.ready("PocketIdGroup", "team").await;
}

#[tokio::test]
async fn a_server_with_another_certificate_gets_no_key() {
    let world = world_with(&[]).await;
    let wrong = vec!["00"; 32].join(":");
    world.patch("PocketIdConnection", "pocket-id", json!({"spec": {"tls": {"fingerprints": [wrong]}}})).await;
    world.reason("PocketIdConnection", "pocket-id", "CertificateMismatch").await;
    world.pocket.clear_requests();
    world.declare("PocketIdGroup", "fresh", "").await;
    world.reason("PocketIdGroup", "fresh", "ConnectionNotReady").await;
    assert!(world.pocket.requests().counts.is_empty(), "{:?}", world.pocket.requests().counts);
    world.connect_pocket_id("").await;
    world.ready("PocketIdGroup", "fresh").await;
}

/// Whoever answers at another address says nothing about what stands in Pocket ID.
#[tokio::test]
async fn at_a_wrong_address_nothing_counts_as_gone() {
    let world = world_with(&[]).await;
    let elsewhere = json!({"url": world.pve.url(), "tls": {"fingerprints": [world.pve.fingerprint()]}});
    world.patch("PocketIdConnection", "pocket-id", json!({"spec": elsewhere})).await;
    world.reason("PocketIdConnection", "pocket-id", "APIUnavailable").await;
    for (kind, name) in [("PocketIdClient", "pve"), ("PocketIdGroup", "team")] {
        world.delete(kind, name).await;
        world.reason(kind, name, "DeletionBlocked").await;
    }
    world.connect_pocket_id("").await;
    for (kind, name) in [("PocketIdClient", "pve"), ("PocketIdGroup", "team")] {
        world.gone(kind, name).await;
    }
    assert!(world.pocket_client("pve").await.is_none() && world.pocket_group("team").await.is_none());
}
