//! Roles.

use crate::world::{World, condition};

async fn privileges(world: &World, role: &str) -> Vec<String> {
    let role = world.pve_get(&format!("/access/roles/{role}")).await;
    let mut names: Vec<String> = role.as_object().expect("privileges").keys().cloned().collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_role_has_exactly_its_privileges() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxRole", "operator", "privileges: [VM.Audit, VM.Console]").await;
    world.ready("ProxmoxRole", "operator").await;
    assert_eq!(privileges(&world, "operator").await, ["VM.Audit", "VM.Console"]);
    world.pve_call("PUT", "/access/roles/operator", &[("privs", "Sys.Modify"), ("append", "1")]).await;
    world.until("what was added goes", async || (privileges(&world, "operator").await.len() == 2).then_some(())).await;
    world.object("ProxmoxRole", "operator", "privileges: [VM.Audit, VM.Powermgmt]").await;
    let message = world.reason("ProxmoxRole", "operator", "InvalidSpec").await;
    assert!(message.contains("VM.Powermgmt (did you mean VM.PowerMgmt?)"), "{message}");
    world.object("ProxmoxRole", "operator", "privileges: []").await;
    world.ready("ProxmoxRole", "operator").await;
    assert!(privileges(&world, "operator").await.is_empty());
}

#[tokio::test]
async fn a_role_in_use_stays_and_what_falls_with_it_is_told() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.object("ProxmoxRole", "operator", "privileges: [VM.Audit]").await;
    world
        .object(
            "ProxmoxAcl",
            "a",
            "path: /vms, roles: [{roleRef: {name: operator}}], subjects: [{groupRef: {name: g}}]",
        )
        .await;
    world.ready("ProxmoxAcl", "a").await;
    world.pve_call("PUT", "/access/acl", &[("path", "/nodes"), ("groups", "g"), ("roles", "operator")]).await;
    world.delete("ProxmoxRole", "operator").await;
    let message = world.reason("ProxmoxRole", "operator", "DeletionBlocked").await;
    assert!(message.contains("ProxmoxAcl a"), "{message}");
    world.delete("ProxmoxAcl", "a").await;
    world.gone("ProxmoxRole", "operator").await;
    assert!(world.acl().await.is_empty());
    world.told("operator", "RemovedAlong", &["/nodes"]).await;
}

#[tokio::test]
async fn a_role_of_pve_itself_can_only_be_observed() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world
        .object("ProxmoxRole", "auditor", "roleId: PVEAuditor, managementPolicy: Observe, privileges: [VM.Audit]")
        .await;
    world.reason("ProxmoxRole", "auditor", "Observed").await;
    let role = world.get_object("ProxmoxRole", "auditor").await.expect("a role");
    assert!(condition(&role, "Drifted").is_some());
    assert_eq!(role["status"]["pendingChanges"][0], "change privs of role PVEAuditor");
    assert_eq!(world.pve_writes(), 0);
}
