//! The way to Proxmox VE: certificates, credentials, slowness, and who answers at its end.

use std::time::Duration;

use proxmox_identity::sim::pve::{Options, Simulator};
use serde_json::json;

use crate::proxy::identity::{Authority, Years};
use crate::proxy::{Deed, Proxy};
use crate::world::{World, condition};

async fn token(world: &World, name: &str) -> String {
    let path = format!("/access/users/root@pam/token/{name}");
    let made = world.pve_call("POST", &path, &[("privsep", "0")]).await;
    format!("root@pam!{name}={}", made["value"].as_str().expect("a value"))
}

async fn secret(world: &World, token: &str) {
    world
        .apply(&format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: token}}\nstringData: {{token: '{token}'}}\n"))
        .await;
}

/// A connection through a proxy, with this to prove who answers.
async fn connect(world: &World, name: &str, proxy: &Proxy, tls: &str) {
    secret(world, &world.pve.token()).await;
    world
        .apply(&format!(
            "apiVersion: proxmox-identity.dev/v1alpha1\nkind: ProxmoxConnection\nmetadata: {{name: {name}}}\nspec: \
             {{endpoints: ['{}'], auth: {{token: {{secretRef: {{name: token}}}}}}, tls: {tls}, resyncInterval: 1s}}",
            proxy.url()
        ))
        .await;
}

fn pinned(fingerprint: &str) -> String {
    format!("{{fingerprints: ['{fingerprint}']}}")
}

async fn is_ready(world: &World, name: &str) -> bool {
    let group = world.get_object("ProxmoxGroup", name).await.expect("a group");
    condition(&group, "Ready").is_some_and(|ready| ready["status"] == "True")
}

#[tokio::test]
async fn a_certificate_that_is_not_good_any_more_closes_the_way_and_a_good_one_opens_it() {
    let world = World::new().await;
    let (proxy, authority) = (Proxy::before(&world.pve.url()).await, Authority::new());
    proxy.become_another(authority.signs(Years::Now));
    let trust = format!("{{caBundle: {}}}", json!(authority.pem()));
    world.start_operator();
    connect(&world, "pve", &proxy, &trust).await;
    world.object("ProxmoxGroup", "g", "").await;
    world.ready("ProxmoxGroup", "g").await;
    let bad = [
        ("it has expired", authority.signs(Years::Past)),
        ("it is not good yet", authority.signs(Years::Future)),
        ("another authority of the same name signed it", Authority::new().signs(Years::Now)),
    ];
    for (number, (why, identity)) in bad.into_iter().enumerate() {
        proxy.become_another(identity);
        proxy.take_seen();
        world.reason("ProxmoxConnection", "pve", "CertificateMismatch").await;
        let fresh = format!("fresh-{number}");
        world.object("ProxmoxGroup", &fresh, "").await;
        world.reason("ProxmoxGroup", &fresh, "ConnectionNotReady").await;
        assert!(is_ready(&world, "g").await, "{why}: what is ready stays so for a while");
        assert_eq!(proxy.take_seen(), [], "{why}: nothing was sent, no credential either");
        proxy.become_another(authority.signs(Years::Now));
        world.ready("ProxmoxConnection", "pve").await;
        world.ready("ProxmoxGroup", &fresh).await;
    }
    // The authority itself is replaced: nobody knows that but a person.
    let next = Authority::new();
    proxy.become_another(next.signs(Years::Now));
    world.reason("ProxmoxConnection", "pve", "CertificateMismatch").await;
    connect(&world, "pve", &proxy, &format!("{{caBundle: {}}}", json!(next.pem()))).await;
    world.ready("ProxmoxConnection", "pve").await;
}

#[tokio::test]
async fn a_pinned_certificate_counts_whatever_its_dates_and_another_one_does_not() {
    let world = World::new().await;
    let (proxy, authority) = (Proxy::before(&world.pve.url()).await, Authority::new());
    world.start_operator();
    for years in [Years::Past, Years::Future, Years::Now] {
        proxy.become_another(authority.signs(years));
        connect(&world, "pve", &proxy, &pinned(&proxy.fingerprint())).await;
        world.ready("ProxmoxConnection", "pve").await;
        proxy.become_another(authority.signs(years));
        let message = world.reason("ProxmoxConnection", "pve", "CertificateMismatch").await;
        assert!(message.contains(&proxy.fingerprint()), "the message names the new one: {message}");
    }
}

