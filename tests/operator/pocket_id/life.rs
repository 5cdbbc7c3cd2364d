//! Objects that only look, wait, stay, lose their Secret, or share a thing.

use std::time::Duration;

use proxmox_identity::sim::pocket_id::Release;
use serde_json::{Value, json};

use super::Both;
use crate::world::condition;

const ADDRESS: &str = "callbackUrls: ['https://a.example']";

async fn open(world: &Both, client: &str) {
    let body = json!({"name": client, "callbackURLs": ["https://a.example"], "isGroupRestricted": false});
    world.pocket_put(&format!("/api/oidc/clients/{client}"), body).await;
}

async fn is_open(world: &Both, client: &str) -> bool {
    world.pocket_client(client).await.expect("a client")["isGroupRestricted"] == false
}

async fn secret_status(world: &Both, name: &str) -> Value {
    world.get_object("PocketIdClient", name).await.expect("an object")["status"]["clientSecret"].clone()
}

#[tokio::test]
async fn who_observes_says_what_differs_and_writes_nothing() {
    let world = Both::new().await;
    world.group_by_hand("team").await;
    world
        .pocket_post("/api/oidc/clients", json!({"id": "pve", "name": "pve", "callbackURLs": ["https://b.example"]}))
        .await;
    let before = world.pocket_writes();
    world.start_operator();
    world.declare("PocketIdGroup", "team", "managementPolicy: Observe, friendlyName: From Git").await;
    world.declare("PocketIdClient", "pve", &format!("managementPolicy: Observe, {ADDRESS}")).await;
    world.declare("PocketIdClient", "absent", &format!("managementPolicy: Observe, {ADDRESS}")).await;
    let all = [("PocketIdGroup", "team"), ("PocketIdClient", "pve"), ("PocketIdClient", "absent")];
    for (kind, name) in all {
        world.reason(kind, name, "Observed").await;
        let object = world.get_object(kind, name).await.expect("an object");
        assert!(condition(&object, "Drifted").is_some(), "{object:#}");
    }
    for (kind, name) in all {
        world.delete(kind, name).await;
        world.gone(kind, name).await;
    }
    assert_eq!(world.pocket_writes(), before);
    assert!(world.get_object("Secret", "pve").await.is_none(), "and there is no Secret");
}

#[tokio::test]
async fn what_is_suspended_is_left_alone_and_its_deletion_waits() {
    let world = Both::new().await;
    world.start_operator();
    world.declare("PocketIdClient", "pve", ADDRESS).await;
    world.ready("PocketIdClient", "pve").await;
    world.declare("PocketIdClient", "pve", &format!("suspend: true, {ADDRESS}")).await;
    world.reason("PocketIdClient", "pve", "Suspended").await;
    open(&world, "pve").await;
    world.pocket_passes(2).await;
    assert!(is_open(&world, "pve").await, "nothing is corrected");
    world.delete("PocketIdClient", "pve").await;
    world.reason("PocketIdClient", "pve", "DeletionBlocked").await;
    assert!(world.pocket_client("pve").await.is_some());
    world.patch("PocketIdClient", "pve", json!({"spec": {"suspend": false}})).await;
    world.gone("PocketIdClient", "pve").await;
    assert!(world.pocket_client("pve").await.is_none());
}

#[tokio::test]
async fn a_suspended_connection_sends_nothing_at_all() {
    let world = Both::new().await;
    world.start_operator();
    world.declare("PocketIdClient", "pve", ADDRESS).await;
    world.ready("PocketIdClient", "pve").await;
    world.patch("PocketIdConnection", "pocket-id", json!({"spec": {"suspend": true}})).await;
    world.reason("PocketIdConnection", "pocket-id", "Suspended").await;
    world.reason("PocketIdClient", "pve", "Suspended").await;
    world.pocket.clear_requests();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(world.pocket.requests().counts.is_empty());
    world.patch("PocketIdConnection", "pocket-id", json!({"spec": {"suspend": false}})).await;
    world.ready("PocketIdClient", "pve").await;
}

#[tokio::test]
async fn what_is_orphaned_stays_as_it_is_with_its_secret() {
    let world = Both::new().await;
    world.pocket.add_user("alice", &[]).expect("a user");
    world.start_operator();
    world.declare("PocketIdGroup", "team", "deletionPolicy: Orphan, members: [alice]").await;
    let spec = format!("deletionPolicy: Orphan, {ADDRESS}, allowedGroups: [{{groupRef: {{name: team}}}}]");
    world.declare("PocketIdClient", "pve", &spec).await;
    let all = [("PocketIdClient", "pve"), ("PocketIdGroup", "team")];
    for (kind, name) in all {
        world.ready(kind, name).await;
    }
    let secret = world.value("pve", "clientSecret").await.expect("a secret");
    for (kind, name) in all {
        world.delete(kind, name).await;
        world.gone(kind, name).await;
    }
    assert_eq!(world.lets_in("pve").await, ["team"]);
    assert_eq!(world.members("team").await, ["alice"]);
    assert!(world.takes("pve", &secret).await);
    let kept = world.get_object("Secret", "pve").await.expect("a Secret");
    assert!(kept["metadata"]["ownerReferences"].as_array().is_none_or(Vec::is_empty), "nobody collects it");
}

