//! Much to do at once, and nothing to do again and again.

use std::fmt::Write as _;

use serde_json::json;

use crate::world::{World, manifest};

/// Objects that are made at once.
const MANY: usize = 1_000;

/// Memory that the operator may have used at most, in kB; this is a build without optimisation.
const MEMORY: u64 = 150 * 1024;

#[tokio::test]
async fn a_thousand_objects_at_once_take_one_write_each_and_bounded_memory_and_reads() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.ready("ProxmoxConnection", "pve").await;
    let mut manifests = String::new();
    for number in 0..MANY {
        let _ = write!(manifests, "---\n{}", manifest("ProxmoxGroup", &format!("g-{number}"), "comment: c"));
    }
    world.apply(&manifests).await;
    for number in 0..MANY {
        world.ready("ProxmoxGroup", &format!("g-{number}")).await;
    }
    let requests = world.pve.requests();
    assert_eq!(requests.count("POST", "/access/groups"), MANY as u64);
    assert_eq!(world.pve_writes(), MANY as u64, "nothing else was written");
    let passes = requests.count("GET", "/access/permissions");
    assert!(passes < MANY as u64 / 4, "{passes} passes for {MANY} objects");
    let used = world.peak_memory();
    assert!(used < MEMORY, "{used} kB");
}

#[tokio::test]
async fn a_hundred_requests_for_a_pass_write_nothing_but_that_they_were_heard() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "comment: c").await;
    world.object("ProxmoxAcl", "a", "path: /vms, roles: [{role: PVEVMUser}], subjects: [{group: g}]").await;
    world.ready("ProxmoxAcl", "a").await;
    world.ready("ProxmoxGroup", "g").await;
    let shown = async || {
        let mut group = world.get_object("ProxmoxGroup", "g").await.expect("a group")["status"].clone();
        group.as_object_mut().expect("a status").remove("lastHandledReconcileAt");
        let acl = world.get_object("ProxmoxAcl", "a").await.expect("an ACL");
        (group, acl["metadata"]["resourceVersion"].clone())
    };
    let (before, writes) = (shown().await, world.pve_writes());
    for number in 0..100 {
        let when =
            json!({"metadata": {"annotations": {"proxmox-identity.dev/reconcile-requested-at": number.to_string()}}});
        let (params, patch) = (kube::api::PatchParams::default(), kube::api::Patch::Merge(when));
        world.api("ProxmoxGroup").patch("g", &params, &patch).await.expect("annotated");
    }
    world
        .until("the last one is heard", async || {
            let group = world.get_object("ProxmoxGroup", "g").await?;
            (group["status"]["lastHandledReconcileAt"] == "99").then_some(())
        })
        .await;
    world.passes(2).await;
    assert_eq!((shown().await, world.pve_writes()), (before, writes));
}
