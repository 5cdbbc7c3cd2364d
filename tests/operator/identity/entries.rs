//! ACL entries: exact paths, and references that wait.

use crate::world::World;

#[tokio::test]
async fn every_reference_of_an_entry_waits_for_its_target() {
    let world = World::new().await;
    world.start_operator().connect().await;
    let entry = "poolRef: {name: lab}, roles: [{roleRef: {name: boss}}], \
                 subjects: [{userRef: {name: ann}}, {tokenRef: {name: ci}}]";
    world.object("ProxmoxAcl", "a", entry).await;
    for (kind, name, spec) in [
        ("ProxmoxPool", "lab", ""),
        ("ProxmoxRole", "boss", "privileges: [Pool.Audit]"),
        ("ProxmoxUser", "ann", "realm: pve"),
        ("ProxmoxToken", "ci", "userRef: {name: ann}"),
    ] {
        let message = world.reason("ProxmoxAcl", "a", "DependencyNotReady").await;
        assert!(message.contains("does not exist in this namespace"), "{message}");
        world.object(kind, name, spec).await;
        world.ready(kind, name).await;
    }
    world.ready("ProxmoxAcl", "a").await;
    assert_eq!(world.acl().await, ["/pool/lab boss token:ann@pve!ci 1", "/pool/lab boss user:ann@pve 1"]);
    // Everything at once, in any order.
    let all = [
        ("ProxmoxPool", "lab"),
        ("ProxmoxRole", "boss"),
        ("ProxmoxUser", "ann"),
        ("ProxmoxToken", "ci"),
        ("ProxmoxAcl", "a"),
    ];
    for (kind, name) in all {
        world.delete(kind, name).await;
    }
    for (kind, name) in all {
        world.gone(kind, name).await;
    }
    assert!(world.acl().await.is_empty());
    assert_eq!(world.pve_get("/access/users").await.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn an_exact_path_has_only_what_objects_declare() {
    let world = World::new().await;
    world.start_operator().connect().await;
    for group in ["a", "b", "c"] {
        world.pve_call("POST", "/access/groups", &[("groupid", group)]).await;
    }
    let foreign = [("path", "/vms"), ("groups", "b,c"), ("roles", "PVEAuditor")];
    world.pve_call("PUT", "/access/acl", &foreign).await;
    world.pve_call("PUT", "/access/acl", &[("path", "/nodes"), ("groups", "c"), ("roles", "PVEAuditor")]).await;
    world.object("ProxmoxAcl", "additive", "path: /vms, roles: [{role: PVEAuditor}], subjects: [{group: b}]").await;
    world.ready("ProxmoxAcl", "additive").await;
    let exact = "path: /vms, entryPolicy: Exact, roles: [{role: PVEVMUser}], subjects: [{group: a}]";
    world.object("ProxmoxAcl", "exact", exact).await;
    world
        .until("what nobody declares goes", async || {
            let expected = ["/nodes PVEAuditor group:c 1", "/vms PVEAuditor group:b 1", "/vms PVEVMUser group:a 1"];
            (world.acl().await == expected).then_some(())
        })
        .await;
    world.ready("ProxmoxAcl", "exact").await;
}

#[tokio::test]
async fn an_exact_path_does_not_lock_the_operator_out() {
    let world = World::new().await;
    world.pve_call("POST", "/access/users", &[("userid", "ops@pve")]).await;
    let made = world.pve_call("POST", "/access/users/ops@pve/token/op", &[("privsep", "0")]).await;
    world.pve_call("PUT", "/access/acl", &[("path", "/"), ("users", "ops@pve"), ("roles", "Administrator")]).await;
    world.pve_call("POST", "/access/groups", &[("groupid", "g")]).await;
    let token = format!("ops@pve!op={}", made["value"].as_str().expect("a secret"));
    world.start_operator().connect_with(&token, "").await;
    let exact = "path: /, entryPolicy: Exact, roles: [{role: PVEAuditor}], subjects: [{group: g}]";
    world.object("ProxmoxAcl", "exact", exact).await;
    let message = world.reason("ProxmoxAcl", "exact", "WouldLockOut").await;
    assert!(message.contains("Administrator for user ops@pve on /"), "{message}");
    let expected = ["/ Administrator user:ops@pve 1", "/ PVEAuditor group:g 1"];
    world.until("the rest goes on", async || (world.acl().await == expected).then_some(())).await;
}