#[tokio::test]
async fn a_lost_secret_is_told_or_made_up_for() {
    let world = Both::of(Release::V2_14).await;
    world.start_operator();
    world.declare("PocketIdClient", "pve", ADDRESS).await;
    world.ready("PocketIdClient", "pve").await;
    let old = world.value("pve", "clientSecret").await.expect("a secret");
    world.delete("Secret", "pve").await;
    let message = world.reason("PocketIdClient", "pve", "SecretLost").await;
    assert!(message.contains("rotate-requested-at"), "{message}");
    world.pocket_passes(2).await;
    assert!(world.takes("pve", &old).await, "it may still be somewhere");
    world
        .declare("PocketIdClient", "pve", &format!("{ADDRESS}, rotation: {{onLostSecret: Rotate, overlap: 10s}}"))
        .await;
    world.ready("PocketIdClient", "pve").await;
    let new = world.value("pve", "clientSecret").await.expect("a secret");
    assert!(world.takes("pve", &new).await && new != old);
    world.until("the lost one ends", async || (!world.takes("pve", &old).await).then_some(())).await;
}

#[tokio::test]
async fn under_another_name_the_secret_is_the_same_and_former_ones_still_end() {
    let world = Both::of(Release::V2_14).await;
    world.start_operator();
    let spec = |name: &str, overlap: &str| {
        format!("{ADDRESS}, secretTemplate: {{name: {name}}}, rotation: {{overlap: {overlap}}}")
    };
    world.declare("PocketIdClient", "pve", &spec("first", "1h")).await;
    world.ready("PocketIdClient", "pve").await;
    let old = world.value("first", "clientSecret").await.expect("a secret");
    world.rotate("pve", "now").await;
    let new = world.value("first", "clientSecret").await.expect("a secret");
    world.declare("PocketIdClient", "pve", &spec("second", "1h")).await;
    world.ready("PocketIdClient", "pve").await;
    assert_eq!(world.value("second", "clientSecret").await, Some(new.clone()));
    assert_eq!(world.value("first", "clientSecret").await, Some(new.clone()), "the former Secret is left");
    assert_eq!(secret_status(&world, "pve").await["secretName"], "second");
    assert!(world.takes("pve", &old).await, "the overlap is not over");
    world.declare("PocketIdClient", "pve", &spec("second", "10s")).await;
    world.until("the old secret ends", async || (!world.takes("pve", &old).await).then_some(())).await;
    assert!(world.takes("pve", &new).await);
}

#[tokio::test]
async fn a_connection_stays_as_long_as_its_objects() {
    let world = Both::new().await;
    world.start_operator();
    world.declare("PocketIdGroup", "team", "").await;
    world.ready("PocketIdGroup", "team").await;
    world.delete("PocketIdConnection", "pocket-id").await;
    let message = world.reason("PocketIdConnection", "pocket-id", "DeletionBlocked").await;
    assert!(message.contains("PocketIdGroup team still uses it"), "{message}");
    let id = world.pocket_group("team").await.expect("a group")["id"].as_str().expect("an id").to_owned();
    world.ask("DELETE", &format!("/api/user-groups/{id}"), None).await;
    world.until("the group is kept meanwhile", async || world.pocket_group("team").await).await;
    world.delete("PocketIdGroup", "team").await;
    world.gone("PocketIdGroup", "team").await;
    world.gone("PocketIdConnection", "pocket-id").await;
    assert!(world.pocket_group("team").await.is_none());
}

#[tokio::test]
async fn of_two_objects_for_one_client_the_second_waits_and_inherits_all_of_it() {
    let world = Both::of(Release::V2_14).await;
    world.start_operator();
    world.declare("PocketIdClient", "first", &format!("clientId: pve, {ADDRESS}")).await;
    world.ready("PocketIdClient", "first").await;
    let old = world.value("first", "clientSecret").await.expect("a secret");
    let spec = format!("clientId: pve, displayName: Second, rotation: {{overlap: 30s}}, {ADDRESS}");
    world.declare("PocketIdClient", "second", &spec).await;
    let message = world.reason("PocketIdClient", "second", "Conflict").await;
    assert!(message.contains("PocketIdClient first"), "{message}");
    assert!(world.get_object("Secret", "second").await.is_none());
    world.delete("PocketIdClient", "first").await;
    world.gone("PocketIdClient", "first").await;
    world.ready("PocketIdClient", "second").await;
    let new = world.value("second", "clientSecret").await.expect("a secret");
    assert!(world.takes("pve", &new).await && world.takes("pve", &old).await, "whoever has it comes to the new one");
    world.until("the secret of the first ends", async || (!world.takes("pve", &old).await).then_some(())).await;
    assert_eq!(world.pocket_client("pve").await.expect("a client")["name"], "Second");
    world.delete("PocketIdClient", "second").await;
    world.gone("PocketIdClient", "second").await;
    assert!(world.pocket_client("pve").await.is_none(), "what the first made goes with the second");
}
