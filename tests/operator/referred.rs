//! What others refer to stays as long as they do, whoever made it: they would lose what they have through it.

use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::world::World;

const ENTRY: &str = "/vms PVEVMUser group:g 1";

/// An entry for a group that an object with this spec stands for.
async fn world(spec: &str) -> World {
    let world = World::new().await;
    world.pve_call("POST", "/access/groups", &[("groupid", "g")]).await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", spec).await;
    world.object("ProxmoxAcl", "a", "path: /vms, roles: [{role: PVEVMUser}], subjects: [{groupRef: {name: g}}]").await;
    world.ready("ProxmoxAcl", "a").await;
    assert_eq!(world.acl().await, [ENTRY]);
    world
}

async fn waits_for_its_referrer(world: &World) {
    world.delete("ProxmoxGroup", "g").await;
    let message = world.reason("ProxmoxGroup", "g", "DeletionBlocked").await;
    assert!(message.contains("still used by ProxmoxAcl a"), "{message}");
    assert_eq!(world.acl().await, [ENTRY]);
    world.delete("ProxmoxAcl", "a").await;
    world.gone("ProxmoxGroup", "g").await;
    assert_eq!(world.groups().await, ["g"], "the group itself stays");
}

#[tokio::test]
async fn the_object_of_a_group_that_is_only_observed_waits() {
    let world = world("managementPolicy: Observe").await;
    let is_held = async || {
        let group = world.get_object("ProxmoxGroup", "g").await.expect("a group");
        (!group["metadata"]["finalizers"].is_null()).then_some(())
    };
    world.until("it does not go unnoticed", is_held).await;
    waits_for_its_referrer(&world).await;
    world.gone("ProxmoxAcl", "a").await;
    assert!(world.acl().await.is_empty());
}

#[tokio::test]
async fn an_object_that_leaves_everything_waits_also_while_nobody_asks_proxmox_ve() {
    let world = world("deletionPolicy: Orphan").await;
    let suspend = async |suspend: bool| {
        let patch = Patch::Merge(json!({"spec": {"suspend": suspend}}));
        world.api("ProxmoxConnection").patch("pve", &PatchParams::default(), &patch).await.expect("patched");
    };
    suspend(true).await;
    world.reason("ProxmoxAcl", "a", "Suspended").await;
    waits_for_its_referrer(&world).await;
    assert_eq!(world.acl().await, [ENTRY], "its connection is suspended");
    suspend(false).await;
    world.gone("ProxmoxAcl", "a").await;
    assert!(world.acl().await.is_empty());
}
