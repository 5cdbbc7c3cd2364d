//! What stands in Proxmox VE after somebody signed in.

use std::collections::BTreeSet;

use proxmox_identity::sim::browser::{SignedIn, TurnedAway};
use serde_json::json;

use crate::world::World;

fn groups(seen: Result<SignedIn, TurnedAway>) -> BTreeSet<String> {
    seen.expect("in").groups
}

fn ids<const N: usize>(ids: [&str; N]) -> BTreeSet<String> {
    ids.map(str::to_owned).into()
}

#[tokio::test]
async fn a_first_sign_in_makes_the_user_with_the_rights_of_its_group() {
    let world = World::new().await;
    world.realm("oid", &[]).await;
    let acl = [("path", "/vms/100"), ("groups", "proxmox_users-oid"), ("roles", "PVEVMUser")];
    world.pve("PUT", "/access/acl", &acl).await;
    let ann = world.sign_in("oid", "ann").await.expect("in");
    let role = world.pve("GET", "/access/roles/PVEVMUser", &[]).await;
    let privileges: BTreeSet<String> = role.as_object().expect("privileges").keys().cloned().collect();
    assert_eq!(ann.permissions.get("/vms/100"), Some(&privileges));
    assert_eq!(ann.permissions.get("/vms"), None);
    let user = world.pve("GET", "/access/users/ann@oid", &[]).await;
    assert_eq!((&user["email"], &user["firstname"]), (&json!("ann@example.com"), &json!("ann")));
    assert_eq!(
        (&user["enable"], &user["expire"], &user["groups"]),
        (&json!(1), &json!(0), &json!(["proxmox_users-oid"]))
    );
}

#[tokio::test]
async fn the_claim_replaces_memberships_only_where_the_realm_says_so() {
    let world = World::new().await;
    world.pve("POST", "/access/groups", &[("groupid", "hand-made")]).await;
    for (realm, overwrite, expected) in [
        ("keeps", "0", ids(["hand-made", "proxmox_users-keeps"])),
        ("overwrites", "1", ids(["proxmox_users-overwrites"])),
    ] {
        world.realm(realm, &[("groups-overwrite", overwrite)]).await;
        let user = format!("ann@{realm}");
        world.pve("POST", "/access/users", &[("userid", &user), ("groups", "hand-made")]).await;
        assert_eq!(groups(world.sign_in(realm, "ann").await), expected);
    }
}

#[tokio::test]
async fn groups_that_do_not_exist_are_made_only_where_the_realm_says_so() {
    let world = World::new().await;
    for (realm, autocreate, expected) in [("waits", "0", ids([])), ("makes", "1", ids(["proxmox_users-makes"]))] {
        world.realm(realm, &[("groups-autocreate", autocreate)]).await;
        world.pve("DELETE", &format!("/access/groups/proxmox_users-{realm}"), &[]).await;
        assert_eq!(groups(world.sign_in(realm, "ann").await), expected);
    }
}

#[tokio::test]
async fn who_left_a_group_at_pocket_id_leaves_it_at_the_next_sign_in() {
    let world = World::new().await;
    world.realm("oid", &[("groups-overwrite", "1")]).await;
    assert_eq!(groups(world.sign_in("oid", "cem").await), ids(["proxmox_users-oid"]));
    let found = world.pocket_id("GET", "/api/user-groups?search=proxmox_users", json!({})).await;
    let path = format!("/api/user-groups/{}/users", found["data"][0]["id"].as_str().expect("an id"));
    world.pocket_id("PUT", &path, json!({ "userIds": [] })).await;
    assert_eq!(groups(world.sign_in("oid", "cem").await), ids([]));
}

#[tokio::test]
async fn users_get_in_only_while_they_are_active() {
    let world = World::new().await;
    world.realm("oid", &[("autocreate", "0")]).await;
    assert!(matches!(world.sign_in("oid", "ann").await, Err(TurnedAway::Refused)), "unknown");
    world.pve("POST", "/access/users", &[("userid", "ann@oid")]).await;
    for (what, change, gets_in) in [
        ("known", ("comment", "known"), true),
        ("disabled", ("enable", "0"), false),
        ("enabled again", ("enable", "1"), true),
        ("expired", ("expire", "1"), false),
        ("expiring later", ("expire", "4000000000"), true),
    ] {
        world.pve("PUT", "/access/users/ann@oid", &[change]).await;
        let seen = world.sign_in("oid", "ann").await;
        assert_eq!(seen.is_ok(), gets_in, "{what}: {seen:?}");
        assert!(gets_in || matches!(seen, Err(TurnedAway::Refused)), "{what}: {seen:?}");
    }
}
