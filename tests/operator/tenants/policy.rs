//! What a tenant's objects may do, as Proxmox VE stands in each pass.

use serde_json::json;

use super::tenant;

const ENTRY: &str = "roles: [{role: Team}], subjects: [{group: team-a}]";

#[tokio::test]
async fn what_no_rule_allows_is_not_written_until_one_does() {
    let world = tenant().await;
    let policy = |paths: &[&str]| {
        json!({
            "allowedNamespaces": {"names": [world.namespace]},
            "policy": {"rules": [{"paths": paths, "groupIds": ["team-*"], "roles": ["Team*"]}]},
        })
    };
    world.offered(&policy(&["/pool/a"])).await;
    world.uses("ProxmoxGroup", "team-a", "").await;
    world.uses("ProxmoxRole", "team", "roleId: Team, privileges: [VM.Audit]").await;
    world.uses("ProxmoxAcl", "in", &format!("path: /pool/a, {ENTRY}")).await;
    world.ready("ProxmoxAcl", "in").await;
    let writes = world.pve_writes();
    world.uses("ProxmoxAcl", "out", &format!("path: /vms/100, {ENTRY}")).await;
    world.uses("ProxmoxGroup", "admins", "").await;
    let message = world.reason("ProxmoxAcl", "out", "PolicyDenied").await;
    assert!(message.contains("path /vms/100 is not within /pool/a"), "{message}");
    let message = world.reason("ProxmoxGroup", "admins", "PolicyDenied").await;
    assert!(message.contains("group admins is not among team-*"), "{message}");
    world.passes(2).await;
    assert_eq!(world.pve_writes(), writes);
    world.told("out", "PolicyDenied", &[]).await;
    world.offered(&policy(&["/pool/a", "/vms/100"])).await;
    world.ready("ProxmoxAcl", "out").await;
}

#[tokio::test]
async fn a_role_that_is_edited_after_the_grant_takes_the_grant_away_where_that_is_wanted() {
    let world = tenant().await;
    let policy = |more: serde_json::Value| {
        let mut policy = json!({"rules": [{}]});
        policy.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json!({"allowedNamespaces": {"names": [world.namespace]}, "policy": policy})
    };
    world.offered(&policy(json!({}))).await;
    world.pve_call("POST", "/access/roles", &[("roleid", "Team"), ("privs", "VM.Audit")]).await;
    world.uses("ProxmoxGroup", "team-a", "").await;
    world.uses("ProxmoxAcl", "a", &format!("path: /vms, {ENTRY}")).await;
    world.ready("ProxmoxAcl", "a").await;
    world.pve_call("PUT", "/access/roles/Team", &[("privs", "VM.Audit,Permissions.Modify")]).await;
    let message = world.reason("ProxmoxAcl", "a", "PolicyDenied").await;
    assert!(message.contains("role Team has Permissions.Modify"), "{message}");
    assert_eq!(world.acl().await, ["/vms Team group:team-a 1"], "kept by default");
    world.offered(&policy(json!({"onRevoke": "Remove"}))).await;
    world.until("the entry is gone", async || world.acl().await.is_empty().then_some(())).await;
    world.pve_call("PUT", "/access/roles/Team", &[("privs", "VM.Audit")]).await;
    world.ready("ProxmoxAcl", "a").await;
    assert_eq!(world.acl().await, ["/vms Team group:team-a 1"]);
}

#[tokio::test]
async fn nobody_is_put_into_a_group_that_was_made_privileged() {
    let world = tenant().await;
    world.offered(&json!({"allowedNamespaces": {"names": [world.namespace]}, "policy": {"rules": [{}]}})).await;
    world.pve_call("POST", "/access/groups", &[("groupid", "admins")]).await;
    world.pve_call("PUT", "/access/acl", &[("path", "/"), ("groups", "admins"), ("roles", "Administrator")]).await;
    world.uses("ProxmoxUser", "eve", "realm: pve, groups: [{group: admins}], membershipPolicy: Additive").await;
    let message = world.reason("ProxmoxUser", "eve", "PolicyDenied").await;
    assert!(message.contains("group admins has"), "{message}");
    world.uses("ProxmoxToken", "root", "user: root@pam").await;
    let message = world.reason("ProxmoxToken", "root", "PolicyDenied").await;
    assert!(message.contains("root@pam may do everything"), "{message}");
    world.uses("ProxmoxRealm", "pam", "pam: {}, comment: mine").await;
    world.reason("ProxmoxRealm", "pam", "PolicyDenied").await;
    assert!(world.pve_find("/access/users/eve@pve").await.is_none());
    assert!(world.pve_find("/access/users/root@pam/token/root").await.is_none());
}

