//! Pools and what is in them.

use crate::world::World;

async fn members(world: &World, pool: &str) -> Vec<String> {
    let pools = world.pve_find(&format!("/pools?poolid={pool}")).await.unwrap_or_default();
    let members = pools[0]["members"].as_array().into_iter().flatten();
    let mut ids: Vec<String> = members.filter_map(|member| Some(member["id"].as_str()?.to_owned())).collect();
    ids.sort();
    ids
}

async fn world() -> World {
    let world = World::new().await;
    world.start_operator().connect().await;
    world
}

#[tokio::test]
async fn three_levels_come_and_go_at_once_with_their_members_and_entries() {
    let world = world().await;
    world.object("ProxmoxGroup", "g", "").await;
    for (name, id, guest) in [("c", "a/b/c", 102), ("b", "a/b", 101), ("a", "a", 100)] {
        world
            .object("ProxmoxPool", name, &format!("poolId: {id}, members: {{guests: [{guest}], storages: [local]}}"))
            .await;
        let entry =
            format!("poolRef: {{name: {name}}}, roles: [{{role: PVEPoolUser}}], subjects: [{{groupRef: {{name: g}}}}]");
        world.object("ProxmoxAcl", name, &entry).await;
    }
    for name in ["a", "b", "c"] {
        world.ready("ProxmoxPool", name).await;
        world.ready("ProxmoxAcl", name).await;
    }
    assert_eq!(members(&world, "a%2Fb%2Fc").await, ["qemu/102", "storage/pve1/local"]);
    assert_eq!(world.acl().await.len(), 3);
    let writes = world.pve_writes();
    world.passes(2).await;
    assert_eq!(world.pve_writes(), writes);
    for name in ["a", "b", "c"] {
        world.delete("ProxmoxPool", name).await;
        world.delete("ProxmoxAcl", name).await;
    }
    for name in ["a", "b", "c"] {
        world.gone("ProxmoxPool", name).await;
        world.gone("ProxmoxAcl", name).await;
    }
    assert_eq!(world.pve_get("/pools").await.as_array().map(Vec::len), Some(0));
    assert!(world.acl().await.is_empty());
}

#[tokio::test]
async fn a_guest_that_does_not_exist_is_named_and_the_others_are_in() {
    let world = world().await;
    world.object("ProxmoxPool", "p", "members: {guests: [100, 999, 200], storages: [local, nowhere]}").await;
    let message = world.reason("ProxmoxPool", "p", "MemberNotFound").await;
    assert!(message.contains("guest 999"), "{message}");
    world
        .until("the others are in", async || {
            (members(&world, "p").await == ["lxc/200", "qemu/100", "storage/pve1/local"]).then_some(())
        })
        .await;
    let writes = world.pve_writes();
    world.passes(3).await;
    assert_eq!(world.pve_writes(), writes, "it is not tried again and again");
    world.object("ProxmoxPool", "p", "members: {guests: [100]}").await;
    world.ready("ProxmoxPool", "p").await;
    assert_eq!(members(&world, "p").await, ["qemu/100"]);
}

#[tokio::test]
async fn a_guest_is_taken_from_another_pool_only_when_allowed() {
    let world = world().await;
    world.pve_call("POST", "/pools", &[("poolid", "theirs")]).await;
    world.pve_call("PUT", "/pools", &[("poolid", "theirs"), ("vms", "100,101")]).await;
    world.object("ProxmoxPool", "ours", "members: {guests: [100, 102]}").await;
    let message = world.reason("ProxmoxPool", "ours", "Conflict").await;
    assert!(message.contains("pool theirs") && message.contains("allowMove"), "{message}");
    world.object("ProxmoxPool", "ours", "members: {guests: [100, 102]}, allowMove: true").await;
    world.ready("ProxmoxPool", "ours").await;
    assert_eq!(members(&world, "ours").await, ["qemu/100", "qemu/102"]);
    assert_eq!(members(&world, "theirs").await, ["qemu/101"]);
    // Two objects cannot have it both.
    world.object("ProxmoxPool", "rival", "members: {guests: [102]}, allowMove: true").await;
    let message = world.reason("ProxmoxPool", "rival", "Conflict").await;
    assert!(message.contains("ProxmoxPool ours"), "{message}");
    // The pool stands all the same, and who has a permission on it need not wait for the guest.
    world.pve_call("POST", "/access/groups", &[("groupid", "g")]).await;
    world
        .object("ProxmoxAcl", "a", "poolRef: {name: rival}, roles: [{role: PVEPoolUser}], subjects: [{group: g}]")
        .await;
    world.ready("ProxmoxAcl", "a").await;
}

#[tokio::test]
async fn an_exact_pool_has_nothing_else_and_a_foreign_member_blocks_deletion() {
    let world = world().await;
    world.object("ProxmoxPool", "p", "members: {guests: [100]}").await;
    world.ready("ProxmoxPool", "p").await;
    world.pve_call("PUT", "/pools", &[("poolid", "p"), ("vms", "101"), ("storage", "local")]).await;
    world.passes(2).await;
    assert_eq!(members(&world, "p").await.len(), 3);
    world.object("ProxmoxPool", "p", "members: {guests: [100]}, membershipPolicy: Exact").await;
    world.until("the others go", async || (members(&world, "p").await == ["qemu/100"]).then_some(())).await;
    world.object("ProxmoxPool", "p", "members: {guests: [100]}").await;
    world.ready("ProxmoxPool", "p").await;
    world.pve_call("PUT", "/pools", &[("poolid", "p"), ("vms", "101")]).await;
    world.delete("ProxmoxPool", "p").await;
    let message = world.reason("ProxmoxPool", "p", "DeletionBlocked").await;
    assert!(message.contains("guest 101"), "{message}");
    world.pve_call("PUT", "/pools", &[("poolid", "p"), ("vms", "101"), ("delete", "1")]).await;
    world.gone("ProxmoxPool", "p").await;
}
