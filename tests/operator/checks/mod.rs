//! Checks of permissions: what they say of what stands.

mod life;

use kube::api::ListParams;
use kube::{Api, ResourceExt};
use serde_json::Value;

use crate::rights::{LEAST, operator_token, without};
use crate::world::{World, condition};

const CHECK: &str = "ProxmoxAccessCheck";

/// `g` uses all guests, and `u@pve` is in it.
async fn world() -> World {
    let world = World::new().await;
    world.pve_call("POST", "/access/roles", &[("roleid", "Use"), ("privs", "VM.Audit,VM.Console")]).await;
    world.pve_call("POST", "/access/groups", &[("groupid", "g")]).await;
    world.pve_call("POST", "/access/users", &[("userid", "u@pve"), ("groups", "g")]).await;
    grant(&world, "/vms", "groups", "g", "Use").await;
    world.start_operator().connect().await;
    world.ready("ProxmoxConnection", "pve").await;
    world
}

async fn grant(world: &World, path: &str, whom: &str, id: &str, role: &str) {
    world.pve_call("PUT", "/access/acl", &[("path", path), (whom, id), ("roles", role)]).await;
}

/// Waits until Ready has this reason and message for the spec as it is; answers with the check.
async fn says(world: &World, name: &str, reason: &str, message: &str) -> Value {
    let mut last = world.reason(CHECK, name, reason).await;
    world
        .until(&format!("{name} says {message}"), async || {
            if last != message {
                println!("{name} says {last}");
                last = world.reason(CHECK, name, reason).await;
            }
            (last == message).then_some(())
        })
        .await;
    world.get_object(CHECK, name).await.expect("a check")
}

async fn holds(world: &World, name: &str, message: &str) {
    let check = says(world, name, "Succeeded", message).await;
    assert!(condition(&check, "Stalled").is_none() && condition(&check, "Reconciling").is_none(), "{check}");
}

async fn fails(world: &World, name: &str, message: &str) {
    let check = says(world, name, "AssertionFailed", message).await;
    assert_eq!(condition(&check, "Ready").expect("Ready")["status"], "False");
    assert_eq!(condition(&check, "Stalled").expect("Stalled")["reason"], "AssertionFailed");
}

/// The Events about an object, as `type reason`.
async fn events(world: &World, name: &str) -> Vec<String> {
    let events = Api::<k8s_openapi::api::events::v1::Event>::namespaced(world.client.clone(), &world.namespace);
    let mut list = events.list(&ListParams::default()).await.expect("Events").items;
    list.retain(|event| event.regarding.as_ref().is_some_and(|it| it.name.as_deref() == Some(name)));
    list.sort_by_key(ResourceExt::creation_timestamp);
    list.into_iter().map(|it| format!("{} {}", it.type_.unwrap_or_default(), it.reason.unwrap_or_default())).collect()
}

async fn told(world: &World, name: &str, event: &str) {
    let what = format!("{event} is told of {name}");
    world.until(&what, async || events(world, name).await.iter().any(|it| it == event).then_some(())).await;
}

#[tokio::test]
async fn a_check_that_holds_says_what_decides() {
    let world = world().await;
    world.object(CHECK, "c", "subject: {user: u@pve}, path: /vms/100, require: [VM.Audit], forbid: [Sys.Modify]").await;
    let decides = "Use for group g on /vms (propagated)";
    holds(
        &world,
        "c",
        &format!(
            "VM.Audit is held on /vms/100: by {decides}; Sys.Modify is not held on /vms/100: the deepest entry that counts \
             is {decides}"
        ),
    )
    .await;
    let check = world.get_object(CHECK, "c").await.expect("a check");
    assert_eq!(check["metadata"]["finalizers"], Value::Null, "nothing is kept back for it");
    assert_eq!(events(&world, "c").await, Vec::<String>::new());
    world.object(CHECK, "root", "subject: {user: root@pam}, path: /, require: [Sys.Modify]").await;
    holds(&world, "root", "Sys.Modify is held on /: root@pam may do everything").await;
}

#[tokio::test]
async fn a_check_that_fails_from_the_start_says_what_decides_and_is_told() {
    let world = world().await;
    world.object(CHECK, "c", "subject: {user: u@pve}, path: /vms/100, forbid: [VM.Audit, VM.Console]").await;
    fails(&world, "c", "VM.Audit, VM.Console are held on /vms/100: by Use for group g on /vms (propagated)").await;
    told(&world, "c", "Warning AssertionFailed").await;
    world.object(CHECK, "ghost", "subject: {group: ghost}, path: /vms, require: [VM.Audit]").await;
    fails(&world, "ghost", "VM.Audit is not held on /vms: group ghost does not exist in Proxmox VE").await;
    world.object(CHECK, "typo", "subject: {group: g}, path: /vms, require: [VM.Audti]").await;
    let message = world.reason(CHECK, "typo", "InvalidSpec").await;
    assert!(message.contains("did you mean VM.Audit?"), "{message}");
    world.object(CHECK, "lost", "subject: {group: g}, path: /vm/100, forbid: [VM.Audit]").await;
    let message = world.reason(CHECK, "lost", "InvalidSpec").await;
    assert!(message.contains("no permissions on a path such as /vm/100"), "{message}");
}

