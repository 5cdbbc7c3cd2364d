//! Nothing of a stranger is taken, nothing of ours is left.

use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::world::World;

use super::*;
use crate::rights::LEAST;

#[tokio::test]
async fn a_finalizer_from_a_backup_does_not_stay_for_ever() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world
        .apply(
            "apiVersion: proxmox-identity.dev/v1alpha1\nkind: ProxmoxGroup\nmetadata: {name: g, finalizers: \
             [proxmox-identity.dev/finalizer]}\nspec: {connectionRef: {name: pve}}\n",
        )
        .await;
    world.ready("ProxmoxGroup", "g").await;
    world.delete("ProxmoxGroup", "g").await;
    world.until("PVE is clean", async || world.groups().await.is_empty().then_some(())).await;
    world.gone("ProxmoxGroup", "g").await;
}

/// A stranger's group that the credential cannot see, and an object of ours for it.
async fn hidden_stranger() -> World {
    let world = World::new().await;
    let token = operator_token(&world, &without(&["Sys.Audit"])).await;
    world.pve_call("POST", "/access/groups", &[("groupid", "g"), ("comment", "a stranger's")]).await;
    let deny = [("path", "/access/groups/g"), ("users", "ops@pve"), ("roles", "NoAccess")];
    world.pve_call("PUT", "/access/acl", &deny).await;
    world.start_operator().connect_with(&token, "").await;
    world.object("ProxmoxGroup", "g", "comment: ours").await;
    world.reason("ProxmoxGroup", "g", "AlreadyExists").await;
    world
}

#[tokio::test]
async fn what_pve_said_exists_already_is_not_deleted() {
    let world = hidden_stranger().await;
    let object = world.get_object("ProxmoxGroup", "g").await.expect("a group");
    world.delete("ProxmoxGroup", "g").await;
    world.gone("ProxmoxGroup", "g").await;
    assert_eq!(world.groups().await, ["g"], "a stranger's group was deleted; the ledger said {}", object["status"]);
}

#[tokio::test]
async fn what_pve_said_exists_already_is_not_taken_over_by_a_restart() {
    let world = hidden_stranger().await;
    world.kill_operator();
    let undeny = [("path", "/access/groups/g"), ("users", "ops@pve"), ("roles", "NoAccess"), ("delete", "1")];
    world.pve_call("PUT", "/access/acl", &undeny).await;
    world.start_operator();
    world.passes(3).await;
    assert_eq!(world.pve_get("/access/groups/g").await["comment"], "a stranger's");
}

#[tokio::test]
async fn a_finalizer_that_is_removed_by_hand_comes_back() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.resync_each("1h").await;
    world.object("ProxmoxGroup", "g", "").await;
    world.ready("ProxmoxGroup", "g").await;
    for _ in 0..2 {
        let patch = json!({"metadata": {"finalizers": null}});
        world.api("ProxmoxGroup").patch("g", &PatchParams::default(), &Patch::Merge(patch)).await.expect("patched");
        let back = async || {
            let group = world.get_object("ProxmoxGroup", "g").await.expect("a group");
            (!group["metadata"]["finalizers"].is_null()).then_some(())
        };
        // Without it the next deletion would leave the group in PVE.
        world.until("the finalizer is back", back).await;
    }
}

/// An entry of the first object that the second wants too, whose status cannot be stored.
async fn heir_without_a_status() -> World {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.object("ProxmoxAcl", "first", ENTRY).await;
    world.ready("ProxmoxAcl", "first").await;
    deny(&world, "proxmoxacls/status", "object.metadata.name == 'second'").await;
    world.object("ProxmoxAcl", "second", ENTRY).await;
    world.passes(2).await;
    world
}

/// Once its status can be stored, the second object has what the first gave up.
async fn inherits(world: &World) {
    world.passes(3).await;
    allow(world).await;
    world.ready("ProxmoxAcl", "second").await;
    let second = world.get_object("ProxmoxAcl", "second").await.expect("an ACL");
    world.delete("ProxmoxAcl", "second").await;
    world.gone("ProxmoxAcl", "second").await;
    let left = world.acl().await;
    let of_second = left.iter().find(|entry| entry.starts_with("/vms "));
    assert_eq!(of_second, None, "it stays; the ledger said {}", second["status"]["ledger"]);
}

#[tokio::test]
async fn an_heir_whose_status_cannot_be_stored_inherits_all_the_same() {
    let world = heir_without_a_status().await;
    world.delete("ProxmoxAcl", "first").await;
    inherits(&world).await;
}

#[tokio::test]
async fn an_heir_of_a_changed_object_inherits_all_the_same() {
    let world = heir_without_a_status().await;
    world.object("ProxmoxAcl", "first", &ENTRY.replace("/vms", "/nodes")).await;
    world.ready("ProxmoxAcl", "first").await;
    inherits(&world).await;
}

