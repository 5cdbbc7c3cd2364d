//! Attacks: each test says what should hold. Those that fail show a defect.

use std::time::Duration;

use kube::Api;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use kube::discovery::ApiResource;
use proxmox_identity::sim::pve::Options;
use serde_json::{Value, json};

use crate::world::{World, condition};

const LEAST: &str = "Group.Allocate,User.Modify,Realm.AllocateUser,Realm.Allocate,Permissions.Modify,Sys.Audit,Sys.Modify,\
                     Pool.Allocate,Pool.Audit";

/// Makes a role, a user and a full token of it; answers with the token's text.
async fn operator_token(world: &World, privileges: &str) -> String {
    world.pve_call("POST", "/access/roles", &[("roleid", "Ops"), ("privs", privileges)]).await;
    world.pve_call("POST", "/access/users", &[("userid", "ops@pve")]).await;
    world.pve_call("PUT", "/access/acl", &[("path", "/"), ("users", "ops@pve"), ("roles", "Ops")]).await;
    let made = world.pve_call("POST", "/access/users/ops@pve/token/operator", &[("privsep", "0")]).await;
    format!("ops@pve!operator={}", made["value"].as_str().expect("a value"))
}

fn without(privileges: &[&str]) -> String {
    LEAST.split(',').filter(|name| !privileges.contains(name)).collect::<Vec<_>>().join(",")
}

fn passes(world: &World) -> u64 {
    world.pve.requests().count("GET", "/access/permissions")
}

async fn sleep(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// Passes and writes in so many milliseconds.
async fn rate(world: &World, millis: u64) -> (u64, u64) {
    let (reads, writes) = (passes(world), world.pve_writes());
    sleep(millis).await;
    (passes(world) - reads, world.pve_writes() - writes)
}

fn resource(kind: &str) -> ApiResource {
    ApiResource {
        group: "proxmox-identity.dev".into(),
        version: "v1alpha1".into(),
        api_version: "proxmox-identity.dev/v1alpha1".into(),
        kind: kind.into(),
        plural: format!("{}s", kind.to_lowercase()),
    }
}

fn api(world: &World, kind: &str) -> Api<DynamicObject> {
    Api::namespaced_with(world.client.clone(), &world.namespace, &resource(kind))
}

fn policies(world: &World, kind: &str) -> Api<DynamicObject> {
    let resource = ApiResource {
        group: "admissionregistration.k8s.io".into(),
        version: "v1".into(),
        api_version: "admissionregistration.k8s.io/v1".into(),
        kind: kind.into(),
        plural: if kind.ends_with('y') {
            "validatingadmissionpolicies".into()
        } else {
            "validatingadmissionpolicybindings".into()
        },
    };
    Api::all_with(world.client.clone(), &resource)
}

/// The apiserver refuses what fits the CEL condition, as an admission webhook of somebody might, or a quota.
async fn deny(world: &World, resource: &str, condition: &str) {
    let name = format!("deny-{}", world.namespace);
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{
                "apiGroups": ["proxmox-identity.dev"], "apiVersions": ["*"], "operations": ["UPDATE"],
                "resources": [resource],
            }]},
            "matchConditions": [{"name": "ours", "expression": format!("request.namespace == '{}'", world.namespace)}],
            "validations": [{"expression": format!("!({condition})"), "message": "denied by the test"}],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name}, "spec": {"policyName": name, "validationActions": ["Deny"]},
    });
    let params = PatchParams::apply("test").force();
    policies(world, "ValidatingAdmissionPolicy").patch(&name, &params, &Patch::Apply(policy)).await.expect("a policy");
    policies(world, "ValidatingAdmissionPolicyBinding")
        .patch(&name, &params, &Patch::Apply(binding))
        .await
        .expect("a binding");
    sleep(3000).await;
}

async fn allow(world: &World) {
    let name = format!("deny-{}", world.namespace);
    let params = DeleteParams::default();
    let _ = policies(world, "ValidatingAdmissionPolicyBinding").delete(&name, &params).await;
    let _ = policies(world, "ValidatingAdmissionPolicy").delete(&name, &params).await;
    sleep(3000).await;
}

async fn version(world: &World, kind: &str, name: &str) -> String {
    let object = world.get_object(kind, name).await.expect("an object");
    object["metadata"]["resourceVersion"].as_str().expect("a version").to_owned()
}

/// How often the object is changed in so many milliseconds.
async fn changes(world: &World, kind: &str, name: &str, millis: u64) -> (usize, Vec<Value>) {
    let started = std::time::Instant::now();
    let (mut seen, mut last, mut texts) = (0, version(world, kind, name).await, Vec::new());
    while started.elapsed() < Duration::from_millis(millis) {
        sleep(10).await;
        let object = world.get_object(kind, name).await.expect("an object");
        let now = object["metadata"]["resourceVersion"].as_str().expect("a version").to_owned();
        if now != last {
            (seen, last) = (seen + 1, now);
            texts.push(json!([object["status"]["pendingChanges"], condition(&object, "Ready")]));
        }
    }
    (seen, texts)
}

fn realm(id: &str, more: &str) -> String {
    format!("realm: {id}, openid: {{issuerUrl: 'https://id.example.com', clientId: c}}{more}")
}

const ENTRY: &str = "path: /vms, roles: [{role: PVEVMUser}], subjects: [{group: g}]";