#[tokio::test]
async fn a_pool_reaches_no_further_than_its_members_may() {
    let world = tenant().await;
    let rule = json!({"paths": ["/pool/a", "/vms/100"]});
    world.offered(&json!({"allowedNamespaces": {"names": [world.namespace]}, "policy": {"rules": [rule]}})).await;
    world.uses("ProxmoxPool", "a", "members: {guests: [100]}").await;
    world.uses("ProxmoxGroup", "team-a", "").await;
    world
        .uses(
            "ProxmoxAcl",
            "a",
            "poolRef: {name: a}, roles: [{role: PVEVMUser}], subjects: [{groupRef: {name: team-a}}]",
        )
        .await;
    world.ready("ProxmoxAcl", "a").await;
    world.pve_call("PUT", "/pools", &[("poolid", "a"), ("vms", "119")]).await;
    let message = world.reason("ProxmoxAcl", "a", "PolicyDenied").await;
    assert!(message.contains("/vms/119"), "{message}");
    world.pve_call("PUT", "/pools", &[("poolid", "a"), ("vms", "119"), ("delete", "1")]).await;
    world.ready("ProxmoxAcl", "a").await;
}

#[tokio::test]
async fn a_check_answers_a_tenant_about_its_own_only() {
    let world = tenant().await;
    let rules = json!([{"paths": ["/pool/a"], "groupIds": ["team-*"], "roles": ["PVE*"]}]);
    world.offered(&json!({"allowedNamespaces": {"names": [world.namespace]}, "policy": {"rules": rules}})).await;
    world.uses("ProxmoxGroup", "team-a", "").await;
    let acl = "path: /pool/a, roles: [{role: PVEVMUser}], subjects: [{groupRef: {name: team-a}}]";
    world.uses("ProxmoxAcl", "a", acl).await;
    let check = |subject: &str, path: &str| format!("subject: {{{subject}}}, path: {path}, require: [VM.Audit]");
    world.uses("ProxmoxAccessCheck", "own", &check("groupRef: {name: team-a}", "/pool/a")).await;
    world.uses("ProxmoxAccessCheck", "elsewhere", &check("groupRef: {name: team-a}", "/")).await;
    world.uses("ProxmoxAccessCheck", "others", &check("group: admins", "/pool/a")).await;
    world.ready("ProxmoxAccessCheck", "own").await;
    let message = world.reason("ProxmoxAccessCheck", "elsewhere", "PolicyDenied").await;
    assert!(message.contains("path / is not within /pool/a"), "{message}");
    let message = world.reason("ProxmoxAccessCheck", "others", "PolicyDenied").await;
    assert!(message.contains("group admins is not among team-*"), "{message}");
    world.offered(&json!({"policy": {"rules": rules}})).await;
    let message = world.reason("ProxmoxAccessCheck", "own", "PolicyDenied").await;
    assert!(message.contains("allowedNamespaces"), "{message}");
}

#[tokio::test]
async fn a_misspelled_privilege_denies_everything_until_it_is_corrected() {
    let world = tenant().await;
    let policy = |name: &str| {
        let policy = json!({"rules": [{}], "deniedPrivileges": [name]});
        json!({"allowedNamespaces": {"names": [world.namespace]}, "policy": policy})
    };
    world.offered(&policy("Permission.Modify")).await;
    world.uses("ProxmoxGroup", "team-a", "").await;
    let message = world.reason("ClusterProxmoxConnection", &world.offer(), "InvalidSpec").await;
    assert!(message.contains("did you mean Permissions.Modify?"), "{message}");
    world.reason("ProxmoxGroup", "team-a", "ConnectionNotReady").await;
    assert!(world.groups().await.is_empty());
    world.offered(&policy("Permissions.Modify")).await;
    world.ready("ProxmoxGroup", "team-a").await;
}
