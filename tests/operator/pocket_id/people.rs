//! Who may sign in, as the realm's status says it before anybody tries, and who is there before the first sign-in.

use proxmox_identity::sim::pocket_id::{Fault, FaultName};
use serde_json::{Value, json};

use super::Both;
use crate::world::condition;

/// The realm of the guide, with more about its users.
async fn realm(world: &Both, users: &str, more: &str) {
    let spec = format!(
        "realm: PocketID, openid: {{clientRef: {{name: proxmox}}, usernameClaim: username, \
         scopes: [email, profile, groups], groups: {{claim: groups}}, users: {{{users}}}{more}}}"
    );
    world.object("ProxmoxRealm", "pocket-id", &spec).await;
}

async fn client(world: &Both, more: &str) {
    let spec = format!("callbackUrlsFrom: {{connectionRef: {{name: pve}}}}, allowedGroups: [{{group: users}}]{more}");
    world.declare("PocketIdClient", "proxmox", &spec).await;
}

async fn sign_in(world: &Both) -> Value {
    world.get_object("ProxmoxRealm", "pocket-id").await.expect("a realm")["status"]["signIn"].clone()
}

#[tokio::test]
async fn the_status_says_before_anybody_tries_who_gets_in_and_with_which_groups() {
    let world = Both::new().await;
    for group in ["users", "Proxmox Users", "unknown"] {
        world.group_by_hand(group).await;
    }
    world.pocket.add_user("alice", &["users", "Proxmox Users", "unknown"]).expect("a user");
    world.pocket.add_user("mallory", &["unknown"]).expect("a user");
    world.start_operator();
    client(&world, "").await;
    world.object("ProxmoxGroup", "users", "groupId: users-PocketID").await;
    realm(&world, "autoCreate: true, samples: [alice, mallory, nobody]", "").await;
    let expected = json!({"samples": [
        {"user": "alice", "result": "Admitted", "userId": "alice@PocketID", "groups": ["users-PocketID"],
         "ignored": ["Proxmox Users", "unknown"]},
        {"user": "mallory", "result": "TurnedAway"},
        {"user": "nobody", "result": "NoSuchUser"},
    ]});
    world.until("the status shows the samples", async || (sign_in(&world).await == expected).then_some(())).await;
    world.ready("ProxmoxRealm", "pocket-id").await;
    let spec = "callbackUrls: ['https://pve.example.com'], allowedGroups: [{group: users}]";
    world.declare("PocketIdClient", "proxmox", spec).await;
    realm(&world, "autoCreate: false, samples: [alice]", "").await;
    world
        .until("the status names what is wrong", async || {
            let realm = world.get_object("ProxmoxRealm", "pocket-id").await?;
            let warning = condition(&realm, "Warning")?;
            let problem = realm["status"]["signIn"]["problems"][0].as_str()?;
            assert_eq!(warning["reason"], "SignInImpaired");
            let named = problem.contains(&world.pve.url()) && warning["message"].as_str()?.contains(problem);
            (named && realm["status"]["signIn"]["samples"][0]["result"] == "Refused").then_some(())
        })
        .await;
    client(&world, "").await;
    realm(&world, "autoCreate: true", "").await;
    world
        .until("nothing is wrong any more, and nobody is asked about", async || {
            let realm = world.get_object("ProxmoxRealm", "pocket-id").await?;
            let is_well = condition(&realm, "Warning").is_none() && condition(&realm, "Ready")?["status"] == "True";
            (is_well && realm["status"].get("signIn").is_none()).then_some(())
        })
        .await;
    // Quiet then: nothing is written because time goes by.
    let version = async || {
        world.get_object("ProxmoxRealm", "pocket-id").await.expect("a realm")["metadata"]["resourceVersion"].clone()
    };
    let before = version().await;
    world.passes(4).await;
    assert_eq!(version().await, before);
}

