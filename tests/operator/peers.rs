//! Two connections to one cluster: recognised by its id, their objects never fight.

use crate::rights::operator_token;
use crate::world::{World, manifest};

/// Two connections to the same Proxmox VE, both at work.
async fn two_ways() -> World {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.connect_as("second", "second", &world.pve.token(), "").await;
    world.ready("ProxmoxConnection", "pve").await;
    world.ready("ProxmoxConnection", "second").await;
    world
}

/// An object of the second connection.
async fn second(world: &World, kind: &str, name: &str, spec: &str) {
    world.apply(&manifest(kind, name, spec).replace("{name: pve}", "{name: second}")).await;
}

#[tokio::test]
async fn two_objects_for_one_group_do_not_fight_and_the_loser_takes_over() {
    let world = two_ways().await;
    world.object("ProxmoxGroup", "first", "groupId: g, comment: first").await;
    world.ready("ProxmoxGroup", "first").await;
    second(&world, "ProxmoxGroup", "other", "groupId: g, comment: other").await;
    let message = world.reason("ProxmoxGroup", "other", "Conflict").await;
    assert!(message.contains("ProxmoxGroup first claims group g too"), "{message}");
    let writes = world.pve_writes();
    world.passes(6).await;
    assert_eq!(world.pve_writes(), writes, "nobody writes again");
    world.ready("ProxmoxGroup", "first").await;
    world.delete("ProxmoxGroup", "first").await;
    world.gone("ProxmoxGroup", "first").await;
    world.ready("ProxmoxGroup", "other").await;
    let requests = world.pve.requests();
    assert_eq!(requests.count("DELETE", "/access/groups/g"), 0, "it was never removed in between");
    assert_eq!(world.pve_get("/access/groups/g").await["comment"], "other");
    world.delete("ProxmoxGroup", "other").await;
    world.gone("ProxmoxGroup", "other").await;
    assert!(world.groups().await.is_empty(), "it goes with the last, since the operator made it");
}

#[tokio::test]
async fn an_entry_of_both_goes_with_the_last() {
    let world = two_ways().await;
    let spec = "path: /vms, roles: [{role: PVEVMUser}], subjects: [{group: g}]";
    world.object("ProxmoxGroup", "g", "").await;
    world.object("ProxmoxAcl", "a", spec).await;
    world.ready("ProxmoxAcl", "a").await;
    second(&world, "ProxmoxAcl", "b", spec).await;
    world.ready("ProxmoxAcl", "b").await;
    world.delete("ProxmoxAcl", "a").await;
    world.gone("ProxmoxAcl", "a").await;
    world.passes(2).await;
    assert_eq!(world.acl().await, ["/vms PVEVMUser group:g 1"]);
    world.ready("ProxmoxAcl", "b").await;
    world.delete("ProxmoxAcl", "b").await;
    world.gone("ProxmoxAcl", "b").await;
    assert!(world.acl().await.is_empty());
}

#[tokio::test]
async fn what_the_other_claims_is_no_surplus_and_what_it_uses_is_not_deleted() {
    let world = two_ways().await;
    world.object("ProxmoxGroup", "g", "").await;
    world
        .object(
            "ProxmoxAcl",
            "exact",
            "path: /vms, entryPolicy: Exact, roles: [{role: PVEVMUser}], subjects: [{group: g}]",
        )
        .await;
    world.ready("ProxmoxAcl", "exact").await;
    second(&world, "ProxmoxAcl", "added", "path: /vms, roles: [{role: PVEAuditor}], subjects: [{group: g}]").await;
    world.ready("ProxmoxAcl", "added").await;
    world.passes(4).await;
    assert_eq!(world.acl().await, ["/vms PVEAuditor group:g 1", "/vms PVEVMUser group:g 1"]);
    world.delete("ProxmoxAcl", "exact").await;
    world.gone("ProxmoxAcl", "exact").await;
    world.delete("ProxmoxGroup", "g").await;
    let message = world.reason("ProxmoxGroup", "g", "DeletionBlocked").await;
    assert!(message.contains("still used by ProxmoxAcl added"), "{message}");
    world.delete("ProxmoxAcl", "added").await;
    world.gone("ProxmoxGroup", "g").await;
    assert!(world.groups().await.is_empty() && world.acl().await.is_empty());
}