#[tokio::test]
async fn a01_two_default_realms_do_not_fight() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.object("ProxmoxRealm", "one", &realm("one", ", default: true")).await;
    world.ready("ProxmoxRealm", "one").await;
    world.object("ProxmoxRealm", "two", &realm("two", ", default: true")).await;
    sleep(2000).await;
    let (passes, writes) = rate(&world, 3000).await;
    assert!(writes == 0, "a write war: {passes} passes, {writes} writes in 3 s");
}

#[tokio::test]
async fn a02_a_finalizer_from_a_backup_does_not_stay_for_ever() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world
        .apply(
            "apiVersion: proxmox-identity.dev/v1alpha1\nkind: ProxmoxGroup\nmetadata: {name: g, finalizers: \
             [proxmox-identity.dev/finalizer]}\nspec: {connectionRef: {name: pve}}\n",
        )
        .await;
    world.ready("ProxmoxGroup", "g").await;
    world.delete("ProxmoxGroup", "g").await;
    world.until("PVE is clean", async || world.groups().await.is_empty().then_some(())).await;
    sleep(4000).await;
    let left = world.get_object("ProxmoxGroup", "g").await;
    assert!(left.is_none(), "the object stays for ever: {left:#?}");
}

#[tokio::test]
async fn a03_a_claim_that_failed_and_is_then_refused_is_not_asked_20_times_a_second() {
    let world = World::new().await;
    let token = operator_token(&world, LEAST).await;
    world.start_operator().await.connect_with(&token, "").await;
    world.pve_call("POST", "/access/groups", &[("groupid", "g")]).await;
    world.object("ProxmoxAcl", "a", ENTRY).await;
    world.ready("ProxmoxAcl", "a").await;
    world.pve_call("PUT", "/access/roles/Ops", &[("privs", &without(&["Permissions.Modify"]))]).await;
    world.delete("ProxmoxAcl", "a").await;
    world.reason("ProxmoxAcl", "a", "DeletionBlocked").await;
    sleep(2500).await;
    let steady = rate(&world, 5000).await;
    // Now it cannot be seen either.
    world.pve_call("PUT", "/access/roles/Ops", &[("privs", &without(&["Permissions.Modify", "Sys.Audit"]))]).await;
    sleep(2500).await;
    let (passes, _) = rate(&world, 5000).await;
    assert!(passes <= 10, "{passes} passes in 5 s with a resync of 1 s (before: {steady:?})");
}

#[tokio::test]
async fn a03b_the_same_with_a_dependency_that_goes() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.pve_call("POST", "/access/groups", &[("groupid", "g")]).await;
    world.object("ProxmoxAcl", "a", "path: /foo, roles: [{role: PVEVMUser}], subjects: [{group: g}]").await;
    world.reason("ProxmoxAcl", "a", "InvalidSpec").await;
    world.pve_call("DELETE", "/access/groups/g", &[]).await;
    world.reason("ProxmoxAcl", "a", "DependencyNotReady").await;
    sleep(1500).await;
    let (passes, _) = rate(&world, 5000).await;
    assert!(passes <= 10, "{passes} passes in 5 s with a resync of 1 s");
}

#[tokio::test]
async fn a04_an_object_whose_finalizer_is_denied_costs_no_hot_loop() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.ready("ProxmoxConnection", "pve").await;
    deny(&world, "proxmoxgroups", "object.metadata.name == 'g' && has(object.metadata.finalizers)").await;
    world.object("ProxmoxGroup", "g", "").await;
    sleep(1000).await;
    let (passes, _) = rate(&world, 5000).await;
    let object = world.get_object("ProxmoxGroup", "g").await.expect("a group");
    allow(&world).await;
    world.ready("ProxmoxGroup", "g").await;
    let told = condition(&object, "Ready").is_some();
    assert!(passes <= 10 && told, "{passes} passes in 5 s with a resync of 1 s; told: {told} {}", object["status"]);
}

#[tokio::test]
async fn a05_a_connection_whose_finalizer_was_denied_once_heals() {
    let world = World::new().await;
    deny(&world, "proxmoxconnections", "has(object.metadata.finalizers)").await;
    world.start_operator().await.connect().await;
    sleep(3000).await;
    allow(&world).await;
    for _ in 0..100 {
        if let Some(it) = world.get_object("ProxmoxConnection", "pve").await
            && condition(&it, "Ready").is_some()
        {
            return;
        }
        sleep(100).await;
    }
    panic!("10 s after the cause went the connection is still not looked at");
}

#[tokio::test]
async fn a06_what_pve_said_exists_already_is_not_deleted() {
    let world = World::new().await;
    let token = operator_token(&world, &without(&["Sys.Audit"])).await;
    world.pve_call("POST", "/access/groups", &[("groupid", "g"), ("comment", "a stranger's")]).await;
    let deny = [("path", "/access/groups/g"), ("users", "ops@pve"), ("roles", "NoAccess")];
    world.pve_call("PUT", "/access/acl", &deny).await;
    world.start_operator().await.connect_with(&token, "").await;
    world.object("ProxmoxGroup", "g", "comment: ours").await;
    world.reason("ProxmoxGroup", "g", "AlreadyExists").await;
    let object = world.get_object("ProxmoxGroup", "g").await.expect("a group");
    world.delete("ProxmoxGroup", "g").await;
    for _ in 0..50 {
        if world.get_object("ProxmoxGroup", "g").await.is_none() {
            break;
        }
        sleep(100).await;
    }
    assert_eq!(world.groups().await, ["g"], "a stranger's group was deleted; the ledger said {}", object["status"]);
}