#[tokio::test]
async fn people_stand_in_proxmox_before_their_first_sign_in_and_are_disabled_when_they_leave() {
    let world = Both::new().await;
    let users = world.group_by_hand("users").await;
    let alice = world.pocket.add_user("alice", &["users"]).expect("a user");
    let bob = world.pocket.add_user("bob", &["users"]).expect("a user");
    world.pocket.add_user("mallory", &[]).expect("a user");
    world.start_operator();
    client(&world, "").await;
    world.object("ProxmoxGroup", "users", "groupId: users-PocketID").await;
    let source = "autoCreate: true, onRemoval: Disable, provision: true, source: {pocketIdClientRef: {name: proxmox}}";
    realm(&world, source, "").await;
    let there = async || {
        let list = world.pve_get("/access/users?full=1").await;
        let ours = list.as_array().expect("users").iter().filter(|user| user["realm-type"] == "openid").cloned();
        let mut ours: Vec<(String, String, bool)> = ours
            .map(|user| {
                let text = |name: &str| user[name].as_str().unwrap_or_default().to_owned();
                (text("userid"), text("groups"), user["enable"] == 1)
            })
            .collect();
        ours.sort();
        ours
    };
    let member = |name: &str, enabled| (format!("{name}@PocketID"), "users-PocketID".to_owned(), enabled);
    let all = [member("alice", true), member("bob", true)];
    world.until("both are there", async || (there().await == all).then_some(())).await;
    let realm = world.get_object("ProxmoxRealm", "pocket-id").await.expect("a realm");
    assert_eq!(realm["status"]["ledger"].as_array().map(Vec::len), Some(1), "they are nobody's: {realm:#}");
    world.pocket_put(&format!("/api/user-groups/{users}/users"), json!({"userIds": [alice]})).await;
    world
        .until("who left is disabled", async || {
            (there().await == [member("alice", true), member("bob", false)]).then_some(())
        })
        .await;
    // Who cannot be asked says nothing about anybody.
    world
        .apply(
            "apiVersion: v1\nkind: Secret\nmetadata: {name: pocket-id}\nstringData: {key: wrong-key-of-some-length}\n",
        )
        .await;
    world
        .until("the source cannot be used", async || {
            let realm = world.get_object("ProxmoxRealm", "pocket-id").await?;
            (condition(&realm, "Warning")?["reason"] == "SourceUnusable").then_some(())
        })
        .await;
    world.pocket_put(&format!("/api/user-groups/{users}/users"), json!({"userIds": [bob]})).await;
    world.passes(3).await;
    assert_eq!(there().await, [member("alice", true), member("bob", false)]);
}

/// Whether somebody of the realm may sign in.
async fn is_enabled(world: &Both, name: &str) -> bool {
    world.pve_get(&format!("/access/users/{name}@PocketID")).await["enable"] == 1
}

#[tokio::test]
async fn nobody_is_disabled_by_what_pocket_id_said_before_they_were_let_in() {
    let world = Both::new().await;
    let users = world.group_by_hand("users").await;
    let alice = world.pocket.add_user("alice", &["users"]).expect("a user");
    let bob = world.pocket.add_user("bob", &[]).expect("a user");
    world.start_operator();
    client(&world, "").await;
    let source = "autoCreate: true, onRemoval: Disable, source: {pocketIdClientRef: {name: proxmox}}";
    realm(&world, source, "").await;
    world.ready("ProxmoxRealm", "pocket-id").await;
    world.pve.login("alice@PocketID", &[]).await.expect("a login");
    world.resync("PocketIdConnection/pocket-id", "1h").await;
    world.ready("PocketIdConnection", "pocket-id").await;
    world.passes(3).await;
    world.pocket_put(&format!("/api/user-groups/{users}/users"), json!({"userIds": [alice, bob]})).await;
    world.pve.login("bob@PocketID", &[]).await.expect("a login");
    world.passes(5).await;
    assert!(is_enabled(&world, "alice").await && is_enabled(&world, "bob").await);
    // What Pocket ID says since counts.
    world.pocket_put(&format!("/api/user-groups/{users}/users"), json!({"userIds": [alice]})).await;
    world.resync("PocketIdConnection/pocket-id", "1s").await;
    world.until("he is disabled", async || (!is_enabled(&world, "bob").await).then_some(())).await;
    assert!(is_enabled(&world, "alice").await);
}

