//! What somebody may try who writes objects, or who changes things in Pocket ID.

use std::fmt::Write as _;
use std::time::Duration;

use proxmox_identity::sim::pocket_id::{Fault, FaultName, Release};
use serde_json::{Value, json};

use super::Both;
use crate::world::condition;

const ADDRESS: &str = "callbackUrls: ['https://a.example']";

async fn secret(world: &Both, name: &str) -> Value {
    world.get_object("Secret", name).await.expect("a Secret")
}

#[tokio::test]
async fn a_secret_of_somebody_else_is_never_written_and_no_client_is_made_for_it() {
    let world = Both::new().await;
    world.start_operator();
    world.ready("PocketIdConnection", "pocket-id").await;
    for theirs in ["token", "pocket-id"] {
        let before = secret(&world, theirs).await;
        let spec = format!("{ADDRESS}, secretTemplate: {{name: {theirs}, labels: {{a: b}}}}");
        world.declare("PocketIdClient", "pve", &spec).await;
        let message = world.reason("PocketIdClient", "pve", "SecretConflict").await;
        assert!(message.contains(theirs), "{message}");
        assert_eq!(secret(&world, theirs).await, before);
    }
    assert_eq!((world.pocket_writes(), world.pocket_client("pve").await), (0, None));
    world.declare("PocketIdClient", "pve", ADDRESS).await;
    world.ready("PocketIdClient", "pve").await;
    let ours = world.value("pve", "clientSecret").await.expect("a secret");
    // Later as little, and what works goes on working.
    let before = secret(&world, "token").await;
    world.declare("PocketIdClient", "pve", &format!("{ADDRESS}, secretTemplate: {{name: token}}")).await;
    world.reason("PocketIdClient", "pve", "SecretConflict").await;
    world
        .patch(
            "PocketIdClient",
            "pve",
            json!({"metadata": {"annotations": {"proxmox-identity.dev/rotate-requested-at": "x"}}}),
        )
        .await;
    world.pocket_passes(2).await;
    assert_eq!(secret(&world, "token").await, before);
    assert!(world.takes("pve", &ours).await);
    world.declare("PocketIdClient", "pve", ADDRESS).await;
    world.ready("PocketIdClient", "pve").await;
    world
        .until("the new secret that was asked for has come", async || {
            let new = world.value("pve", "clientSecret").await?;
            (new != ours && world.takes("pve", &new).await).then_some(())
        })
        .await;
}

/// Between our look and our request somebody makes a client of the same id.
#[tokio::test]
async fn a_client_that_somebody_makes_first_is_not_touched() {
    let world = Both::new().await;
    world.resync("PocketIdConnection/pocket-id", "1h").await;
    let slow = Fault { file: Some("groups".to_owned()), ms: 10_000, ..Fault::new(FaultName::Delay) };
    world.pocket.fault(slow);
    world.declare("PocketIdGroup", "team", "").await;
    let logo = "logo: {url: 'https://a.example/logo.svg'}";
    world.declare("PocketIdClient", "pve", &format!("{ADDRESS}, displayName: Ours, {logo}")).await;
    world.start_operator();
    world.until("the group is being made", async || world.pocket_group("team").await).await;
    let theirs = json!({"id": "pve", "name": "Theirs", "callbackURLs": ["https://theirs.example"]});
    world.pocket_post("/api/oidc/clients", theirs).await;
    let before = world.pocket_client("pve").await;
    let message = world.reason("PocketIdClient", "pve", "AlreadyExists").await;
    assert!(message.contains("displayName"), "{message}");
    world.resync("PocketIdConnection/pocket-id", "1s").await;
    world.pocket_passes(2).await;
    assert_eq!(world.pocket_client("pve").await, before);
    assert!(world.get_object("Secret", "pve").await.is_none());
    world.delete("PocketIdClient", "pve").await;
    world.gone("PocketIdClient", "pve").await;
    assert_eq!(world.pocket_client("pve").await, before);
}

#[tokio::test]
async fn a_secret_that_takes_our_name_before_us_is_left_and_ours_comes_when_it_is_gone() {
    let world = Both::new().await;
    world.apply("apiVersion: v1\nkind: Secret\nmetadata: {name: pve}\nstringData: {clientSecret: theirs}\n").await;
    world.start_operator();
    world.declare("PocketIdClient", "pve", ADDRESS).await;
    world.reason("PocketIdClient", "pve", "SecretConflict").await;
    world.pocket_passes(2).await;
    assert_eq!(world.pocket_writes(), 0);
    world.delete("Secret", "pve").await;
    world.ready("PocketIdClient", "pve").await;
    let ours = world.value("pve", "clientSecret").await.expect("a secret");
    assert!(world.takes("pve", &ours).await);
}

