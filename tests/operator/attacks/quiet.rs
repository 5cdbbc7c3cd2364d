//! No condition makes the operator ask again and again, say the same again and again, or stop looking.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::world::{World, condition};

use super::*;
use crate::rights::LEAST;

#[tokio::test]
async fn two_default_realms_do_not_fight() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxRealm", "one", &realm("one", ", default: true")).await;
    world.ready("ProxmoxRealm", "one").await;
    world.object("ProxmoxRealm", "two", &realm("two", ", default: true")).await;
    world.reason("ProxmoxRealm", "two", "Conflict").await;
    let default = async |id: &str| world.pve_find(&format!("/access/domains/{id}")).await.map(|it| it["default"] == 1);
    world.until("all of it but the flag is made", async || (default("two").await == Some(false)).then_some(())).await;
    sleep(2000).await;
    let (passes, writes) = rate(&world, 3000).await;
    assert!(writes == 0, "a write war: {passes} passes, {writes} writes in 3 s");
    // Who has the flag keeps it, though the other object is older.
    world.object("ProxmoxRealm", "one", &realm("one", ", default: false")).await;
    world.ready("ProxmoxRealm", "two").await;
    assert_eq!((default("one").await, default("two").await), (Some(false), Some(true)));
    world.object("ProxmoxRealm", "one", &realm("one", ", default: true")).await;
    world.reason("ProxmoxRealm", "one", "Conflict").await;
    world.passes(2).await;
    assert_eq!((default("one").await, default("two").await), (Some(false), Some(true)));
}

