//! A credential with too few rights: what it cannot see is never taken for gone.

use serde_json::{Value, json};

use crate::world::{World, condition};

/// Makes a role, a user and a full token of it; answers with the token's text.
pub async fn operator_token(world: &World, privileges: &str) -> String {
    world.pve_call("POST", "/access/roles", &[("roleid", "Ops"), ("privs", privileges)]).await;
    world.pve_call("POST", "/access/users", &[("userid", "ops@pve")]).await;
    world.pve_call("PUT", "/access/acl", &[("path", "/"), ("users", "ops@pve"), ("roles", "Ops")]).await;
    let made = world.pve_call("POST", "/access/users/ops@pve/token/operator", &[("privsep", "0")]).await;
    format!("ops@pve!operator={}", made["value"].as_str().expect("a value"))
}

pub const LEAST: &str = "Group.Allocate,User.Modify,Realm.AllocateUser,Realm.Allocate,Permissions.Modify,Sys.Audit,Sys.Modify,\
                     Pool.Allocate,Pool.Audit";

/// The least privileges without some.
pub fn without(privileges: &[&str]) -> String {
    LEAST.split(',').filter(|name| !privileges.contains(name)).collect::<Vec<_>>().join(",")
}

#[tokio::test]
async fn an_entry_stays_while_the_right_to_remove_it_is_taken_away() {
    let world = World::new().await;
    let token = operator_token(&world, LEAST).await;
    world.start_operator().connect_with(&token, "").await;
    world.object("ProxmoxGroup", "g", "").await;
    world.object("ProxmoxAcl", "a", "path: /vms, roles: [{role: PVEVMUser}], subjects: [{group: g}]").await;
    world.ready("ProxmoxAcl", "a").await;
    for privileges in [without(&["Permissions.Modify"]), without(&["Permissions.Modify", "Sys.Audit"])] {
        world.pve_call("PUT", "/access/roles/Ops", &[("privs", &privileges)]).await;
        world.passes(1).await;
        if world.get_object("ProxmoxAcl", "a").await.expect("an ACL")["metadata"]["deletionTimestamp"].is_null() {
            world.delete("ProxmoxAcl", "a").await;
        }
        world.passes(2).await;
        let message = world.reason("ProxmoxAcl", "a", "DeletionBlocked").await;
        assert!(message.contains("Permissions.Modify"), "{message}");
        assert!(world.acl().await.contains(&"/vms PVEVMUser group:g 1".to_owned()));
    }
    world.pve_call("PUT", "/access/roles/Ops", &[("privs", LEAST)]).await;
    world.gone("ProxmoxAcl", "a").await;
    assert_eq!(world.acl().await, ["/ Ops user:ops@pve 1"]);
}

#[tokio::test]
async fn a_credential_that_cannot_see_says_what_it_needs() {
    let world = World::new().await;
    let token = operator_token(&world, "VM.Audit").await;
    world.pve_call("POST", "/access/groups", &[("groupid", "g")]).await;
    world.start_operator().connect_with(&token, "").await;
    world.object("ProxmoxGroup", "g", "").await;
    world.object("ProxmoxPool", "p", "").await;
    world.object("ProxmoxAcl", "a", "path: /vms, roles: [{role: PVEVMUser}], subjects: [{group: g}]").await;
    for (kind, name, needs) in [
        ("ProxmoxGroup", "g", "Group.Allocate"),
        ("ProxmoxPool", "p", "Pool.Audit"),
        ("ProxmoxAcl", "a", "Permissions.Modify"),
    ] {
        let message = world.reason(kind, name, "Forbidden").await;
        assert!(message.contains(needs), "{message}");
    }
    let connection = world.get_object("ProxmoxConnection", "pve").await.expect("a connection");
    let visibility = connection["status"]["visibility"].as_array().expect("lists");
    let extent = |list: &str| visibility.iter().find(|it| it["list"] == list).expect("the list")["extent"].clone();
    assert_eq!((extent("groups"), extent("acl")), ("Unknown".into(), "Unknown".into()));
    world.pve_call("PUT", "/access/roles/Ops", &[("privs", LEAST)]).await;
    for (kind, name) in [("ProxmoxGroup", "g"), ("ProxmoxPool", "p"), ("ProxmoxAcl", "a")] {
        world.ready(kind, name).await;
    }
}

#[tokio::test]
async fn the_operator_does_not_lock_itself_out() {
    let world = World::new().await;
    let token = operator_token(&world, LEAST).await;
    world.start_operator().connect_with(&token, "").await;
    world.object("ProxmoxGroup", "g", "").await;
    world.object("ProxmoxAcl", "own", "path: /access, roles: [{role: PVEAuditor}], subjects: [{user: ops@pve}]").await;
    let message = world.reason("ProxmoxAcl", "own", "WouldLockOut").await;
    assert!(message.contains("Group.Allocate") || message.contains("Permissions.Modify"), "{message}");
    world.ready("ProxmoxGroup", "g").await;
    assert_eq!(world.acl().await, ["/ Ops user:ops@pve 1"]);
    // Off only by name, and for that object only.
    assert!(message.contains("policy.allowLockout"), "{message}");
    world.object("ProxmoxAcl", "too", "path: /access, roles: [{role: NoAccess}], subjects: [{user: ops@pve}]").await;
    world.connect_with(&token, "  policy: {allowLockout: [{kind: ProxmoxAcl, name: own}]}\n").await;
    world
        .until("what is meant is done", async || {
            world.acl().await.contains(&"/access PVEAuditor user:ops@pve 1".to_owned()).then_some(())
        })
        .await;
    world.reason("ProxmoxAcl", "too", "WouldLockOut").await;
}