#[tokio::test]
async fn names_that_proxmox_ve_would_drop_or_that_break_out_are_refused() {
    let world = Both::new().await;
    for name in ["Proxmox Users", "a/b", "größe", "a,b", "x", "a\nb", "-"] {
        for (kind, field) in [("PocketIdGroup", "groupName"), ("PocketIdClient", "clientId")] {
            let object = json!({
                "apiVersion": "proxmox-identity.dev/v1alpha1", "kind": kind, "metadata": {"name": "odd"},
                "spec": {"connectionRef": {"name": "pocket-id"}, "callbackUrls": ["https://a.example"], field: name},
            });
            let object = serde_json::from_value(object).expect("an object");
            let made = world.api(kind).create(&kube::api::PostParams::default(), &object).await;
            let refused = matches!(&made, Err(kube::Error::Api(status)) if status.code == 422);
            assert!(refused, "{field} {name:?}: {made:?}");
        }
    }
    // A group of somebody else may have any name.
    world.start_operator();
    let odd = r#"x'; "DROP TABLE" %_ /../ größe"#;
    let id = world.group_by_hand(odd).await;
    let spec = json!({"connectionRef": {"name": "pocket-id"}, "callbackUrls": ["https://a.example"], "allowedGroups": [{"group": odd}]});
    let client = json!({"apiVersion": "proxmox-identity.dev/v1alpha1", "kind": "PocketIdClient", "metadata": {"name": "pve"}, "spec": spec});
    world.put(&serde_json::from_value(client).expect("an object")).await;
    world.ready("PocketIdClient", "pve").await;
    assert_eq!(world.lets_in("pve").await, [odd]);
    world.ask("DELETE", &format!("/api/user-groups/{id}"), None).await;
    let message = world.reason("PocketIdClient", "pve", "DependencyNotReady").await;
    assert!(message.contains(odd), "{message}");
}

#[tokio::test]
async fn the_user_of_the_static_key_is_nobody() {
    let world = Both::new().await;
    world.pocket.add_user("alice", &[]).expect("a user");
    // It comes with its first use.
    let users = world.pocket_get("/api/users?pagination[limit]=100").await;
    let is_static = |user: &&Value| user["id"] == "00000000-0000-0000-0000-000000000000";
    let own = users["data"].as_array().expect("a list").iter().find(is_static).expect("its user")["username"].clone();
    world.start_operator();
    world.declare("PocketIdGroup", "team", &format!("members: [alice, {}]", own.as_str().expect("a name"))).await;
    world.reason("PocketIdGroup", "team", "DependencyNotReady").await;
    world.pocket_passes(2).await;
    assert_eq!(world.members("team").await, ["alice"]);
}

#[tokio::test]
async fn a_group_that_was_renamed_is_never_swapped_for_another_one_of_its_name() {
    let world = Both::new().await;
    world.start_operator();
    world.declare("PocketIdGroup", "team", "friendlyName: Ours").await;
    world.ready("PocketIdGroup", "team").await;
    let id = world.pocket_group("team").await.expect("a group")["id"].as_str().expect("an id").to_owned();
    world.patch("PocketIdConnection", "pocket-id", json!({"spec": {"suspend": true}})).await;
    world.reason("PocketIdGroup", "team", "Suspended").await;
    world.pocket_put(&format!("/api/user-groups/{id}"), json!({"name": "moved", "friendlyName": "Ours"})).await;
    let other = world.group_by_hand("team").await;
    world.patch("PocketIdConnection", "pocket-id", json!({"spec": {"suspend": false}})).await;
    let message = world.reason("PocketIdGroup", "team", "AlreadyExists").await;
    assert!(message.contains("moved"), "{message}");
    // Neither does another object get hold of ours.
    world.declare("PocketIdGroup", "moved", "adoptionPolicy: Always, friendlyName: Theirs").await;
    let message = world.reason("PocketIdGroup", "moved", "Conflict").await;
    assert!(message.contains("PocketIdGroup team"), "{message}");
    let writes = world.pocket_writes();
    world.pocket_passes(2).await;
    assert_eq!(world.pocket_writes(), writes, "nobody writes");
    world.ask("DELETE", &format!("/api/user-groups/{other}"), None).await;
    world.ready("PocketIdGroup", "team").await;
    world.ready("PocketIdGroup", "moved").await;
    assert_eq!(world.pocket_group("team").await.expect("a group")["id"], json!(id));
    assert_eq!(world.pocket_group("moved").await.expect("a group")["friendlyName"], "Theirs");
}