#[tokio::test]
async fn a06b_what_pve_said_exists_already_is_not_taken_over_by_a_restart() {
    let world = World::new().await;
    let token = operator_token(&world, &without(&["Sys.Audit"])).await;
    world.pve_call("POST", "/access/groups", &[("groupid", "g"), ("comment", "a stranger's")]).await;
    let deny = [("path", "/access/groups/g"), ("users", "ops@pve"), ("roles", "NoAccess")];
    world.pve_call("PUT", "/access/acl", &deny).await;
    world.start_operator().await.connect_with(&token, "").await;
    world.object("ProxmoxGroup", "g", "comment: ours").await;
    world.reason("ProxmoxGroup", "g", "AlreadyExists").await;
    world.kill_operator();
    let undeny = [("path", "/access/groups/g"), ("users", "ops@pve"), ("roles", "NoAccess"), ("delete", "1")];
    world.pve_call("PUT", "/access/acl", &undeny).await;
    world.start_operator().await;
    sleep(4000).await;
    assert_eq!(world.pve_get("/access/groups/g").await["comment"], "a stranger's");
}

#[tokio::test]
async fn a07_a_status_does_not_flap_while_claims_fail() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.pve_call("POST", "/access/groups", &[("groupid", "g")]).await;
    world
        .object("ProxmoxAcl", "a", "path: /foo, roles: [{role: PVEVMUser}], subjects: [{group: g}, {group: nobody}]")
        .await;
    world.reason("ProxmoxAcl", "a", "DependencyNotReady").await;
    sleep(4000).await;
    let (changes, texts) = changes(&world, "ProxmoxAcl", "a", 6000).await;
    assert!(changes == 0, "{changes} status writes in 6 s: {texts:#?}");
}

#[tokio::test]
async fn a08_a_whole_object_that_pve_refuses_is_not_asked_for_entry_by_entry() {
    let world = World::new().await;
    for group in 0..50 {
        world.pve_call("POST", "/access/groups", &[("groupid", &format!("g{group}"))]).await;
    }
    world.start_operator().await.connect().await;
    world.ready("ProxmoxConnection", "pve").await;
    let subjects: Vec<String> = (0..50).map(|group| format!("{{group: g{group}}}")).collect();
    let spec = format!(
        "path: /foo, roles: [{{role: PVEVMUser}}, {{role: PVEAuditor}}, {{role: PVEVMAdmin}}], subjects: [{}]",
        subjects.join(", ")
    );
    world.object("ProxmoxAcl", "a", &spec).await;
    sleep(15_000).await;
    let (passes, writes) = rate(&world, 6000).await;
    let object = world.get_object("ProxmoxAcl", "a").await.expect("an ACL");
    let told = condition(&object, "Ready").expect("ready")["reason"].clone();
    assert!(told == "InvalidSpec" && writes <= 30, "{told}; {writes} writes, {passes} passes in 6 s");
}

#[tokio::test]
async fn a08b_others_go_on_beside_it() {
    let world = World::new().await;
    for group in 0..300 {
        world.pve_call("POST", "/access/groups", &[("groupid", &format!("g{group}"))]).await;
    }
    world.start_operator_with(&["RUST_LOG=info"], &[]).await.connect().await;
    world.object("ProxmoxGroup", "h", "").await;
    world.object("ProxmoxAcl", "z", "path: /vms, roles: [{role: PVEVMUser}], subjects: [{group: g0}]").await;
    world.ready("ProxmoxGroup", "h").await;
    world.ready("ProxmoxAcl", "z").await;
    let subjects: Vec<String> = (0..300).map(|group| format!("{{group: g{group}}}")).collect();
    let roles = "{role: PVEVMUser}, {role: PVEAuditor}, {role: PVEVMAdmin}, {role: PVEPoolUser}";
    let spec = format!("path: /foo, roles: [{roles}], subjects: [{}]", subjects.join(", "));
    world.object("ProxmoxAcl", "a", &spec).await;
    sleep(1000).await;
    world.delete("ProxmoxGroup", "h").await;
    world.object("ProxmoxAcl", "z", "path: /vms/100, roles: [{role: PVEVMUser}], subjects: [{group: g0}]").await;
    sleep(30_000).await;
    let h = world.get_object("ProxmoxGroup", "h").await.is_none();
    let acl = world.acl().await;
    assert!(h && acl == ["/vms/100 PVEVMUser group:g0 1"], "after 30 s: group h gone: {h}; {acl:?}");
}

#[tokio::test]
async fn a08c_others_go_on_beside_it_also_with_the_usual_resync() {
    let world = World::new().await;
    for group in 0..300 {
        world.pve_call("POST", "/access/groups", &[("groupid", &format!("g{group}"))]).await;
    }
    world.start_operator_with(&["RUST_LOG=info"], &[]).await.connect().await;
    let patch = json!({"spec": {"resyncInterval": "60s"}});
    api(&world, "ProxmoxConnection")
        .patch("pve", &PatchParams::default(), &Patch::Merge(patch))
        .await
        .expect("patched");
    world.object("ProxmoxGroup", "h", "").await;
    world.object("ProxmoxAcl", "z", "path: /vms, roles: [{role: PVEVMUser}], subjects: [{group: g0}]").await;
    world.ready("ProxmoxGroup", "h").await;
    world.ready("ProxmoxAcl", "z").await;
    let subjects: Vec<String> = (0..300).map(|group| format!("{{group: g{group}}}")).collect();
    let roles = "{role: PVEVMUser}, {role: PVEAuditor}, {role: PVEVMAdmin}, {role: PVEPoolUser}";
    let spec = format!("path: /foo, roles: [{roles}], subjects: [{}]", subjects.join(", "));
    world.object("ProxmoxAcl", "a", &spec).await;
    sleep(1000).await;
    world.delete("ProxmoxGroup", "h").await;
    world.object("ProxmoxAcl", "z", "path: /vms/100, roles: [{role: PVEVMUser}], subjects: [{group: g0}]").await;
    sleep(30_000).await;
    let h = world.get_object("ProxmoxGroup", "h").await.is_none();
    let acl = world.acl().await;
    assert!(h && acl == ["/vms/100 PVEVMUser group:g0 1"], "after 30 s: group h gone: {h}; {acl:?}");
}