#[tokio::test]
async fn a_group_does_not_take_the_entry_of_a_suspended_object_along() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.object("ProxmoxAcl", "a", ENTRY).await;
    world.ready("ProxmoxAcl", "a").await;
    world.object("ProxmoxAcl", "a", &format!("{ENTRY}, suspend: true")).await;
    world.reason("ProxmoxAcl", "a", "Suspended").await;
    world.delete("ProxmoxAcl", "a").await;
    world.reason("ProxmoxAcl", "a", "DeletionBlocked").await;
    world.delete("ProxmoxGroup", "g").await;
    world.reason("ProxmoxGroup", "g", "DeletionBlocked").await;
    world.passes(2).await;
    assert_eq!(world.acl().await, ["/vms PVEVMUser group:g 1"], "suspended, and its deletion waits");
}

#[tokio::test]
async fn a_revocation_does_not_wait_for_an_unrelated_reference() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.object("ProxmoxGroup", "h", "").await;
    let spec = |subjects: &str| format!("path: /vms, roles: [{{role: PVEVMUser}}], subjects: [{subjects}]");
    world.object("ProxmoxAcl", "a", &spec("{group: g}, {group: h}")).await;
    world.ready("ProxmoxAcl", "a").await;
    world.object("ProxmoxAcl", "a", &spec("{group: h}, {groupRef: {name: later}}")).await;
    world.reason("ProxmoxAcl", "a", "DependencyNotReady").await;
    let only_h = async || (world.acl().await == ["/vms PVEVMUser group:h 1"]).then_some(());
    world.until("g, which was taken out of the spec, loses its right", only_h).await;
}

#[tokio::test]
async fn observing_after_managing_writes_nothing() {
    let world = World::new().await;
    world.start_operator().connect().await;
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
async fn an_observer_passes_on_to_a_manager() {
    let world = World::new().await;
    world.start_operator().connect().await;
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
async fn a_spec_that_changed_while_the_operator_was_down_cleans_the_old_path() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.object("ProxmoxAcl", "a", ENTRY).await;
    world.object("ProxmoxAcl", "b", &ENTRY.replace("/vms", "/storage")).await;
    world.ready("ProxmoxAcl", "a").await;
    world.ready("ProxmoxAcl", "b").await;
    world.kill_operator();
    world.object("ProxmoxAcl", "a", &ENTRY.replace("/vms", "/storage")).await;
    world.object("ProxmoxAcl", "b", &ENTRY.replace("/vms", "/nodes")).await;
    world.start_operator();
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
async fn nothing_is_removed_when_a_ledger_was_edited_away() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "comment: ours").await;
    world.object("ProxmoxAcl", "a", ENTRY).await;
    world.ready("ProxmoxAcl", "a").await;
    for (kind, name) in [("ProxmoxGroup", "g"), ("ProxmoxAcl", "a")] {
        let patch = json!({"status": null});
        world.api(kind).patch_status(name, &PatchParams::default(), &Patch::Merge(patch)).await.expect("patched");
    }
    world.passes(3).await;
    world.ready("ProxmoxAcl", "a").await;
    world.ready("ProxmoxGroup", "g").await;
    assert_eq!(world.acl().await, ["/vms PVEVMUser group:g 1"]);
}

#[tokio::test]
async fn namespace_goes_with_its_secret() {
    let world = World::new().await;
    world.start_operator().connect().await;
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

#[tokio::test]
async fn no_lockout_through_groups() {
    let world = World::new().await;
    let token = operator_token(&world, LEAST).await;
    world.pve_call("POST", "/access/groups", &[("groupid", "opsg")]).await;
    world.pve_call("PUT", "/access/users/ops@pve", &[("groups", "opsg")]).await;
    world.pve_call("PUT", "/access/acl", &[("path", "/"), ("groups", "opsg"), ("roles", "Ops")]).await;
    let user = [("path", "/"), ("users", "ops@pve"), ("roles", "Ops"), ("delete", "1")];
    world.pve_call("PUT", "/access/acl", &user).await;
    world.start_operator().connect_with(&token, "").await;
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
    world.reason("ProxmoxGroup", "opsg", "DeletionBlocked").await;
    world.passes(3).await;
    assert_eq!(world.groups().await, ["opsg"]);
    assert!(world.acl().await.contains(&"/ Ops group:opsg 1".to_owned()), "{:?}", world.acl().await);
}

#[tokio::test]
async fn an_object_with_a_broken_ledger_can_be_let_go_as_orphan() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.ready("ProxmoxGroup", "g").await;
    let patch = json!({"status": {"ledger": [{"claim": "bogus", "origin": "Created", "state": "Applied"}]}});
    world.api("ProxmoxGroup").patch_status("g", &PatchParams::default(), &Patch::Merge(patch)).await.expect("patched");
    let message = world.reason("ProxmoxGroup", "g", "InvalidSpec").await;
    world.object("ProxmoxGroup", "g", "deletionPolicy: Orphan").await;
    world.delete("ProxmoxGroup", "g").await;
    assert!(message.contains("Orphan"), "it gives a way out: {message}");
    world.gone("ProxmoxGroup", "g").await;
}