/// Pocket ID keeps texts composed: what is written otherwise never stands as it was written.
#[tokio::test]
async fn what_pocket_id_keeps_otherwise_than_it_was_written_is_told_and_not_written_on_and_on() {
    let world = Both::of(Release::V2_14).await;
    world.start_operator();
    world.declare("PocketIdGroup", "team", "friendlyName: \"Gro\\u0308\\u00dfe\"").await;
    world
        .until("it is told", async || {
            let object = world.get_object("PocketIdGroup", "team").await?;
            condition(&object, "Ready")?["message"].as_str()?.contains("still shows something else").then_some(())
        })
        .await;
    assert_eq!(world.pocket_group("team").await.expect("a group")["friendlyName"], "Gr\u{f6}\u{df}e");
    let before = world.pocket_writes();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let more = world.pocket_writes() - before;
    assert!(more <= 5, "{more} writes in three seconds, though a second is the resync");
    world.declare("PocketIdGroup", "team", "friendlyName: \"Gr\\u00f6\\u00dfe\"").await;
    world.ready("PocketIdGroup", "team").await;
}

#[tokio::test]
async fn lists_of_the_greatest_length_are_taken_and_told_of_in_short() {
    let world = Both::new().await;
    world.start_operator();
    let (mut members, mut groups) = (String::new(), String::new());
    for number in 0..1024 {
        let _ = write!(members, "user-{number:045}, ");
    }
    for number in 0..256 {
        let _ = write!(groups, "{{group: 'group-{number:0249}'}}, ");
    }
    world.declare("PocketIdGroup", "team", &format!("members: [{members}]")).await;
    world.declare("PocketIdClient", "pve", &format!("{ADDRESS}, allowedGroups: [{groups}]")).await;
    for (kind, name, rest) in [("PocketIdGroup", "team", 1021), ("PocketIdClient", "pve", 253)] {
        let message = world.reason(kind, name, "DependencyNotReady").await;
        assert!(message.contains(&format!("and {rest} more")) && message.len() < 1200, "{message}");
    }
    // Who comes is in, and the ledger holds them all.
    for number in 0..1024 {
        world.pocket.add_user(&format!("user-{number:045}"), &[]).expect("a user");
    }
    world.ready("PocketIdGroup", "team").await;
    assert_eq!(world.members("team").await.len(), 1024);
    world.delete("PocketIdGroup", "team").await;
    world.gone("PocketIdGroup", "team").await;
}

#[tokio::test]
async fn a_client_on_its_way_out_serves_a_realm_that_comes_late_as_long_as_that_is_there() {
    let world = Both::new().await;
    world.start_operator();
    world.declare("PocketIdClient", "pve", &format!("suspend: true, {ADDRESS}")).await;
    world.declare("PocketIdClient", "pve", ADDRESS).await;
    world.ready("PocketIdClient", "pve").await;
    world.declare("PocketIdClient", "pve", &format!("suspend: true, {ADDRESS}")).await;
    world.reason("PocketIdClient", "pve", "Suspended").await;
    world.delete("PocketIdClient", "pve").await;
    world.object("ProxmoxRealm", "oid", "openid: {clientRef: {name: pve}}").await;
    world.ready("ProxmoxRealm", "oid").await;
    world.patch("PocketIdClient", "pve", json!({"spec": {"suspend": false}})).await;
    world
        .until("the realm is said to use it", async || {
            let object = world.get_object("PocketIdClient", "pve").await?;
            let message = condition(&object, "Ready")?["message"].as_str()?.to_owned();
            message.contains("ProxmoxRealm oid").then_some(())
        })
        .await;
    assert!(world.pocket_client("pve").await.is_some());
    world.delete("ProxmoxRealm", "oid").await;
    world.gone("PocketIdClient", "pve").await;
}