#[tokio::test]
async fn a09_a_finalizer_that_is_removed_by_hand_comes_back() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.ready("ProxmoxGroup", "g").await;
    let patch = json!({"metadata": {"finalizers": null}});
    api(&world, "ProxmoxGroup").patch("g", &PatchParams::default(), &Patch::Merge(patch)).await.expect("patched");
    sleep(3000).await;
    let group = world.get_object("ProxmoxGroup", "g").await.expect("a group");
    assert!(!group["metadata"]["finalizers"].is_null(), "no finalizer: the next deletion leaves the group in PVE");
}

#[tokio::test]
async fn a10_a_large_observed_object_has_a_status() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    let name = |prefix: &str, i: usize| format!("{prefix}{}{i}", "x".repeat(30));
    let subjects: Vec<String> = (0..1024).map(|i| format!("{{group: {}}}", name("g", i))).collect();
    let roles: Vec<String> = (0..64).map(|i| format!("{{role: {}}}", name("r", i))).collect();
    let spec = format!(
        "path: /vms, managementPolicy: Observe, roles: [{}], subjects: [{}]",
        roles.join(", "),
        subjects.join(", ")
    );
    world.object("ProxmoxAcl", "a", &spec).await;
    sleep(20_000).await;
    let object = world.get_object("ProxmoxAcl", "a").await.expect("an ACL");
    let log = world.log();
    let why = log.lines().find(|line| line.contains("a status could not be written")).unwrap_or_default();
    let why: String = why.chars().take(400).collect();
    assert!(condition(&object, "Ready").is_some(), "no status after 20 s: {why}");
}

#[tokio::test]
async fn a11_an_heir_whose_status_cannot_be_stored_inherits_all_the_same() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.object("ProxmoxAcl", "first", ENTRY).await;
    world.ready("ProxmoxAcl", "first").await;
    deny(&world, "proxmoxacls/status", "object.metadata.name == 'second'").await;
    world.object("ProxmoxAcl", "second", ENTRY).await;
    sleep(1500).await;
    world.delete("ProxmoxAcl", "first").await;
    sleep(3000).await;
    allow(&world).await;
    world.ready("ProxmoxAcl", "second").await;
    let second = world.get_object("ProxmoxAcl", "second").await.expect("an ACL");
    world.delete("ProxmoxAcl", "second").await;
    world.gone("ProxmoxAcl", "second").await;
    assert!(
        world.acl().await.is_empty(),
        "{:?} stays; the ledger said {}",
        world.acl().await,
        second["status"]["ledger"]
    );
}

#[tokio::test]
async fn a12_a_group_does_not_take_the_entry_of_a_suspended_object_along() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.object("ProxmoxAcl", "a", ENTRY).await;
    world.ready("ProxmoxAcl", "a").await;
    world.object("ProxmoxAcl", "a", &format!("{ENTRY}, suspend: true")).await;
    world.reason("ProxmoxAcl", "a", "Suspended").await;
    world.delete("ProxmoxAcl", "a").await;
    world.reason("ProxmoxAcl", "a", "DeletionBlocked").await;
    world.delete("ProxmoxGroup", "g").await;
    sleep(3000).await;
    assert_eq!(world.acl().await, ["/vms PVEVMUser group:g 1"], "suspended, and its deletion waits");
}

#[tokio::test]
async fn a13_several_acr_values_are_taken() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    let spec = "realm: one, openid: {issuerUrl: 'https://id.example.com', clientId: c, acrValues: [a, b]}";
    world.object("ProxmoxRealm", "one", spec).await;
    sleep(4000).await;
    let object = world.get_object("ProxmoxRealm", "one").await.expect("a realm");
    assert_eq!(condition(&object, "Ready").expect("ready")["status"], "True", "{}", object["status"]);
}

#[tokio::test]
async fn b07_a_proxy_password_is_refused_by_the_apiserver() {
    let world = World::new().await;
    let spec = json!({
        "apiVersion": "proxmox-identity.dev/v1alpha1", "kind": "ProxmoxConnection", "metadata": {"name": "pve"},
        "spec": {"endpoints": ["https://127.0.0.1:1"], "auth": {"token": {"secretRef": {"name": "token"}}},
            "proxyUrl": "http://someone:canary-proxy@127.0.0.1:1"},
    });
    let params = PatchParams::apply("test").force();
    let refused = api(&world, "ProxmoxConnection").patch("pve", &params, &Patch::Apply(spec)).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("proxyUrl")));
}

