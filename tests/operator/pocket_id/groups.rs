//! User groups and their members.

use serde_json::json;

use super::Both;
use crate::world::condition;

#[tokio::test]
async fn a_group_is_made_filled_kept_and_removed() {
    let world = Both::new().await;
    world.pocket.add_user("alice", &[]).expect("a user");
    world.start_operator();
    let spec = "friendlyName: Proxmox Admins, members: [alice, bob], customClaims: {tier: gold}";
    world.declare("PocketIdGroup", "pve-admins", spec).await;
    let message = world.reason("PocketIdGroup", "pve-admins", "DependencyNotReady").await;
    assert!(message.contains("bob"), "{message}");
    world.until("who is there is in", async || (world.members("pve-admins").await == ["alice"]).then_some(())).await;
    world.pocket.add_user("bob", &[]).expect("a user");
    world.ready("PocketIdGroup", "pve-admins").await;
    assert_eq!(world.members("pve-admins").await, ["alice", "bob"]);
    let group = world.pocket_group("pve-admins").await.expect("a group");
    assert_eq!(group["friendlyName"], "Proxmox Admins");
    assert_eq!(group["customClaims"], json!([{"key": "tier", "value": "gold"}]));
    let object = world.get_object("PocketIdGroup", "pve-admins").await.expect("an object");
    assert_eq!(object["status"]["externalId"], group["id"]);
    // Renamed by hand: it is the same group all the same.
    let id = group["id"].as_str().expect("an id");
    world.pocket_put(&format!("/api/user-groups/{id}"), json!({"name": "other", "friendlyName": "Other"})).await;
    world
        .until("the group has its names again", async || {
            let group = world.pocket_group("pve-admins").await?;
            (group["id"] == id && group["friendlyName"] == "Proxmox Admins").then_some(())
        })
        .await;
    world.told("pve-admins", "DriftCorrected", &[]).await;
    world.delete("PocketIdGroup", "pve-admins").await;
    world.gone("PocketIdGroup", "pve-admins").await;
    assert!(world.pocket_group("pve-admins").await.is_none());
    world.delete("PocketIdConnection", "pocket-id").await;
    world.gone("PocketIdConnection", "pocket-id").await;
}

#[tokio::test]
async fn members_follow_the_policy() {
    let world = Both::new().await;
    let id = world.group_by_hand("team").await;
    let alice = world.pocket.add_user("alice", &["team"]).expect("a user");
    for name in ["bob", "carol"] {
        world.pocket.add_user(name, &[]).expect("a user");
    }
    world.start_operator();
    world.declare("PocketIdGroup", "team", "adoptionPolicy: Always, members: [bob]").await;
    world.ready("PocketIdGroup", "team").await;
    assert_eq!(world.members("team").await, ["alice", "bob"], "others stay");
    world.declare("PocketIdGroup", "team", "adoptionPolicy: Always, members: [carol]").await;
    world.ready("PocketIdGroup", "team").await;
    assert_eq!(world.members("team").await, ["alice", "carol"], "who is not named any more goes");
    world.declare("PocketIdGroup", "team", "adoptionPolicy: Always, members: [carol], membershipPolicy: Exact").await;
    world.ready("PocketIdGroup", "team").await;
    assert_eq!(world.members("team").await, ["carol"]);
    world.pocket_put(&format!("/api/user-groups/{id}/users"), json!({"userIds": [alice]})).await;
    world.until("drift is healed", async || (world.members("team").await == ["carol"]).then_some(())).await;
    world.delete("PocketIdGroup", "team").await;
    world.gone("PocketIdGroup", "team").await;
    assert_eq!(world.members("team").await, Vec::<String>::new(), "what was taken over stays, without those we put in");
}

#[tokio::test]
async fn what_stands_already_is_taken_over_only_where_nothing_would_be_written() {
    let world = Both::new().await;
    world.group_by_hand("same").await;
    world.group_by_hand("other").await;
    world.start_operator();
    world.declare("PocketIdGroup", "same", "friendlyName: By hand").await;
    world.ready("PocketIdGroup", "same").await;
    world.declare("PocketIdGroup", "other", "friendlyName: From Git").await;
    let message = world.reason("PocketIdGroup", "other", "AlreadyExists").await;
    assert!(message.contains("friendlyName"), "{message}");
    let object = world.get_object("PocketIdGroup", "other").await.expect("an object");
    assert!(condition(&object, "Stalled").is_some());
    for name in ["same", "other"] {
        world.delete("PocketIdGroup", name).await;
        world.gone("PocketIdGroup", name).await;
        assert!(world.pocket_group(name).await.is_some(), "{name} is not ours to delete");
    }
    assert_eq!(world.pocket_writes(), 2, "only those of this test");
}

#[tokio::test]
async fn two_objects_for_one_group_are_a_conflict_and_the_second_takes_over_when_the_first_goes() {
    let world = Both::new().await;
    world.start_operator();
    world.declare("PocketIdGroup", "first", "groupName: team").await;
    world.ready("PocketIdGroup", "first").await;
    world.declare("PocketIdGroup", "second", "groupName: team").await;
    let message = world.reason("PocketIdGroup", "second", "Conflict").await;
    assert!(message.contains("PocketIdGroup first"), "{message}");
    let id = world.pocket_group("team").await.expect("a group")["id"].clone();
    world.delete("PocketIdGroup", "first").await;
    world.gone("PocketIdGroup", "first").await;
    world.ready("PocketIdGroup", "second").await;
    assert_eq!(world.pocket_group("team").await.expect("a group")["id"], id, "it is the same group");
}