#[tokio::test]
async fn who_could_not_write_it_keeps_nobody_from_it() {
    let world = World::new().await;
    let weak = operator_token(&world, "Sys.Audit").await;
    world.start_operator().connect_as("second", "second", &weak, "").await;
    second(&world, "ProxmoxGroup", "early", "groupId: g, comment: mine").await;
    let grant = "path: /vms, roles: [{role: PVEVMUser}], subjects: [{group: g}]";
    second(&world, "ProxmoxAcl", "early", grant).await;
    world.reason("ProxmoxGroup", "early", "Forbidden").await;
    world.connect().await;
    world.object("ProxmoxGroup", "late", "groupId: g, comment: theirs").await;
    world.ready("ProxmoxGroup", "late").await;
    world.pve_call("PUT", "/access/acl", &[("path", "/vms"), ("groups", "g"), ("roles", "PVEVMUser")]).await;
    world.ready("ProxmoxAcl", "early").await;
    let exact = "path: /vms, entryPolicy: Exact, roles: [{role: PVEAuditor}], subjects: [{group: g}]";
    world.object("ProxmoxAcl", "late", exact).await;
    world.ready("ProxmoxAcl", "late").await;
    let entries = world.acl().await;
    assert!(!entries.contains(&"/vms PVEVMUser group:g 1".to_owned()), "what was only seen is not held: {entries:?}");
}

#[tokio::test]
async fn a_restored_backup_flips_no_owner_into_deleting() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "a", "groupId: g").await;
    world.object("ProxmoxAcl", "e", "path: /vms, roles: [{role: PVEVMUser}], subjects: [{group: g}]").await;
    world.ready("ProxmoxAcl", "e").await;
    world.object("ProxmoxGroup", "b", "groupId: g, comment: other").await;
    world.reason("ProxmoxGroup", "b", "Conflict").await;
    // The objects come back without status and with another age, the loser first.
    world.kill_operator();
    for (kind, name) in [("ProxmoxGroup", "a"), ("ProxmoxGroup", "b"), ("ProxmoxAcl", "e")] {
        let object = world.get_object(kind, name).await.expect("an object");
        let api = world.api(kind);
        let patch = kube::api::Patch::Merge(serde_json::json!({"metadata": {"finalizers": null}}));
        api.patch(name, &kube::api::PatchParams::default(), &patch).await.expect("without finalizer");
        world.delete(kind, name).await;
        assert!(object["status"]["ledger"].is_array() || name == "b");
    }
    for (kind, name) in [("ProxmoxGroup", "a"), ("ProxmoxGroup", "b"), ("ProxmoxAcl", "e")] {
        world.gone(kind, name).await;
    }
    let deleted = world.pve.requests().count("DELETE", "/access/groups/g");
    world.object("ProxmoxGroup", "b", "groupId: g, comment: other").await;
    // When objects were made is told in whole seconds: `b` is to be the older one.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    world.object("ProxmoxGroup", "a", "groupId: g").await;
    world.object("ProxmoxAcl", "e", "path: /vms, roles: [{role: PVEVMUser}], subjects: [{group: g}]").await;
    let writes = world.pve_writes();
    world.start_operator();
    world.ready("ProxmoxAcl", "e").await;
    world.reason("ProxmoxGroup", "b", "AlreadyExists").await;
    world.passes(3).await;
    assert_eq!(world.pve_writes(), writes, "nothing is written, and nothing removed");
    assert_eq!(world.pve.requests().count("DELETE", "/access/groups/g"), deleted);
    assert_eq!(world.groups().await, ["g"]);
    // The younger one says what stands; once the other is gone it takes that over.
    world.delete("ProxmoxGroup", "b").await;
    world.gone("ProxmoxGroup", "b").await;
    world.ready("ProxmoxGroup", "a").await;
    assert_eq!(world.groups().await, ["g"]);
}
