//! The largest, the oddest and the slowest.

use kube::api::{Patch, PatchParams};
use proxmox_identity::sim::pve::Options;
use serde_json::json;

use crate::world::{World, condition};

use super::*;

#[tokio::test]
async fn a_large_observed_object_has_a_status() {
    let world = World::new().await;
    world.start_operator().connect().await;
    let name = |prefix: &str, i: usize| format!("{prefix}{}{i}", "x".repeat(30));
    let subjects: Vec<String> = (0..1024).map(|i| format!("{{group: {}}}", name("g", i))).collect();
    let roles: Vec<String> = (0..64).map(|i| format!("{{role: {}}}", name("r", i))).collect();
    let spec = format!(
        "path: /vms, managementPolicy: Observe, roles: [{}], subjects: [{}]",
        roles.join(", "),
        subjects.join(", ")
    );
    world.object("ProxmoxAcl", "a", &spec).await;
    let has_status = async || {
        let log = world.log();
        let failed = log.lines().find(|line| line.contains("a status could not be written"));
        assert_eq!(failed.map(|line| line.chars().take(400).collect::<String>()), None);
        condition(&world.get_object("ProxmoxAcl", "a").await?, "Ready").map(drop)
    };
    world.until("it has a status", has_status).await;
}

#[tokio::test]
async fn several_acr_values_are_taken() {
    let world = World::new().await;
    world.start_operator().connect().await;
    let spec = "realm: one, openid: {issuerUrl: 'https://id.example.com', clientId: c, acrValues: [a, b]}";
    world.object("ProxmoxRealm", "one", spec).await;
    world.ready("ProxmoxRealm", "one").await;
}

#[tokio::test]
async fn a_proxy_password_is_refused_by_the_apiserver() {
    let world = World::new().await;
    let spec = json!({
        "apiVersion": "proxmox-identity.dev/v1alpha1", "kind": "ProxmoxConnection", "metadata": {"name": "pve"},
        "spec": {"endpoints": ["https://127.0.0.1:1"], "auth": {"token": {"secretRef": {"name": "token"}}},
            "proxyUrl": "http://someone:canary-proxy@127.0.0.1:1"},
    });
    let params = PatchParams::apply("test").force();
    let refused = world.api("ProxmoxConnection").patch("pve", &params, &Patch::Apply(spec)).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("proxyUrl")));
}

#[tokio::test]
async fn many_realms_change_at_once_without_failing() {
    let world = World::new().await;
    world.start_operator().connect().await;
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
    world.start_operator();
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
async fn the_largest_object_is_granted_and_removed() {
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
    world.start_operator_with(&["RUST_LOG=info"], &[]).connect().await;
    let spec = format!("path: /vms, roles: [{}], subjects: [{}]", roles.join(", "), subjects.join(", "));
    world.object("ProxmoxAcl", "a", &spec).await;
    world.ready("ProxmoxAcl", "a").await;
    let puts = world.pve.requests().count("PUT", "/access/acl");
    world.delete("ProxmoxAcl", "a").await;
    world.gone("ProxmoxAcl", "a").await;
    assert_eq!(puts, 1);
}

#[tokio::test]
async fn lost_answers_of_batches_and_deletions_change_nothing() {
    use proxmox_identity::sim::pve::{Fault, FaultName};
    let world = World::new().await;
    world.start_operator().connect().await;
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
async fn a_pool_with_members_waits_and_goes() {
    let world = World::new().await;
    world.start_operator().connect().await;
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
async fn realms_that_cannot_be_changed_are_not_written() {
    let world = World::new().await;
    let openid = [("type", "openid"), ("issuer-url", "https://id.example.com"), ("client-id", "c")];
    for (id, more) in [("one", ("username-claim", "email")), ("two", ("comment", "x"))] {
        let form: Vec<_> = openid.into_iter().chain([("realm", id), more]).collect();
        world.pve_call("POST", "/access/domains", &form).await;
    }
    let ad = [("type", "ad"), ("realm", "other"), ("server1", "s"), ("domain", "d.example")];
    world.pve_call("POST", "/access/domains", &ad).await;
    let before = world.pve_writes();
    world.start_operator().connect().await;
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
