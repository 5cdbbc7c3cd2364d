//! Proxmox VE that answers nothing right for a while, locks that others hold, and writes that were half done.

use std::time::Duration;

use proxmox_identity::sim::pve::{Fault, FaultName, Options};
use serde_json::json;

use crate::deeds::{TIMEOUT, deeds};
use crate::proxy::Proxy;
use crate::witness::Witness;
use crate::world::{World, condition};

#[tokio::test]
async fn whatever_comes_instead_of_answers_changes_nothing_that_is_ready_and_nothing_counts_as_gone() {
    let world = World::new().await;
    let (proxy, witness) = (Proxy::before(&world.pve.url()).await, Witness::of(&world));
    world.start_operator().connect().await;
    let way = json!({"spec": {"endpoints": [proxy.url()], "tls": {"fingerprints": [proxy.fingerprint()]},
        "requestTimeout": format!("{}s", TIMEOUT.as_secs())}});
    let (params, patch) = (kube::api::PatchParams::default(), kube::api::Patch::Merge(way));
    world.api("ProxmoxConnection").patch("pve", &params, &patch).await.expect("patched");
    world.object("ProxmoxGroup", "stays", "").await;
    world
        .object(
            "ProxmoxAcl",
            "a",
            "path: /vms, entryPolicy: Exact, roles: [{role: PVEVMUser}], subjects: [{group: stays}]",
        )
        .await;
    world.ready("ProxmoxAcl", "a").await;
    world.ready("ProxmoxGroup", "stays").await;
    let versions = async || {
        let (group, acl) = (world.get_object("ProxmoxGroup", "stays").await, world.get_object("ProxmoxAcl", "a").await);
        [group, acl].map(|object| object.expect("an object")["metadata"]["resourceVersion"].to_string())
    };
    let before = versions().await;
    for (what, deed) in deeds() {
        world.object("ProxmoxGroup", "leaves", "").await;
        world.ready("ProxmoxGroup", "leaves").await;
        world.ready("ProxmoxConnection", "pve").await;
        let writes = world.pve_writes();
        proxy.rule(move |_| deed.clone());
        proxy.end_connections();
        world.reason("ProxmoxConnection", "pve", "APIUnavailable").await;
        world.delete("ProxmoxGroup", "leaves").await;
        world.reason("ProxmoxGroup", "leaves", "DeletionBlocked").await;
        assert_eq!((versions().await, world.pve_writes()), (before.clone(), writes), "{what}");
        assert!(world.groups().await.contains(&"leaves".to_owned()), "{what}");
        proxy.heal();
        world.gone("ProxmoxGroup", "leaves").await;
        assert_eq!(world.groups().await, ["stays"], "{what}");
    }
    witness.saw_no_lie(&["ProxmoxConnection", "ProxmoxGroup"]);
}

#[tokio::test]
async fn fifty_objects_are_each_made_once_although_others_hold_the_lock_again_and_again() {
    const GROUPS: usize = 50;
    let world = World::new().await;
    for round in 0..10 {
        let fault = Fault::new(FaultName::HeldLock);
        world.pve.fault(Fault { file: Some("user.cfg".to_owned()), skip: round * 5, count: 2, ..fault });
    }
    world.start_operator().connect().await;
    for number in 0..GROUPS {
        world.object("ProxmoxGroup", &format!("g-{number}"), "").await;
    }
    for number in 0..GROUPS {
        world.ready("ProxmoxGroup", &format!("g-{number}")).await;
    }
    let writes = world.pve.requests().writes;
    let made = writes.iter().filter(|write| write.path == "/access/groups" && write.status == 200).count();
    assert_eq!(made, GROUPS);
    assert!(writes.len() > GROUPS, "some were in vain");
    let (_, metrics) = world.get("/metrics").await;
    let told = metrics.lines().find(|line| line.starts_with("proxmox_identity_external_lock_timeouts_total"));
    assert!(told.is_some_and(|line| !line.ends_with(" 0")), "{metrics}");
}