#[tokio::test]
async fn a_claim_that_failed_and_is_then_refused_is_not_asked_20_times_a_second() {
    let world = World::new().await;
    let token = operator_token(&world, LEAST).await;
    world.start_operator().connect_with(&token, "").await;
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
async fn the_same_with_a_dependency_that_goes() {
    let world = World::new().await;
    world.start_operator().connect().await;
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
async fn an_object_whose_finalizer_is_denied_costs_no_hot_loop() {
    let world = World::new().await;
    world.start_operator().connect().await;
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
async fn a_connection_whose_finalizer_was_denied_once_heals() {
    let world = World::new().await;
    deny(&world, "proxmoxconnections", "has(object.metadata.finalizers)").await;
    world.start_operator().connect().await;
    let refused = async || world.log().contains("the finalizer of the connection could not be written").then_some(());
    world.until("it is refused", refused).await;
    allow(&world).await;
    world.ready("ProxmoxConnection", "pve").await;
}

#[tokio::test]
async fn a_status_does_not_flap_while_claims_fail() {
    let world = World::new().await;
    world.start_operator().connect().await;
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
async fn a_whole_object_that_pve_refuses_is_not_asked_for_entry_by_entry() {
    let world = World::new().await;
    for group in 0..50 {
        world.pve_call("POST", "/access/groups", &[("groupid", &format!("g{group}"))]).await;
    }
    world.start_operator().connect().await;
    world.ready("ProxmoxConnection", "pve").await;
    let subjects: Vec<String> = (0..50).map(|group| format!("{{group: g{group}}}")).collect();
    let spec = format!(
        "path: /foo, roles: [{{role: PVEVMUser}}, {{role: PVEAuditor}}, {{role: PVEVMAdmin}}], subjects: [{}]",
        subjects.join(", ")
    );
    world.object("ProxmoxAcl", "a", &spec).await;
    world.reason("ProxmoxAcl", "a", "InvalidSpec").await;
    sleep(10_000).await;
    let (passes, writes) = rate(&world, 6000).await;
    assert!(writes <= 30, "{writes} writes, {passes} passes in 6 s");
    world.reason("ProxmoxAcl", "a", "InvalidSpec").await;
}

/// Beside an object whose 1,200 entries PVE refuses, a group is deleted and another entry moves.
async fn others_go_on(world: &World) {
    world.object("ProxmoxGroup", "h", "").await;
    world.object("ProxmoxAcl", "z", "path: /vms, roles: [{role: PVEVMUser}], subjects: [{group: g0}]").await;
    world.ready("ProxmoxGroup", "h").await;
    world.ready("ProxmoxAcl", "z").await;
    let subjects: Vec<String> = (0..300).map(|group| format!("{{group: g{group}}}")).collect();
    let roles = "{role: PVEVMUser}, {role: PVEAuditor}, {role: PVEVMAdmin}, {role: PVEPoolUser}";
    let spec = format!("path: /foo, roles: [{roles}], subjects: [{}]", subjects.join(", "));
    let before = world.pve_writes();
    world.object("ProxmoxAcl", "a", &spec).await;
    world.until("its entries are refused", async || (world.pve_writes() > before).then_some(())).await;
    world.delete("ProxmoxGroup", "h").await;
    world.object("ProxmoxAcl", "z", "path: /vms/100, roles: [{role: PVEVMUser}], subjects: [{group: g0}]").await;
    world.gone("ProxmoxGroup", "h").await;
    let moved = async || (world.acl().await == ["/vms/100 PVEVMUser group:g0 1"]).then_some(());
    world.until("the entry moves", moved).await;
}

#[tokio::test]
async fn others_go_on_beside_it() {
    let world = World::new().await;
    for group in 0..300 {
        world.pve_call("POST", "/access/groups", &[("groupid", &format!("g{group}"))]).await;
    }
    world.start_operator_with(&["RUST_LOG=info"], &[]).connect().await;
    others_go_on(&world).await;
}

#[tokio::test]
async fn others_go_on_beside_it_also_with_the_usual_resync() {
    let world = World::new().await;
    for group in 0..300 {
        world.pve_call("POST", "/access/groups", &[("groupid", &format!("g{group}"))]).await;
    }
    world.start_operator_with(&["RUST_LOG=info"], &[]).connect().await;
    let patch = json!({"spec": {"resyncInterval": "60s"}});
    world.api("ProxmoxConnection").patch("pve", &PatchParams::default(), &Patch::Merge(patch)).await.expect("patched");
    others_go_on(&world).await;
}

#[tokio::test]
async fn metrics_of_a_removed_connection_go() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.ready("ProxmoxConnection", "pve").await;
    world.delete("ProxmoxConnection", "pve").await;
    world.gone("ProxmoxConnection", "pve").await;
    let none_left = async || {
        let (_, metrics) = world.get("/metrics").await;
        (!metrics.lines().any(|line| line.contains("cert_expiry") && line.contains("pve"))).then_some(())
    };
    world.until("they go", none_left).await;
}

#[tokio::test]
async fn a_condition_of_somebody_else_costs_no_writes() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.ready("ProxmoxGroup", "g").await;
    let patch = json!({
        "apiVersion": "proxmox-identity.dev/v1alpha1", "kind": "ProxmoxGroup",
        "status": {"conditions": [{"type": "Checked", "status": "True", "reason": "Ok", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z"}]},
    });
    world
        .api("ProxmoxGroup")
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
async fn a_lost_status_and_steady_failures_are_quiet() {
    let world = World::new().await;
    world.start_operator().connect().await;
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
async fn it_does_not_wait_for_a_slow_pve_when_it_stops() {
    use proxmox_identity::sim::pve::{Fault, FaultName};
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.ready("ProxmoxGroup", "g").await;
    let file = Some("any-request".to_owned());
    world.pve.fault(Fault { file, count: 100_000, ms: 60_000, ..Fault::new(FaultName::Delay) });
    sleep(2500).await;
    let pid = world.process();
    std::process::Command::new("kill").args(["-TERM", &pid.to_string()]).status().expect("killed");
    let started = std::time::Instant::now();
    let running = || std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|it| !it.contains(") Z "));
    while running() && started.elapsed() < Duration::from_secs(40) {
        sleep(50).await;
    }
    assert!(started.elapsed() < Duration::from_secs(30), "it took {:?}", started.elapsed());
}

#[tokio::test]
async fn a_connection_whose_status_is_denied_costs_no_hot_loop() {
    let world = World::new().await;
    deny(&world, "proxmoxconnections/status", "true").await;
    world.start_operator().connect().await;
    world.until("a pass", async || (passes(&world) > 0).then_some(())).await;
    sleep(2000).await;
    let (passes, _) = rate(&world, 5000).await;
    allow(&world).await;
    world.ready("ProxmoxConnection", "pve").await;
    assert!(passes <= 10, "{passes} passes in 5 s with a resync of 1 s");
}
