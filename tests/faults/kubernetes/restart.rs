//! A control plane that starts again, forgets what was long ago, or loses everything.

use std::time::Duration;

use proxmox_identity::sim::control_plane::ControlPlane;
use proxmox_identity::sim::pve::Options;
use serde_json::{Value, json};

use crate::proxy::{Deed, Proxy};
use crate::support::cluster;
use crate::world::{World, manifest};

/// What owns sets exactly, and others that claim something in them.
pub(super) const OBJECTS: [(&str, &str, &str); 5] = [
    ("ProxmoxUser", "ann", "realm: pve"),
    ("ProxmoxGroup", "team", "membershipPolicy: Exact, members: [{user: ann@pve}]"),
    ("ProxmoxPool", "lab", "membershipPolicy: Exact, members: {guests: [100]}"),
    ("ProxmoxAcl", "a-exact", "path: /vms, entryPolicy: Exact, roles: [{role: PVEVMUser}], subjects: [{group: team}]"),
    ("ProxmoxAcl", "z-added", "path: /vms, roles: [{role: PVEAuditor}], subjects: [{user: ann@pve}]"),
];

/// A world on a control plane of its own, with a way to it that can be closed.
pub(super) async fn world() -> (&'static ControlPlane, World, Proxy) {
    let plane = ControlPlane::start().await.unwrap_or_else(|error| panic!("no control plane: {error}"));
    let plane: &'static ControlPlane = Box::leak(Box::new(plane));
    cluster::install_crds(&plane.client().await.expect("a client")).await;
    let world = World::on(plane, Options { time_scale: 0.02, ..Options::default() }).await;
    // The account of the operator may be lost, that of an administrator is not.
    let (proxy, through) = Proxy::before_apiserver(&plane.kubeconfig()).await;
    world.start_operator_with(&[&through], &[]).connect().await;
    for (kind, name, spec) in OBJECTS {
        world.object(kind, name, spec).await;
    }
    all_ready(&world).await;
    (plane, world, proxy)
}

pub(super) async fn all_ready(world: &World) {
    for (kind, name, _) in OBJECTS {
        world.ready(kind, name).await;
    }
}

pub(super) async fn stands(world: &World) -> String {
    let (acl, pools) = (world.acl().await, world.pve_get("/pools?poolid=lab").await);
    let (users, groups) = (world.pve_get("/access/users").await, world.pve_get("/access/groups/team").await);
    format!("{acl:?} {} {users} {groups}", pools[0]["members"][0]["vmid"])
}

#[tokio::test]
async fn an_apiserver_that_starts_again_and_has_forgotten_costs_no_write() {
    let (plane, world, proxy) = world().await;
    let (before, writes) = (stands(&world).await, world.pve_writes());
    plane.restart_apiserver().await.expect("it comes back");
    world.passes(2).await;
    all_ready(&world).await;
    // The operator hears nothing while much happens, and what it last heard of is forgotten meanwhile.
    proxy.rule(|_| Deed::Reset);
    proxy.end_connections();
    for number in 0..20 {
        world.apply(&manifest("ProxmoxPool", "unseen", &format!("suspend: true, comment: c{number}"))).await;
    }
    compact(plane).await;
    plane.restart_apiserver().await.expect("it comes back");
    proxy.take_seen();
    proxy.heal();
    world.reason("ProxmoxPool", "unseen", "Suspended").await;
    let lists = proxy.take_seen();
    let anew = |asked: &crate::proxy::Asked| !asked.is_watch() && asked.path.ends_with("/proxmoxpools");
    assert!(lists.iter().any(anew), "it has listed anew");
    all_ready(&world).await;
    world.passes(2).await;
    assert_eq!((stands(&world).await, world.pve_writes()), (before, writes));
}

/// Has etcd forget all that is not current.
async fn compact(plane: &ControlPlane) {
    let post = async |path: &str, body: Value| -> Value {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let url = format!("{}/v3/kv/{path}", plane.etcd_url());
        let answer = client.post(url).body(body.to_string()).send().await.expect("an answer");
        serde_json::from_str(&answer.text().await.expect("a text")).expect("JSON")
    };
    // The key is a zero byte.
    let revision = post("range", json!({"key": "AA=="})).await["header"]["revision"].clone();
    let answer = post("compaction", json!({"revision": revision, "physical": true})).await;
    assert!(answer.get("error").is_none(), "{answer}");
}

#[tokio::test]
async fn a_control_plane_that_loses_everything_removes_nothing_from_proxmox_ve() {
    let (plane, world, proxy) = world().await;
    let (before, writes) = (stands(&world).await, world.pve_writes());
    plane.lose_everything().await.expect("it comes back");
    // No kind is served: what is known goes on to count, but the credential is gone as well.
    proxy.take_seen();
    for _ in 0..3 {
        world
            .until("the credential is looked for", async || {
                let seen = proxy.take_seen();
                seen.iter().any(|asked| asked.path.ends_with("/secrets/token")).then_some(())
            })
            .await;
    }
    assert_eq!((stands(&world).await, world.pve_writes()), (before.clone(), writes));
    cluster::install_crds(&world.client).await;
    cluster::namespace_called(&world.client, &world.namespace).await;
    let passes = || world.pve.requests().count("GET", "/access/permissions");
    world
        .until("nothing is there any more, and nobody asks Proxmox VE", async || {
            let seen = passes();
            tokio::time::sleep(Duration::from_secs(3)).await;
            (passes() == seen).then_some(())
        })
        .await;
    assert_eq!((stands(&world).await, world.pve_writes()), (before.clone(), writes), "what is gone is not deleted");
    // All that is left is in Git: it is applied anew, and then the operator starts.
    world.kill_operator();
    world.connect().await;
    for (kind, name, spec) in OBJECTS.into_iter().rev() {
        world.object(kind, name, spec).await;
    }
    world.start_operator_with(&[&proxy.variable()], &[]);
    all_ready(&world).await;
    world.passes(2).await;
    assert_eq!((stands(&world).await, world.pve_writes()), (before, writes), "it is so already");
}

#[tokio::test]
async fn a_kind_that_is_not_served_holds_up_no_other_and_is_told() {
    let plane = ControlPlane::start().await.unwrap_or_else(|error| panic!("no control plane: {error}"));
    let plane: &'static ControlPlane = Box::leak(Box::new(plane));
    cluster::install_crds(&plane.client().await.expect("a client")).await;
    let world = World::on(plane, Options { time_scale: 0.02, ..Options::default() }).await;
    let deleted = plane.kubectl().args(["delete", "crd", "proxmoxpools.proxmox-identity.dev"]).output();
    assert!(deleted.expect("kubectl runs").status.success());
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.ready("ProxmoxGroup", "g").await;
    let (_, told) = world.get("/readyz").await;
    assert!(told.contains("ProxmoxPool: its CRD is not installed"), "{told}");
    cluster::install_crds(&world.client).await;
    world.object("ProxmoxPool", "p", "").await;
    world.ready("ProxmoxPool", "p").await;
    assert_eq!(world.get("/readyz").await, (200, "ok\n".to_owned()));
}