#[tokio::test]
async fn nobody_is_disabled_whom_a_group_is_to_have_that_may_sign_in() {
    let world = Both::new().await;
    let ids = ["alice", "bob", "carol"].map(|name| world.pocket.add_user(name, &[]).expect("a user"));
    world.start_operator();
    world.declare("PocketIdGroup", "users", "members: [alice, bob]").await;
    let spec = "callbackUrlsFrom: {connectionRef: {name: pve}}, allowedGroups: [{groupRef: {name: users}}]";
    world.declare("PocketIdClient", "proxmox", spec).await;
    let source = "autoCreate: true, onRemoval: Disable, source: {pocketIdClientRef: {name: proxmox}}";
    realm(&world, source, "").await;
    world.ready("ProxmoxRealm", "pocket-id").await;
    let group = world.pocket_group("users").await.expect("a group");
    let path = format!("/api/user-groups/{}/users", group["id"].as_str().expect("an id"));
    world.pocket_put(&path, json!({"userIds": ids})).await;
    for name in ["alice", "bob", "carol"] {
        world.pve.login(&format!("{name}@PocketID"), &[]).await.expect("a login");
    }
    world.resync("PocketIdConnection/pocket-id", "1h").await;
    world.ready("PocketIdConnection", "pocket-id").await;
    world.passes(3).await;
    // The group stands without the members that are declared, as between two steps of the operator itself.
    let [_, _, carol] = &ids;
    world.pocket_put(&path, json!({"userIds": [carol]})).await;
    let members = Some("members".to_owned());
    world.pocket.fault(Fault { file: members, count: u32::MAX, ..Fault::new(FaultName::Status) });
    let asks = || world.pocket.requests().count("GET", "/api/users");
    let asked = asks();
    world.patch("ProxmoxRealm", "pocket-id", json!({"spec": {"openid": {"users": {"samples": ["alice"]}}}})).await;
    world.until("Pocket ID was asked", async || (asks() > asked).then_some(())).await;
    world.passes(5).await;
    assert_eq!(world.members("users").await, ["carol"], "the group still stands without them");
    assert!(is_enabled(&world, "alice").await && is_enabled(&world, "bob").await);
    world.pocket.clear_faults();
    // Who is to be in it no more is gone.
    world.declare("PocketIdGroup", "users", "members: [alice]").await;
    world.until("he is disabled", async || (!is_enabled(&world, "bob").await).then_some(())).await;
    assert!(is_enabled(&world, "alice").await);
}

#[tokio::test]
async fn what_provisioning_needs_is_asked_for_at_apply() {
    let world = Both::new().await;
    let refused = async |openid: &str, words: &str| {
        let manifest = crate::world::manifest("ProxmoxRealm", "r", &format!("realm: PocketID, openid: {{{openid}}}"));
        let object: kube::api::DynamicObject = serde_saphyr::from_str(&manifest).expect("a manifest");
        let params = kube::api::PatchParams::apply("test").dry_run();
        let error = world.api("ProxmoxRealm").patch("r", &params, &kube::api::Patch::Apply(&object)).await;
        let error = error.expect_err("refused").to_string();
        assert!(error.contains(words), "{openid}: {error}");
    };
    let client = "clientRef: {name: c}, usernameClaim: username";
    refused(&format!("{client}, users: {{provision: true}}"), "provision needs source.pocketIdClientRef").await;
    let source = "users: {source: {pocketIdClientRef: {name: c}}}";
    refused(&format!("clientRef: {{name: c}}, {source}"), "needs usernameClaim").await;
    refused("issuerUrl: 'https://a.example', clientId: a, users: {samples: [alice]}", "users.samples need clientRef")
        .await;
    refused("clientRef: {name: c}, issuerUrl: 'https://a.example'", "exactly one of issuerUrl and clientRef").await;
}