#[tokio::test]
async fn a_role_that_is_edited_by_hand_turns_a_check_and_turns_it_back() {
    let world = world().await;
    world.object(CHECK, "c", "subject: {group: g}, path: /vms, require: [VM.Audit, VM.Console]").await;
    world.ready(CHECK, "c").await;
    world.pve_call("PUT", "/access/roles/Use", &[("privs", "VM.Audit")]).await;
    fails(&world, "c", "VM.Console is not held on /vms: the deepest entry that counts is Use for group g on /vms")
        .await;
    told(&world, "c", "Warning AssertionFailed").await;
    world.pve_call("PUT", "/access/roles/Use", &[("privs", "VM.Audit,VM.Console")]).await;
    holds(&world, "c", "VM.Audit, VM.Console are held on /vms: by Use for group g on /vms").await;
    told(&world, "c", "Normal AssertionHolds").await;
    let (_, metrics) = world.get("/metrics").await;
    let ready = r#"resource_condition{kind="ProxmoxAccessCheck",type="Ready",status="True"} 1"#;
    assert!(metrics.contains(ready), "{metrics}");
}

#[tokio::test]
async fn a_group_is_somebody_who_is_in_it_alone() {
    let world = world().await;
    grant(&world, "/vms", "users", "u@pve", "PVEVMAdmin").await;
    world.object(CHECK, "group", "subject: {group: g}, path: /vms, forbid: [VM.Allocate]").await;
    world.object(CHECK, "user", "subject: {user: u@pve}, path: /vms, forbid: [VM.Allocate]").await;
    world.ready(CHECK, "group").await;
    fails(&world, "user", "VM.Allocate is held on /vms: by PVEVMAdmin for user u@pve on /vms").await;
}

#[tokio::test]
async fn a_separated_token_needs_what_its_user_has_too() {
    let world = world().await;
    world.pve_call("POST", "/access/users/u@pve/token/ci", &[("privsep", "1")]).await;
    world.object(CHECK, "c", "subject: {token: u@pve!ci}, path: /vms, require: [VM.Audit]").await;
    fails(&world, "c", "VM.Audit is not held on /vms: token u@pve!ci lacks it (no entry counts there)").await;
    grant(&world, "/vms", "tokens", "u@pve!ci", "Use").await;
    holds(&world, "c", "VM.Audit is held on /vms: by Use for group g on /vms and by Use for token u@pve!ci on /vms")
        .await;
    world.pve_call("PUT", "/access/users/u@pve", &[("enable", "0")]).await;
    fails(&world, "c", "VM.Audit is not held on /vms: user u@pve is disabled in Proxmox VE").await;
    world.pve_call("PUT", "/access/users/u@pve", &[("enable", "1"), ("expire", "1000000000")]).await;
    fails(&world, "c", "VM.Audit is not held on /vms: user u@pve expired at 2001-09-09T01:46:40Z").await;
}

#[tokio::test]
async fn no_access_is_named() {
    let world = world().await;
    grant(&world, "/vms/100", "users", "u@pve", "NoAccess").await;
    world.object(CHECK, "c", "subject: {user: u@pve}, path: /vms/100, require: [VM.Audit]").await;
    let decides = "the deepest entry that counts is NoAccess for user u@pve on /vms/100";
    fails(&world, "c", &format!("VM.Audit is not held on /vms/100: {decides}")).await;
}

#[tokio::test]
async fn rights_on_a_pool_reach_its_guests() {
    let world = world().await;
    world.pve_call("POST", "/pools", &[("poolid", "p")]).await;
    world.pve_call("PUT", "/pools", &[("poolid", "p"), ("vms", "100")]).await;
    world.pve_call("POST", "/access/groups", &[("groupid", "lab")]).await;
    grant(&world, "/pool/p", "groups", "lab", "Use").await;
    world.object(CHECK, "in", "subject: {group: lab}, path: /vms/100, require: [VM.Audit]").await;
    world.object(CHECK, "out", "subject: {group: lab}, path: /vms/101, require: [VM.Audit]").await;
    holds(&world, "in", "VM.Audit is held on /vms/100: by Use for group lab on /pool/p (through pool p)").await;
    fails(&world, "out", "VM.Audit is not held on /vms/101: no entry counts there").await;
    world.pve_call("PUT", "/pools", &[("poolid", "p"), ("vms", "100"), ("delete", "1")]).await;
    fails(&world, "in", "VM.Audit is not held on /vms/100: no entry counts there").await;
}

#[tokio::test]
async fn a_credential_that_cannot_see_does_not_guess() {
    let world = World::new().await;
    let token = operator_token(&world, &without(&["Sys.Audit", "Pool.Audit"])).await;
    world.start_operator().connect_with(&token, "").await;
    world.object(CHECK, "c", "subject: {user: nobody@pve}, path: /vms/100, forbid: [VM.Audit]").await;
    let message = world.reason(CHECK, "c", "Forbidden").await;
    assert!(message.contains("Sys.Audit on /access"), "{message}");
    world.pve_call("PUT", "/access/roles/Ops", &[("privs", &without(&["Pool.Audit"]))]).await;
    let pools = async || {
        let check = world.get_object(CHECK, "c").await?;
        condition(&check, "Ready")?["message"].as_str()?.contains("Pool.Audit on /pool").then_some(())
    };
    world.until("the next that is missing is named", pools).await;
    world.reason(CHECK, "c", "Forbidden").await;
    world.pve_call("PUT", "/access/roles/Ops", &[("privs", LEAST)]).await;
    let message = "VM.Audit is not held on /vms/100: user nobody@pve does not exist in Proxmox VE; SubjectMissing: it may \
                   hold only since the name of its subject is misspelled (case counts)";
    holds(&world, "c", message).await;
}