#[tokio::test]
async fn a15_metrics_of_a_removed_connection_go() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.ready("ProxmoxConnection", "pve").await;
    world.delete("ProxmoxConnection", "pve").await;
    world.gone("ProxmoxConnection", "pve").await;
    sleep(1000).await;
    let (_, metrics) = world.get("/metrics").await;
    let left: Vec<&str> = metrics.lines().filter(|line| line.contains("cert_expiry") && line.contains("pve")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a16_a_revocation_does_not_wait_for_an_unrelated_reference() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.object("ProxmoxGroup", "h", "").await;
    let spec = |subjects: &str| format!("path: /vms, roles: [{{role: PVEVMUser}}], subjects: [{subjects}]");
    world.object("ProxmoxAcl", "a", &spec("{group: g}, {group: h}")).await;
    world.ready("ProxmoxAcl", "a").await;
    world.object("ProxmoxAcl", "a", &spec("{group: h}, {groupRef: {name: later}}")).await;
    world.reason("ProxmoxAcl", "a", "DependencyNotReady").await;
    sleep(3000).await;
    assert_eq!(world.acl().await, ["/vms PVEVMUser group:h 1"], "g was taken out of the spec and keeps its right");
}

#[tokio::test]
async fn a17_two_connections_to_one_cluster_do_not_fight() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    let (url, fingerprint) = (world.pve.url(), world.pve.fingerprint());
    world
        .apply(&format!(
            "apiVersion: proxmox-identity.dev/v1alpha1\nkind: ProxmoxConnection\nmetadata: {{name: other}}\nspec: \
             {{endpoints: ['{url}'], auth: {{token: {{secretRef: {{name: token}}}}}}, tls: {{fingerprints: \
             ['{fingerprint}']}}, resyncInterval: 1s}}"
        ))
        .await;
    world.object("ProxmoxGroup", "one", "groupId: g, comment: one").await;
    world.ready("ProxmoxGroup", "one").await;
    world
        .apply(
            "apiVersion: proxmox-identity.dev/v1alpha1\nkind: ProxmoxGroup\nmetadata: {name: two}\nspec: {connectionRef: \
             {name: other}, groupId: g, comment: two, adoptionPolicy: Always}",
        )
        .await;
    sleep(3000).await;
    let (_, writes) = rate(&world, 5000).await;
    assert!(writes == 0, "{writes} writes in 5 s");
}

#[tokio::test]
async fn a18_many_realms_change_at_once_without_failing() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    for i in 0..8 {
        world.object("ProxmoxRealm", &format!("r{i}"), &realm(&format!("r{i}"), ", comment: one")).await;
    }
    for i in 0..8 {
        world.ready("ProxmoxRealm", &format!("r{i}")).await;
    }
    world.kill_operator();
    for i in 0..8 {
        world.object("ProxmoxRealm", &format!("r{i}"), &realm(&format!("r{i}"), ", comment: two")).await;
    }
    world.pve.clear_requests();
    let started = std::time::Instant::now();
    world.start_operator().await;
    for i in 0..8 {
        world.ready("ProxmoxRealm", &format!("r{i}")).await;
    }
    let (took, puts) = (started.elapsed(), world.pve_writes());
    let mut events = Vec::new();
    for i in 0..8 {
        events.extend(world.events(&format!("r{i}")).await.into_iter().filter(|it| it.starts_with("Progressing")));
    }
    assert!(puts == 8 && events.is_empty(), "{puts} PUTs, {took:?}, {events:#?}");
}

#[tokio::test]
async fn a19_a_condition_of_somebody_else_costs_no_writes() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.ready("ProxmoxGroup", "g").await;
    let patch = json!({
        "apiVersion": "proxmox-identity.dev/v1alpha1", "kind": "ProxmoxGroup",
        "status": {"conditions": [{"type": "Checked", "status": "True", "reason": "Ok", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z"}]},
    });
    api(&world, "ProxmoxGroup")
        .patch_status("g", &PatchParams::apply("somebody").force(), &Patch::Apply(patch))
        .await
        .expect("patched");
    sleep(1500).await;
    let count = async || {
        let (_, metrics) = world.get("/metrics").await;
        let line = metrics
            .lines()
            .find(|line| line.contains("status_writes_total{kind=\"ProxmoxGroup\",result=\"stored\"}"))
            .expect("a count")
            .to_owned();
        line.rsplit(' ').next().and_then(|text| text.parse::<u64>().ok()).expect("a number")
    };
    let before = count().await;
    sleep(5000).await;
    let writes = count().await - before;
    assert!(writes <= 1, "{writes} status writes in 5 s, for ever");
}

#[tokio::test]
async fn a20_the_largest_object_is_granted_and_removed() {
    let world = World::with(Options { time_scale: 0.02, ..Options::default() }).await;
    let mut subjects = Vec::new();
    for i in 0..1024 {
        world.pve_call("POST", "/access/groups", &[("groupid", &format!("group-number-{i}"))]).await;
        subjects.push(format!("{{group: group-number-{i}}}"));
    }
    let mut roles = Vec::new();
    for i in 0..64 {
        world.pve_call("POST", "/access/roles", &[("roleid", &format!("Role{i}")), ("privs", "VM.Audit")]).await;
        roles.push(format!("{{role: Role{i}}}"));
    }
    world.start_operator_with(&["RUST_LOG=info"], &[]).await.connect().await;
    let spec = format!("path: /vms, roles: [{}], subjects: [{}]", roles.join(", "), subjects.join(", "));
    world.object("ProxmoxAcl", "a", &spec).await;
    world.ready("ProxmoxAcl", "a").await;
    let puts = world.pve.requests().count("PUT", "/access/acl");
    world.delete("ProxmoxAcl", "a").await;
    world.gone("ProxmoxAcl", "a").await;
    assert_eq!(puts, 1);
}

#[tokio::test]
async fn b01_observing_after_managing_writes_nothing() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.object("ProxmoxGroup", "g", "comment: ours").await;
    world.ready("ProxmoxGroup", "g").await;
    world.object("ProxmoxGroup", "g", "comment: other, managementPolicy: Observe").await;
    world.reason("ProxmoxGroup", "g", "Observed").await;
    let before = world.pve_writes();
    world.passes(2).await;
    world.delete("ProxmoxGroup", "g").await;
    world.gone("ProxmoxGroup", "g").await;
    assert_eq!(world.pve_writes(), before);
    assert_eq!(world.groups().await, ["g"]);
}

#[tokio::test]
async fn b02_an_observer_passes_on_to_a_manager() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.object("ProxmoxGroup", "one", "groupId: g").await;
    world.ready("ProxmoxGroup", "one").await;
    world.object("ProxmoxGroup", "one", "groupId: g, managementPolicy: Observe").await;
    world.reason("ProxmoxGroup", "one", "Observed").await;
    world.object("ProxmoxGroup", "two", "groupId: g, comment: two").await;
    world.ready("ProxmoxGroup", "two").await;
    world.delete("ProxmoxGroup", "one").await;
    world.gone("ProxmoxGroup", "one").await;
    world.delete("ProxmoxGroup", "two").await;
    world.gone("ProxmoxGroup", "two").await;
    assert!(world.groups().await.is_empty());
}

