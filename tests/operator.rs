//! The operator's process on a real control plane, against a simulated Proxmox VE.

mod support;

use support::world::World;

#[tokio::test]
async fn a_group_and_an_entry_go_the_whole_way() {
    let mut world = World::new().await;
    world.start_operator().await.connect().await;
    world.object("ProxmoxGroup", "admins", "comment: from git").await;
    world
        .object("ProxmoxAcl", "audit", "path: /, roles: [{role: PVEAuditor}], subjects: [{groupRef: {name: admins}}]")
        .await;
    world.ready("ProxmoxGroup", "admins").await;
    world.ready("ProxmoxAcl", "audit").await;
    assert_eq!(world.groups().await, ["admins"]);
    assert_eq!(world.acl().await, ["/ PVEAuditor group:admins 1"]);
    world.delete("ProxmoxGroup", "admins").await;
    world.reason("ProxmoxGroup", "admins", "DeletionBlocked").await;
    world.delete("ProxmoxAcl", "audit").await;
    world.gone("ProxmoxAcl", "audit").await;
    world.gone("ProxmoxGroup", "admins").await;
    assert!(world.groups().await.is_empty() && world.acl().await.is_empty());
}
