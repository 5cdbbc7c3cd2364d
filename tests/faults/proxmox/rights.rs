//! Lists that Proxmox VE filters without a word, since the credential may not see all of them.

use crate::world::World;

const ALL: &str = "Group.Allocate,User.Modify,Realm.AllocateUser,Realm.Allocate,Permissions.Modify,Sys.Audit,Sys.Modify,\
                   Pool.Allocate,Pool.Audit,VM.Audit,VM.Allocate";

#[tokio::test]
async fn what_the_credential_cannot_see_any_more_is_neither_gone_nor_surplus() {
    let world = World::new().await;
    world.pve_call("POST", "/access/roles", &[("roleid", "Ops"), ("privs", ALL)]).await;
    world.pve_call("POST", "/access/users", &[("userid", "ops@pve")]).await;
    world.pve_call("PUT", "/access/acl", &[("path", "/"), ("users", "ops@pve"), ("roles", "Ops")]).await;
    let made = world.pve_call("POST", "/access/users/ops@pve/token/operator", &[("privsep", "0")]).await;
    let token = format!("ops@pve!operator={}", made["value"].as_str().expect("a value"));
    world.start_operator().connect_with(&token, "").await;
    let objects = [
        ("ProxmoxRealm", "oid", "openid: {issuerUrl: 'https://id.example.com', clientId: c}"),
        ("ProxmoxUser", "ann", "realm: pve"),
        ("ProxmoxGroup", "team", "membershipPolicy: Exact, members: [{userRef: {name: ann}}]"),
        ("ProxmoxPool", "lab", "membershipPolicy: Exact"),
        (
            "ProxmoxAcl",
            "lab",
            "poolRef: {name: lab}, entryPolicy: Exact, roles: [{role: PVEPoolUser}], subjects: [{groupRef: {name: team}}]",
        ),
    ];
    for (kind, name, spec) in objects {
        world.object(kind, name, spec).await;
    }
    for (kind, name, _) in objects {
        world.ready(kind, name).await;
    }
    let stands = async || {
        let (acl, groups) = (world.acl().await, world.pve_get("/access/groups/team").await);
        let (realm, pool) = (world.pve_find("/access/domains/oid").await, world.pve_get("/pools").await);
        let users = world.pve_find("/access/users/ann@pve").await;
        format!("{acl:?} {groups} {realm:?} {pool} {users:?}")
    };
    let before = stands().await;
    for left in ["VM.Audit", "Sys.Audit", "Pool.Audit", "Realm.Allocate"] {
        world.pve_call("PUT", "/access/roles/Ops", &[("privs", left)]).await;
        world.passes(3).await;
        assert_eq!(stands().await, before, "only {left} is left");
    }
    world.pve_call("PUT", "/access/roles/Ops", &[("privs", "VM.Audit")]).await;
    world.passes(1).await;
    for (kind, name, _) in objects {
        world.delete(kind, name).await;
    }
    for (kind, name, _) in objects {
        world.reason(kind, name, "DeletionBlocked").await;
    }
    assert_eq!(stands().await, before);
    world.pve_call("PUT", "/access/roles/Ops", &[("privs", ALL)]).await;
    for (kind, name, _) in objects {
        world.gone(kind, name).await;
    }
    assert_eq!(world.acl().await, ["/ Ops user:ops@pve 1"]);
}
