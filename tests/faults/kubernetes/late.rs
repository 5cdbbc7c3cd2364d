//! Kubernetes shows things late: what the operator knows is old.

use serde_json::json;

use super::events::without_finalizer;
use crate::proxy::{Deed, Forged, Proxy};
use crate::world::World;

#[tokio::test]
async fn what_is_gone_unseen_is_not_made_again() {
    let world = World::new().await;
    let (proxy, through) = Proxy::before_apiserver(world.kubeconfig()).await;
    world.start_operator_with(&[&through], &[]).connect().await;
    for name in ["forced", "deleted", "stays"] {
        world.object("ProxmoxGroup", name, "").await;
        world.ready("ProxmoxGroup", name).await;
    }
    proxy.watching().hold(&["proxmoxgroups"]);
    without_finalizer(&world, "forced").await;
    for name in ["forced", "deleted"] {
        world.delete("ProxmoxGroup", name).await;
    }
    world.gone("ProxmoxGroup", "forced").await;
    // Somebody cleans up by hand. What the operator knows calls for both again.
    for name in ["forced", "deleted", "stays"] {
        world.pve_call("DELETE", &format!("/access/groups/{name}"), &[]).await;
    }
    world.until("what stays is back", async || world.groups().await.contains(&"stays".to_owned()).then_some(())).await;
    world.passes(4).await;
    assert_eq!(world.groups().await, ["stays"], "neither is made again");
    assert!(world.get_object("ProxmoxGroup", "forced").await.is_none(), "nor is the object");
    proxy.watching().release();
    world.gone("ProxmoxGroup", "deleted").await;
    world.passes(2).await;
    assert_eq!(world.groups().await, ["stays"]);
}

#[tokio::test]
async fn an_old_spec_is_never_written_over_what_a_newer_one_made() {
    let world = World::new().await;
    let (proxy, through) = Proxy::before_apiserver(world.kubeconfig()).await;
    world.start_operator_with(&[&through], &[]).connect().await;
    world.object("ProxmoxGroup", "g", "comment: first").await;
    world.object("ProxmoxAcl", "a", "path: /vms, roles: [{role: PVEVMUser}], subjects: [{group: g}]").await;
    world.ready("ProxmoxGroup", "g").await;
    world.ready("ProxmoxAcl", "a").await;
    // These lists are what a cache that lags behind will show after a restart.
    let mut old = Vec::new();
    for plural in ["proxmoxgroups", "proxmoxacls"] {
        let path = format!("/apis/proxmox-identity.dev/v1alpha1/namespaces/{}/{plural}", world.namespace);
        let request = hyper::Request::get(&path).body(Vec::new()).expect("a request");
        old.push((path, world.client.request_text(request).await.expect("a list")));
    }
    world.object("ProxmoxGroup", "g", "comment: second").await;
    world.object("ProxmoxAcl", "a", "path: /vms, roles: [{role: PVEAuditor}], subjects: [{group: g}]").await;
    world.ready("ProxmoxGroup", "g").await;
    world.ready("ProxmoxAcl", "a").await;
    let writes = world.pve_writes();
    world.kill_operator();
    proxy.watching().hold(&["proxmoxgroups", "proxmoxacls"]);
    // Who asks for one object alone is told how it stands.
    proxy.rule(move |asked| {
        let lists = !asked.is_watch() && !asked.query.contains("fieldSelector");
        match old.iter().find(|(path, _)| lists && asked.path == *path) {
            Some((_, list)) => Deed::Answer(Forged::of(200, "application/json", list.clone())),
            None => Deed::Pass,
        }
    });
    world.start_operator_with(&[&through], &[]);
    world.passes(4).await;
    assert_eq!(world.pve_writes(), writes, "nothing is written from an old spec");
    assert_eq!(world.pve_get("/access/groups/g").await["comment"], "second");
    assert_eq!(world.acl().await, ["/vms PVEAuditor group:g 1"]);
    proxy.heal();
    proxy.watching().release();
    world.object("ProxmoxGroup", "g", "comment: third").await;
    world.ready("ProxmoxGroup", "g").await;
    world.ready("ProxmoxAcl", "a").await;
    assert_eq!(world.acl().await, ["/vms PVEAuditor group:g 1"]);
}

#[tokio::test]
async fn what_is_changed_unseen_is_neither_written_nor_called_ready() {
    let world = World::new().await;
    let (proxy, through) = Proxy::before_apiserver(world.kubeconfig()).await;
    world.start_operator_with(&[&through], &[]).connect().await;
    world.object("ProxmoxGroup", "g", "comment: first").await;
    world.ready("ProxmoxGroup", "g").await;
    proxy.watching().hold(&["proxmoxgroups"]);
    world.object("ProxmoxGroup", "g", "comment: second").await;
    let writes = world.pve_writes();
    world.passes(3).await;
    let group = world.get_object("ProxmoxGroup", "g").await.expect("a group");
    assert_eq!(group["status"]["observedGeneration"], json!(1), "the second is not judged");
    assert_eq!(group["metadata"]["generation"], json!(2));
    // Somebody writes by hand what the newer spec says: to the older one that is drift.
    world.pve_call("PUT", "/access/groups/g", &[("comment", "second")]).await;
    world.passes(4).await;
    assert_eq!(world.pve_writes(), writes + 1, "and nobody but us has written");
    assert_eq!(world.pve_get("/access/groups/g").await["comment"], "second");
    proxy.watching().release();
    world.ready("ProxmoxGroup", "g").await;
    assert_eq!(world.pve_writes(), writes + 1, "it is so already");
}
