//! What is told of some objects while steps for others take long.

use std::net::Ipv4Addr;
use std::time::Duration;

use kube::api::{Patch, PatchParams};
use proxmox_identity::sim::pve::Options;
use serde_json::json;

use crate::proxy::{Deed, Proxy};
use crate::world::World;

/// How long the first pass is held up: meanwhile is made and changed what the next one finds together.
const HELD_UP: Duration = Duration::from_secs(2);

/// How long a step of the next one takes.
const LONG: Duration = Duration::from_secs(20);

/// A world whose operator makes the group `first`, which takes a while, as each further group takes `then`.
async fn at_work(made_before: &[(&str, &str, &str)], then: Duration) -> (World, Proxy) {
    let ldap = Some((Ipv4Addr::LOCALHOST, 0).into());
    let world = World::with(Options { time_scale: 0.02, ldap, ..Options::default() }).await;
    let proxy = Proxy::before(&world.pve.url()).await;
    let (url, fingerprint) = (proxy.url(), proxy.fingerprint());
    world.start_operator().connect().await;
    let way = json!({"spec": {"endpoints": [url], "tls": {"fingerprints": [fingerprint]}, "resyncInterval": "1h"}});
    world.api("ProxmoxConnection").patch("pve", &PatchParams::default(), &Patch::Merge(way)).await.expect("patched");
    for (kind, name, spec) in made_before {
        world.object(kind, name, spec).await;
        world.ready(kind, name).await;
    }
    let mut groups = 0;
    proxy.rule(move |asked| {
        let makes = asked.method == "POST" && asked.path.ends_with("/access/groups");
        groups += u32::from(makes);
        match (makes, groups) {
            (true, 1) => Deed::Late(HELD_UP),
            (true, _) => Deed::Late(then),
            (false, _) => Deed::Pass,
        }
    });
    proxy.take_seen();
    world.object("ProxmoxGroup", "first", "").await;
    let makes_it = async || proxy.take_seen().iter().any(|asked| asked.method == "POST").then_some(());
    world.until("the first pass is at work", makes_it).await;
    (world, proxy)
}

#[tokio::test]
async fn a_sync_that_was_started_is_told_before_the_steps_for_others_are_done() {
    let realm = "realm: ld, ldap: {servers: [127.0.0.1], baseDn: 'dc=example,dc=com', userAttribute: uid, \
                 syncDefaults: {scope: both}}";
    let (world, _proxy) = at_work(&[("ProxmoxRealm", "ld", realm)], LONG).await;
    let asked = json!({"metadata": {"annotations": {"proxmox-identity.dev/sync-requested-at": "now"}}});
    world.api("ProxmoxRealm").patch("ld", &PatchParams::default(), &Patch::Merge(asked)).await.expect("annotated");
    world.object("ProxmoxGroup", "second", "").await;
    world
        .until("it is told that a sync was started", async || {
            let realm = world.get_object("ProxmoxRealm", "ld").await?;
            (realm["status"]["sync"]["requestedAt"] == "now").then_some(())
        })
        .await;
    assert!(!world.groups().await.contains(&"second".to_owned()), "the step for the other is still at work");
}

#[tokio::test]
async fn what_is_taken_over_for_an_object_that_stood_is_told_though_the_pass_looks_twice() {
    let (world, _proxy) = at_work(&[("ProxmoxGroup", "known", "comment: x")], Duration::ZERO).await;
    assert!(!world.events("known").await.iter().any(|event| event.starts_with("Adopted")), "it was made");
    // What a backup without statuses does: nobody remembers whose the group is.
    let forgotten = Patch::Merge(json!({"status": {"ledger": null}}));
    world.api("ProxmoxGroup").patch_status("known", &PatchParams::default(), &forgotten).await.expect("patched");
    world.object("ProxmoxGroup", "second", "").await;
    world.ready("ProxmoxGroup", "second").await;
    world.told("known", "Adopted", &[]).await;
}