#[tokio::test]
async fn privileges_that_are_missing_are_told_before_the_first_refusal() {
    let world = World::new().await;
    let token = operator_token(&world, &without(&["Realm.AllocateUser", "Sys.Modify"])).await;
    world.start_operator().connect_with(&token, "").await;
    world.object("ProxmoxGroup", "g", "").await;
    world.object("ProxmoxRole", "watched", "privileges: [VM.Audit], managementPolicy: Observe").await;
    world.ready("ProxmoxGroup", "g").await;
    let missing = async || {
        let connection = world.get_object("ProxmoxConnection", "pve").await.expect("a connection");
        let warned = condition(&connection, "Warning").is_some_and(|it| it["reason"] == "MissingPrivileges");
        let missing = connection["status"]["missingPrivileges"].clone();
        assert_eq!(warned, missing != Value::Null, "{connection}");
        missing
    };
    assert_eq!(missing().await, Value::Null, "a group needs none of them, and what is observed needs nothing");
    world.object("ProxmoxUser", "ann", "realm: pve").await;
    let expected = json!([{"privilege": "Realm.AllocateUser", "path": "/access/realm/pve", "kinds": ["ProxmoxUser"]}]);
    world.until("it is told", async || (missing().await == expected).then_some(())).await;
    world.pve_call("PUT", "/access/roles/Ops", &[("privs", LEAST)]).await;
    world.until("nothing is missing", async || missing().await.is_null().then_some(())).await;
    world.ready("ProxmoxUser", "ann").await;
    // A token that is separated by mistake.
    world.pve_call("PUT", "/access/users/ops@pve/token/operator", &[("privsep", "1")]).await;
    world.told("pve", "MissingPrivileges", &["privsep 1"]).await;
}

#[tokio::test]
async fn the_operators_own_token_is_neither_separated_nor_ended() {
    let world = World::new().await;
    let token = operator_token(&world, LEAST).await;
    world.start_operator().connect_with(&token, "").await;
    let own = |more: &str| format!("user: ops@pve, tokenId: operator, adoptionPolicy: Always, {more}");
    for (name, more) in [
        ("separated", "privilegeSeparation: true"),
        ("ended", "privilegeSeparation: false, expiresAt: '2001-01-01T00:00:00Z'"),
    ] {
        world.object("ProxmoxToken", name, &own(more)).await;
        let message = world.reason("ProxmoxToken", name, "WouldLockOut").await;
        assert!(message.contains("the operator's own token"), "{message}");
        world.delete("ProxmoxToken", name).await;
        world.gone("ProxmoxToken", name).await;
    }
    world.object("ProxmoxToken", "noted", &own("privilegeSeparation: false, comment: managed")).await;
    world.ready("ProxmoxToken", "noted").await;
    assert_eq!(world.pve_get("/access/users/ops@pve/token/operator").await["comment"], "managed");
}

#[tokio::test]
async fn a_pool_member_that_was_refused_keeps_nothing_from_going() {
    let world = World::new().await;
    let token = operator_token(&world, &without(&["Permissions.Modify"])).await;
    world.start_operator().connect_with(&token, "").await;
    world.object("ProxmoxPool", "p", "members: {guests: [102]}").await;
    world.reason("ProxmoxPool", "p", "Forbidden").await;
    world.object("ProxmoxPool", "p", "").await;
    world.ready("ProxmoxPool", "p").await;
    world.object("ProxmoxPool", "p", "members: {guests: [102]}").await;
    world.reason("ProxmoxPool", "p", "Forbidden").await;
    // Also who does not know of the refusal any more finds out.
    world.start_operator();
    world.delete("ProxmoxPool", "p").await;
    world.gone("ProxmoxPool", "p").await;
}

#[tokio::test]
async fn a_ticket_serves_as_well_as_a_token() {
    let world = World::new().await;
    world.start_operator();
    world
        .apply(&format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: root}}\nstringData: {{password: pve-test-password}}\n---\n\
             apiVersion: proxmox-identity.dev/v1alpha1\nkind: ProxmoxConnection\nmetadata: {{name: pve}}\nspec: {{endpoints: \
             ['{}'], auth: {{ticket: {{userName: root@pam, passwordSecretRef: {{name: root, key: password}}}}}}, tls: \
             {{fingerprints: ['{}']}}, resyncInterval: 1s}}",
            world.pve.url(),
            world.pve.fingerprint()
        ))
        .await;
    world.object("ProxmoxGroup", "g", "").await;
    world.ready("ProxmoxGroup", "g").await;
    world.delete("ProxmoxGroup", "g").await;
    world.gone("ProxmoxGroup", "g").await;
}