#[tokio::test]
async fn b03_a_spec_that_changed_while_the_operator_was_down_cleans_the_old_path() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.object("ProxmoxAcl", "a", ENTRY).await;
    world.object("ProxmoxAcl", "b", &ENTRY.replace("/vms", "/storage")).await;
    world.ready("ProxmoxAcl", "a").await;
    world.ready("ProxmoxAcl", "b").await;
    world.kill_operator();
    world.object("ProxmoxAcl", "a", &ENTRY.replace("/vms", "/storage")).await;
    world.object("ProxmoxAcl", "b", &ENTRY.replace("/vms", "/nodes")).await;
    world.start_operator().await;
    world.ready("ProxmoxAcl", "a").await;
    world.ready("ProxmoxAcl", "b").await;
    assert_eq!(world.acl().await, ["/nodes PVEVMUser group:g 1", "/storage PVEVMUser group:g 1"]);
    for name in ["a", "b"] {
        world.delete("ProxmoxAcl", name).await;
        world.gone("ProxmoxAcl", name).await;
    }
    assert!(world.acl().await.is_empty());
}

#[tokio::test]
async fn b04_a_lost_status_and_steady_failures_are_quiet() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.pve_call("POST", "/access/groups", &[("groupid", "there"), ("comment", "x")]).await;
    world.object("ProxmoxGroup", "one", "groupId: g").await;
    world.ready("ProxmoxGroup", "one").await;
    world.object("ProxmoxGroup", "two", "groupId: g, comment: two").await;
    world.object("ProxmoxGroup", "there", "comment: why").await;
    world.object("ProxmoxGroup", "asleep", "suspend: true").await;
    world
        .object("ProxmoxAcl", "ref", "path: /, roles: [{role: PVEAuditor}], subjects: [{groupRef: {name: nobody}}]")
        .await;
    world.reason("ProxmoxGroup", "two", "Conflict").await;
    world.reason("ProxmoxGroup", "there", "AlreadyExists").await;
    world.reason("ProxmoxAcl", "ref", "DependencyNotReady").await;
    sleep(2000).await;
    let (passes, writes) = rate(&world, 5000).await;
    assert!(passes <= 7 && writes == 0, "{passes} passes, {writes} writes in 5 s");
    for (kind, name) in [("ProxmoxGroup", "two"), ("ProxmoxGroup", "there"), ("ProxmoxAcl", "ref")] {
        let (changes, texts) = changes(&world, kind, name, 2500).await;
        assert!(changes == 0, "{name}: {texts:#?}");
    }
}

#[tokio::test]
async fn b05_nothing_is_removed_when_a_ledger_was_edited_away() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.object("ProxmoxGroup", "g", "comment: ours").await;
    world.object("ProxmoxAcl", "a", ENTRY).await;
    world.ready("ProxmoxAcl", "a").await;
    for (kind, name) in [("ProxmoxGroup", "g"), ("ProxmoxAcl", "a")] {
        let patch = json!({"status": null});
        api(&world, kind).patch_status(name, &PatchParams::default(), &Patch::Merge(patch)).await.expect("patched");
    }
    world.passes(3).await;
    world.ready("ProxmoxAcl", "a").await;
    world.ready("ProxmoxGroup", "g").await;
    assert_eq!(world.acl().await, ["/vms PVEVMUser group:g 1"]);
}

#[tokio::test]
async fn b06_namespace_goes_with_its_secret() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.object("ProxmoxAcl", "a", ENTRY).await;
    world.ready("ProxmoxAcl", "a").await;
    world.delete("Secret", "token").await;
    for (kind, name) in [("ProxmoxConnection", "pve"), ("ProxmoxGroup", "g"), ("ProxmoxAcl", "a")] {
        world.delete(kind, name).await;
    }
    for (kind, name) in [("ProxmoxAcl", "a"), ("ProxmoxGroup", "g"), ("ProxmoxConnection", "pve")] {
        world.gone(kind, name).await;
    }
    assert!(world.groups().await.is_empty());
}