#[tokio::test]
async fn a_credential_that_is_replaced_in_the_middle_of_much_work_is_used_from_then_on() {
    const GROUPS: usize = 40;
    /// So many of them are asked for when the other credential is there already.
    const LATER: usize = 5;
    let slow = Options { time_scale: 0.02, write_latency: Duration::from_millis(50), ..Options::default() };
    let world = World::with(slow).await;
    let (first, second) = (token(&world, "first").await, token(&world, "second").await);
    world.start_operator().connect_with(&first, "").await;
    for number in LATER..GROUPS {
        world.object("ProxmoxGroup", &format!("g-{number}"), "").await;
    }
    world.until("it is in the midst of it", async || (world.groups().await.len() > 5).then_some(())).await;
    world.pve_call("DELETE", "/access/users/root@pam/token/first", &[]).await;
    secret(&world, &second).await;
    for number in 0..LATER {
        world.object("ProxmoxGroup", &format!("g-{number}"), "").await;
    }
    for number in 0..GROUPS {
        world.ready("ProxmoxGroup", &format!("g-{number}")).await;
    }
    let writes = world.pve.requests().writes;
    let made = writes.iter().filter(|write| write.path == "/access/groups" && write.status == 200);
    let by: Vec<&str> = made.map(|write| write.credential.as_str()).collect();
    assert_eq!(by.len(), GROUPS, "each is made once");
    assert!(by.is_sorted() && by[0].ends_with("first") && by[GROUPS - 1].ends_with("second"), "{by:?}");
    world.ready("ProxmoxConnection", "pve").await;
}

#[tokio::test]
async fn a_connection_whose_answers_take_half_a_minute_holds_up_no_other() {
    let world = World::new().await;
    let proxy = Proxy::before(&world.pve.url()).await;
    proxy.rule(|_| Deed::Late(Duration::from_secs(30)));
    world.start_operator();
    connect(&world, "slow", &proxy, &pinned(&proxy.fingerprint())).await;
    let of_slow = crate::world::manifest("ProxmoxGroup", "late", "").replace("{name: pve}", "{name: slow}");
    world.apply(&of_slow).await;
    world.until("the slow one is asked", async || (!proxy.take_seen().is_empty()).then_some(())).await;
    let other = World::with(Options { time_scale: 0.02, ..Options::default() }).await;
    let (url, fingerprint) = (other.pve.url(), other.pve.fingerprint());
    world
        .apply(&format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: other}}\nstringData: {{token: '{}'}}\n---\n\
             apiVersion: proxmox-identity.dev/v1alpha1\nkind: ProxmoxConnection\nmetadata: {{name: pve}}\nspec: {{endpoints: \
             ['{url}'], auth: {{token: {{secretRef: {{name: other}}}}}}, tls: {}, resyncInterval: 1s}}",
            other.pve.token(),
            pinned(&fingerprint)
        ))
        .await;
    for number in 0..20 {
        let name = format!("quick-{number}");
        world.object("ProxmoxGroup", &name, "").await;
        world.ready("ProxmoxGroup", &name).await;
    }
    assert_eq!(world.groups().await, [] as [&str; 0], "the slow one has not come to anything yet");
    proxy.heal();
    proxy.end_connections();
    world.ready("ProxmoxGroup", "late").await;
}

#[tokio::test]
async fn another_cluster_that_answers_at_the_same_address_is_not_written_to() {
    let world = World::new().await;
    let proxy = Proxy::before(&world.pve.url()).await;
    let other = Simulator::start(Options {
        time_scale: 0.02,
        root_token: world.pve.token().split_once('=').map(|(_, key)| key.to_owned()),
        ..Options::default()
    });
    let other = other.await.expect("a simulator");
    world.start_operator();
    connect(&world, "pve", &proxy, &pinned(&proxy.fingerprint())).await;
    for name in ["g", "leaving"] {
        world.object("ProxmoxGroup", name, "").await;
        world.ready("ProxmoxGroup", name).await;
    }
    // Same address, same certificate, same credential.
    proxy.lead_to(&other.url());
    world.reason("ProxmoxConnection", "pve", "ClusterChanged").await;
    world.delete("ProxmoxGroup", "leaving").await;
    world.reason("ProxmoxGroup", "leaving", "DeletionBlocked").await;
    world.object("ProxmoxGroup", "fresh", "").await;
    world.reason("ProxmoxGroup", "fresh", "ConnectionNotReady").await;
    assert!(other.requests().writes.is_empty(), "{:?}", other.requests().writes);
    proxy.lead_to(&world.pve.url());
    world.gone("ProxmoxGroup", "leaving").await;
    world.ready("ProxmoxGroup", "fresh").await;
    assert_eq!(world.groups().await, ["fresh", "g"]);
}
