//! Much to do at once, and nothing to do again and again.

use serde_json::json;

use crate::world::World;

/// Objects that are made at once, where nobody says how many.
const MANY: usize = 1_000;

/// The variable that says it.
const AT_ONCE: &str = "OBJECTS_AT_ONCE";

/// Memory that the operator may have used at most, in kB: at all, and for each object. Builds for tests use more than others.
const MEMORY: (usize, usize) = (50 * 1024, 100);

#[tokio::test]
async fn a_thousand_objects_at_once_take_one_write_each_and_bounded_memory_and_reads() {
    let many = std::env::var(AT_ONCE).map_or(MANY, |count| count.parse().expect("a number"));
    let world = World::new().await;
    world.start_operator().connect().await;
    world.ready("ProxmoxConnection", "pve").await;
    world.kill_operator();
    for number in 0..many {
        world.object("ProxmoxGroup", &format!("g-{number}"), "comment: c").await;
    }
    world.start_operator();
    for number in 0..many {
        world.ready("ProxmoxGroup", &format!("g-{number}")).await;
    }
    let requests = world.pve.requests();
    assert_eq!(requests.count("POST", "/access/groups"), many as u64);
    assert_eq!(world.pve_writes(), many as u64, "nothing else was written");
    let passes = requests.count("GET", "/access/permissions");
    println!("{passes} passes for {many} objects");
    assert!(passes < many as u64 / 4, "{passes} passes for {many} objects");
    let (used, (idle, each)) = (world.peak_memory(), MEMORY);
    println!("{used} kB");
    assert!(used < (idle + each * many) as u64, "{used} kB");
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