fn pid(world: &World) -> u32 {
    let wanted = format!("--watch-namespace={}", world.namespace);
    for entry in std::fs::read_dir("/proc").expect("processes").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let read = |file: &str| std::fs::read_to_string(entry.path().join(file)).unwrap_or_default();
        let parent = read("stat").rsplit(')').next().and_then(|it| it.split(' ').nth(2)?.parse::<u32>().ok());
        if read("cmdline").split('\0').any(|word| word == wanted) && parent == Some(std::process::id()) {
            return pid;
        }
    }
    panic!("no operator")
}

#[tokio::test]
async fn c01_it_stops_within_seconds_while_pve_is_slow() {
    use proxmox_identity::sim::pve::{Fault, FaultName};
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.ready("ProxmoxGroup", "g").await;
    let file = Some("any-request".to_owned());
    world.pve.fault(Fault { file, count: 100_000, ms: 60_000, ..Fault::new(FaultName::Delay) });
    sleep(2500).await;
    let pid = pid(&world);
    std::process::Command::new("kill").args(["-TERM", &pid.to_string()]).status().expect("killed");
    let started = std::time::Instant::now();
    let running = || std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|it| !it.contains(") Z "));
    while running() && started.elapsed() < Duration::from_secs(40) {
        sleep(50).await;
    }
    assert!(started.elapsed() < Duration::from_secs(5), "it took {:?}", started.elapsed());
}

#[tokio::test]
async fn c02_lost_answers_of_batches_and_deletions_change_nothing() {
    use proxmox_identity::sim::pve::{Fault, FaultName};
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.ready("ProxmoxConnection", "pve").await;
    for before in [false, true] {
        let cut = |world: &World| {
            let file = Some("user.cfg".to_owned());
            world.pve.fault(Fault { file, count: 2, before, ..Fault::new(FaultName::Cut) });
        };
        cut(&world);
        world.object("ProxmoxGroup", "g", "").await;
        world.ready("ProxmoxGroup", "g").await;
        cut(&world);
        let spec =
            "path: /vms, roles: [{role: PVEVMUser}, {role: PVEAuditor}], subjects: [{group: g}, {groupRef: {name: g}}]";
        world.object("ProxmoxAcl", "a", spec).await;
        world.ready("ProxmoxAcl", "a").await;
        assert_eq!(world.acl().await, ["/vms PVEAuditor group:g 1", "/vms PVEVMUser group:g 1"]);
        cut(&world);
        world.delete("ProxmoxAcl", "a").await;
        world.gone("ProxmoxAcl", "a").await;
        cut(&world);
        world.delete("ProxmoxGroup", "g").await;
        world.gone("ProxmoxGroup", "g").await;
        world.pve.clear_faults();
        assert!(world.groups().await.is_empty() && world.acl().await.is_empty());
    }
}

#[tokio::test]
async fn c05_no_lockout_through_groups() {
    let world = World::new().await;
    let token = operator_token(&world, LEAST).await;
    world.pve_call("POST", "/access/groups", &[("groupid", "opsg")]).await;
    world.pve_call("PUT", "/access/users/ops@pve", &[("groups", "opsg")]).await;
    world.pve_call("PUT", "/access/acl", &[("path", "/"), ("groups", "opsg"), ("roles", "Ops")]).await;
    let user = [("path", "/"), ("users", "ops@pve"), ("roles", "Ops"), ("delete", "1")];
    world.pve_call("PUT", "/access/acl", &user).await;
    world.start_operator().await.connect_with(&token, "").await;
    let entry =
        |path: &str, role: &str| format!("path: {path}, roles: [{{role: {role}}}], subjects: [{{group: opsg}}]");
    world.object("ProxmoxRealm", "one", &realm("one", "")).await;
    world.ready("ProxmoxRealm", "one").await;
    for (name, path, role) in
        [("b", "/access/groups", "NoAccess"), ("c", "/access", "PVEAuditor"), ("d", "/access/realm", "NoAccess")]
    {
        world.object("ProxmoxAcl", name, &entry(path, role)).await;
        world.reason("ProxmoxAcl", name, "WouldLockOut").await;
    }
    world.object("ProxmoxAcl", "a", &entry("/", "Ops")).await;
    world.ready("ProxmoxAcl", "a").await;
    world.object("ProxmoxAcl", "a", &entry("/vms", "PVEAuditor")).await;
    world.reason("ProxmoxAcl", "a", "WouldLockOut").await;
    world.object("ProxmoxAcl", "a", &entry("/", "Ops").replace("subjects", "propagate: false, subjects")).await;
    world.reason("ProxmoxAcl", "a", "WouldLockOut").await;
    world.object("ProxmoxGroup", "opsg", "deletionPolicy: Delete").await;
    world.ready("ProxmoxGroup", "opsg").await;
    for name in ["a", "b", "c", "d"] {
        world.delete("ProxmoxAcl", name).await;
    }
    world.delete("ProxmoxGroup", "opsg").await;
    sleep(4000).await;
    assert_eq!(world.groups().await, ["opsg"]);
    assert!(world.acl().await.contains(&"/ Ops group:opsg 1".to_owned()), "{:?}", world.acl().await);
}

