//! When checks are judged, what that costs, and what they say where Proxmox VE is not asked.

use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::{CHECK, events, holds, world};
use crate::world::World;

#[tokio::test]
async fn checks_cost_no_request_but_one_for_each_pool_where_pools_count() {
    let world = world().await;
    world.pve_call("POST", "/pools", &[("poolid", "p")]).await;
    world.ready("ProxmoxConnection", "pve").await;
    let requests = async || {
        world.passes(1).await;
        world.pve.clear_requests();
        world.passes(3).await;
        let counts = world.pve.requests().counts;
        let passes = counts.iter().filter(|it| it.path == "/access/permissions").map(|it| it.count).sum::<u64>();
        let mut each: Vec<_> = counts.into_iter().filter(|it| it.count >= passes - 1).map(|it| it.path).collect();
        each.sort();
        (each, world.pve.requests().count("GET", "/pools"), passes)
    };
    let (without_checks, pools, passes) = requests().await;
    assert!(pools.abs_diff(passes) <= 1, "the list of pools alone");
    for name in ["a", "b"] {
        world.object(CHECK, name, "subject: {group: g}, path: /vms, require: [VM.Audit]").await;
        world.ready(CHECK, name).await;
    }
    let (with_checks, pools, passes) = requests().await;
    assert_eq!(with_checks, without_checks);
    assert!(pools.abs_diff(passes) <= 1, "the list of pools alone");
    world.object(CHECK, "guest", "subject: {group: g}, path: /vms/100, require: [VM.Audit]").await;
    world.ready(CHECK, "guest").await;
    let (_, pools, passes) = requests().await;
    assert!(pools.abs_diff(2 * passes) <= 2, "the list, and the one pool: {pools} in {passes} passes");
}

#[tokio::test]
async fn a_second_pass_writes_nothing_and_one_is_made_on_request() {
    let world = world().await;
    world.object(CHECK, "good", "subject: {group: g}, path: /vms, require: [VM.Audit]").await;
    world.object(CHECK, "bad", "subject: {group: g}, path: /vms, forbid: [VM.Audit]").await;
    world.object(CHECK, "lost", "subject: {groupRef: {name: g}}, path: /vms, forbid: [VM.Audit]").await;
    world.ready(CHECK, "good").await;
    world.reason(CHECK, "bad", "AssertionFailed").await;
    world.reason(CHECK, "lost", "DependencyNotReady").await;
    let versions = async || {
        let mut all = Vec::new();
        for name in ["good", "bad", "lost"] {
            all.push(world.get_object(CHECK, name).await.expect("a check")["metadata"]["resourceVersion"].clone());
        }
        all
    };
    world.passes(2).await;
    let before = versions().await;
    world.passes(3).await;
    assert_eq!(versions().await, before);
    let requested = json!({
        "apiVersion": "proxmox-identity.dev/v1alpha1", "kind": CHECK,
        "metadata": {"name": "good", "annotations": {"proxmox-identity.dev/reconcile-requested-at": "now"}},
    });
    let params = PatchParams::apply("somebody");
    world.api(CHECK).patch("good", &params, &Patch::Apply(requested)).await.expect("annotated");
    let handled =
        async || (world.get_object(CHECK, "good").await?["status"]["lastHandledReconcileAt"] == "now").then_some(());
    world.until("it is handled", handled).await;
    // Changed specs are judged at once.
    world.object(CHECK, "bad", "subject: {group: g}, path: /vms, forbid: [Sys.Modify]").await;
    world.ready(CHECK, "bad").await;
}

#[tokio::test]
async fn what_is_applied_together_is_judged_when_it_stands() {
    let world = World::new().await;
    world.object("ProxmoxGroup", "dev", "").await;
    world
        .object("ProxmoxAcl", "dev", "path: /vms, roles: [{role: PVEVMUser}], subjects: [{groupRef: {name: dev}}]")
        .await;
    world.object(CHECK, "c", "subject: {groupRef: {name: dev}}, path: /vms/100, require: [VM.Audit]").await;
    world.connect().await.start_operator();
    holds(&world, "c", "VM.Audit is held on /vms/100: by PVEVMUser for group dev on /vms (propagated)").await;
    assert_eq!(events(&world, "c").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_check_waits_for_what_it_refers_to() {
    let world = world().await;
    world.object(CHECK, "c", "subject: {groupRef: {name: own}}, path: /vms, require: [VM.Audit]").await;
    let message = world.reason(CHECK, "c", "DependencyNotReady").await;
    assert!(message.contains("ProxmoxGroup own does not exist"), "{message}");
    world.object("ProxmoxGroup", "own", "groupId: g").await;
    world.ready(CHECK, "c").await;
}

#[tokio::test]
async fn a_check_without_a_working_connection_says_so_and_goes_at_once() {
    let world = world().await;
    world.object(CHECK, "c", "subject: {group: g}, path: /vms, require: [VM.Audit]").await;
    world.ready(CHECK, "c").await;
    world.connect_with(&world.pve.token(), "  suspend: true").await;
    world.reason(CHECK, "c", "Suspended").await;
    world.connect_with("root@pam!admin=00000000-0000-0000-0000-00000000dead", "").await;
    world.reason("ProxmoxConnection", "pve", "AuthenticationFailed").await;
    world.reason(CHECK, "c", "ConnectionNotReady").await;
    world.object(CHECK, "d", "subject: {group: g}, path: /vms, require: [VM.Audit], suspend: true").await;
    world.delete(CHECK, "d").await;
    assert!(world.get_object(CHECK, "d").await.is_none(), "it goes at once");
    // Nor does it keep its connection.
    world.delete("ProxmoxConnection", "pve").await;
    world.gone("ProxmoxConnection", "pve").await;
    world.reason(CHECK, "c", "ConnectionNotFound").await;
    world.connect().await;
    world.ready(CHECK, "c").await;
}

#[tokio::test]
async fn a_ready_check_stays_so_in_a_short_outage() {
    let world = world().await;
    world.object(CHECK, "c", "subject: {group: g}, path: /vms, require: [VM.Audit]").await;
    world.object(CHECK, "asleep", "subject: {group: g}, path: /vms, require: [VM.Audit], suspend: true").await;
    world.ready(CHECK, "c").await;
    world.reason(CHECK, "asleep", "Suspended").await;
    world.connect_with("root@pam!admin=00000000-0000-0000-0000-00000000dead", "").await;
    world.reason("ProxmoxConnection", "pve", "AuthenticationFailed").await;
    world.reason(CHECK, "asleep", "ConnectionNotReady").await;
    world.ready(CHECK, "c").await;
}