/// Proxmox VE itself looks for the lock for ten seconds.
#[tokio::test]
async fn a_lock_that_another_node_holds_is_waited_for_and_asked_for_again() {
    let held_for = async |(seconds, refusals)| {
        let world = World::with(Options::default()).await;
        world.start_operator().connect().await;
        world.ready("ProxmoxConnection", "pve").await;
        let make = async {
            world.object("ProxmoxGroup", "g", "").await;
            if seconds > 10 {
                world.told("g", "LockTimeout", &[]).await;
            }
        };
        tokio::join!(world.pve.hold_lock(Duration::from_secs(seconds)), make);
        world.ready("ProxmoxGroup", "g").await;
        let writes = world.pve.requests().writes;
        let statuses = writes.iter().filter(|write| write.path == "/access/groups").map(|write| write.status);
        (seconds, refusals, statuses.collect::<Vec<_>>())
    };
    let cases = [(9, 0..=0), (15, 1..=1), (30, 2..=3)];
    for (seconds, refusals, statuses) in futures::future::join_all(cases.map(held_for)).await {
        let (last, refused) = statuses.split_last().expect("a request");
        assert_eq!(*last, 200, "held for {seconds} s");
        assert!(refused.iter().all(|status| *status == 500), "held for {seconds} s: {statuses:?}");
        assert!(refusals.contains(&refused.len()), "held for {seconds} s: {statuses:?}");
    }
}

/// Proxmox VE stores secrets in files of their own before it stores what they are for.
#[tokio::test]
async fn what_was_half_written_is_made_whole_in_the_next_pass() {
    let world = World::new().await;
    world.apply("apiVersion: v1\nkind: Secret\nmetadata: {name: ann}\nstringData: {password: ann-password}\n").await;
    world.start_operator().connect().await;
    for file in ["user.cfg", "domains.cfg"] {
        let fault = Fault { before: true, count: 2, ..Fault::new(FaultName::Cut) };
        world.pve.fault(Fault { file: Some(file.to_owned()), ..fault });
    }
    let realm = "openid: {issuerUrl: 'https://id.example.com', clientId: c}";
    let objects = [
        ("ProxmoxRealm", "oid", realm),
        ("ProxmoxUser", "ann", "realm: pve"),
        ("ProxmoxToken", "ci", "userRef: {name: ann}"),
    ];
    for (kind, name, spec) in objects {
        world.object(kind, name, spec).await;
    }
    for (kind, name, _) in objects {
        world.ready(kind, name).await;
    }
    world.pve.fault(Fault { before: true, file: Some("user.cfg".to_owned()), ..Fault::new(FaultName::Cut) });
    let annotate = json!({"metadata": {"annotations": {"proxmox-identity.dev/rotate-requested-at": "now"}}});
    let (params, patch) = (kube::api::PatchParams::default(), kube::api::Patch::Merge(annotate));
    world.api("ProxmoxToken").patch("ci", &params, &patch).await.expect("annotated");
    world
        .until("the new secret has arrived and works", async || {
            let token = world.get_object("ProxmoxToken", "ci").await?;
            let status = &token["status"]["token"];
            let arrived = status["lastHandledRotateAt"] == "now" && status["secretState"] == "Delivered";
            let ready = condition(&token, "Ready")?["status"] == "True";
            let secret = world.get_object("Secret", "ci").await?;
            let k8s_openapi::ByteString(secret) = serde_json::from_value(secret["data"]["token"].clone()).ok()?;
            let works = world.works(&String::from_utf8(secret).ok()?).await;
            (arrived && ready && works).then_some(())
        })
        .await;
    assert_eq!(world.pve_get("/access/users/ann@pve/token").await.as_array().map(Vec::len), Some(1));
    let broken_off = world.pve.requests().writes.iter().filter(|write| write.status == 0).count();
    assert_eq!(broken_off, 5, "each of them broke off");
    for (kind, name, _) in objects.into_iter().rev() {
        world.delete(kind, name).await;
    }
    for (kind, name, _) in objects {
        world.gone(kind, name).await;
    }
}