#[tokio::test]
async fn c08_a_pool_with_members_waits_and_goes() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.object("ProxmoxPool", "p", "").await;
    world.ready("ProxmoxPool", "p").await;
    world.pve_call("PUT", "/pools/p", &[("vms", "100")]).await;
    world.delete("ProxmoxPool", "p").await;
    let message = world.reason("ProxmoxPool", "p", "DeletionBlocked").await;
    sleep(3000).await;
    let (passes, writes) = rate(&world, 5000).await;
    let (changes, texts) = changes(&world, "ProxmoxPool", "p", 3000).await;
    world.pve_call("PUT", "/pools/p", &[("vms", "100"), ("delete", "1")]).await;
    world.gone("ProxmoxPool", "p").await;
    assert!(passes < 25 && changes == 0, "{message}; {passes} passes, {writes} writes in 5 s; {changes} {texts:#?}");
}

#[tokio::test]
async fn c11_realms_that_cannot_be_changed_are_not_written() {
    let world = World::new().await;
    let openid = [("type", "openid"), ("issuer-url", "https://id.example.com"), ("client-id", "c")];
    for (id, more) in [("one", ("username-claim", "email")), ("two", ("comment", "x"))] {
        let form: Vec<_> = openid.into_iter().chain([("realm", id), more]).collect();
        world.pve_call("POST", "/access/domains", &form).await;
    }
    let ad = [("type", "ad"), ("realm", "other"), ("server1", "s"), ("domain", "d.example")];
    world.pve_call("POST", "/access/domains", &ad).await;
    let before = world.pve_writes();
    world.start_operator().await.connect().await;
    for id in ["one", "two"] {
        let spec = realm(id, ", adoptionPolicy: Always").replace("clientId: c", "clientId: c, usernameClaim: username");
        world.object("ProxmoxRealm", id, &spec).await;
    }
    world.object("ProxmoxRealm", "other", &realm("other", ", adoptionPolicy: Always")).await;
    for id in ["one", "two", "other"] {
        world.reason("ProxmoxRealm", id, "Conflict").await;
    }
    world.passes(2).await;
    for id in ["one", "two", "other"] {
        world.delete("ProxmoxRealm", id).await;
        world.gone("ProxmoxRealm", id).await;
    }
    assert_eq!(world.pve_writes(), before);
}

#[tokio::test]
async fn c19_an_object_with_a_broken_ledger_can_be_let_go_as_orphan() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.ready("ProxmoxGroup", "g").await;
    let patch = json!({"status": {"ledger": [{"claim": "bogus", "origin": "Created", "state": "Applied"}]}});
    api(&world, "ProxmoxGroup")
        .patch_status("g", &PatchParams::default(), &Patch::Merge(patch))
        .await
        .expect("patched");
    let message = world.reason("ProxmoxGroup", "g", "InvalidSpec").await;
    world.object("ProxmoxGroup", "g", "deletionPolicy: Orphan").await;
    world.delete("ProxmoxGroup", "g").await;
    sleep(5000).await;
    let left = world.get_object("ProxmoxGroup", "g").await.is_some();
    assert!(!left, "it stays for ever, and the message gives no way out: {message}");
}

#[tokio::test]
async fn a21_a_connection_whose_status_is_denied_costs_no_hot_loop() {
    let world = World::new().await;
    deny(&world, "proxmoxconnections/status", "true").await;
    world.start_operator().await.connect().await;
    world.until("a pass", async || (passes(&world) > 0).then_some(())).await;
    sleep(2000).await;
    let (passes, _) = rate(&world, 5000).await;
    allow(&world).await;
    world.ready("ProxmoxConnection", "pve").await;
    assert!(passes <= 10, "{passes} passes in 5 s with a resync of 1 s");
}

#[tokio::test]
async fn a11b_an_heir_of_a_changed_object_inherits_all_the_same() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.object("ProxmoxAcl", "first", ENTRY).await;
    world.ready("ProxmoxAcl", "first").await;
    deny(&world, "proxmoxacls/status", "object.metadata.name == 'second'").await;
    world.object("ProxmoxAcl", "second", ENTRY).await;
    sleep(1500).await;
    world.object("ProxmoxAcl", "first", &ENTRY.replace("/vms", "/nodes")).await;
    world.ready("ProxmoxAcl", "first").await;
    sleep(2000).await;
    allow(&world).await;
    world.ready("ProxmoxAcl", "second").await;
    let second = world.get_object("ProxmoxAcl", "second").await.expect("an ACL");
    for name in ["first", "second"] {
        world.delete("ProxmoxAcl", name).await;
        world.gone("ProxmoxAcl", name).await;
    }
    assert!(
        world.acl().await.is_empty(),
        "{:?} stays; the ledger said {}",
        world.acl().await,
        second["status"]["ledger"]
    );
}

#[tokio::test]
async fn c12_a_group_in_use_by_an_object_that_cannot_say_its_wants_stays() {
    let world = World::new().await;
    world.start_operator().await.connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    let spec = |subject: &str| format!("path: /vms, roles: [{{role: PVEVMUser}}], subjects: [{subject}]");
    world.object("ProxmoxGroup", "other", "oidc: {group: x, realm: one}").await;
    world.object("ProxmoxAcl", "a", &spec("{group: g}")).await;
    world.ready("ProxmoxAcl", "a").await;
    // Nothing is given up while a reference is missing, so that the entry for g is still held.
    world.object("ProxmoxAcl", "a", &spec("{groupRef: {name: later}}")).await;
    world.reason("ProxmoxAcl", "a", "DependencyNotReady").await;
    assert_eq!(world.acl().await, ["/vms PVEVMUser group:g 1"]);
    world.delete("ProxmoxGroup", "g").await;
    sleep(3000).await;
    assert_eq!(world.acl().await, ["/vms PVEVMUser group:g 1"], "the entry that is held went with its group");
}
