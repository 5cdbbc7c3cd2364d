//! Users that are gone from the source of their realm.

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::rights::{LEAST, operator_token, without};
use crate::world::{World, condition};

const USERS: [&str; 4] = ["a", "b", "c", "d"];

/// A realm whose users have come already, each in a group and with a token; answers with the tokens.
async fn world() -> (World, Vec<String>) {
    let world = World::new().await;
    world.start_operator().connect().await;
    realm(&world, "users: {}").await;
    world.pve_call("POST", "/access/groups", &[("groupid", "staff")]).await;
    let mut tokens = Vec::new();
    for name in USERS {
        let id = format!("{name}@oid");
        world.pve_call("POST", "/access/users", &[("userid", &id), ("groups", "staff")]).await;
        let made = world.pve_call("POST", &format!("/access/users/{id}/token/cli"), &[("privsep", "0")]).await;
        tokens.push(format!("{id}!cli={}", made["value"].as_str().expect("a secret")));
    }
    (world, tokens)
}

/// What the realm does with its users; waits until it is so.
async fn realm(world: &World, users: &str) {
    let spec = format!("openid: {{issuerUrl: 'https://id.example.com', clientId: c, {users}}}");
    world.object("ProxmoxRealm", "oid", &spec).await;
    world.ready("ProxmoxRealm", "oid").await;
}

fn policy(on_removal: &str) -> String {
    format!("users: {{onRemoval: {on_removal}, source: {{configMapRef: {{name: people, key: pve}}}}}}")
}

async fn source(world: &World, text: &str) {
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "people"}, "data": {"pve": text}});
    world.apply(&map.to_string()).await;
}

/// Waits for a warning; answers with its message.
async fn warned(world: &World, reason: &str) -> String {
    world
        .until(&format!("the realm warns of {reason}"), async || {
            let realm = world.get_object("ProxmoxRealm", "oid").await?;
            let warning = condition(&realm, "Warning")?;
            (warning["reason"] == reason).then(|| warning["message"].as_str().unwrap_or_default().to_owned())
        })
        .await
}

/// Waits until users are nothing to warn of; whether people can sign in is another matter.
async fn calm(world: &World) {
    let calm = async || {
        let realm = world.get_object("ProxmoxRealm", "oid").await?;
        let reason = condition(&realm, "Warning").map_or(Value::Null, |warning| warning["reason"].clone());
        (reason == Value::Null || reason == "IssuerUnreachable").then_some(())
    };
    world.until("nothing is to be told of users", calm).await;
}

async fn enabled(world: &World) -> Vec<String> {
    let users = world.pve_get("/access/users?enabled=1").await;
    let ids = users.as_array().expect("a list").iter().filter_map(|user| user["userid"].as_str());
    let mut ids: Vec<String> = ids.filter_map(|id| Some(id.strip_suffix("@oid")?.to_owned())).collect();
    ids.sort();
    ids
}

async fn staff(world: &World) -> Vec<String> {
    let group = world.pve_get("/access/groups/staff").await;
    let ids = group["members"].as_array().expect("a list").iter().filter_map(Value::as_str);
    let mut ids: Vec<String> = ids.map(str::to_owned).collect();
    ids.sort();
    ids
}

/// Nothing is written in two passes more.
async fn rests(world: &World) {
    let writes = world.pve_writes();
    world.passes(2).await;
    assert_eq!(world.pve_writes(), writes);
}

#[tokio::test]
async fn who_is_gone_is_reported_first_and_then_disabled_with_all_tokens() {
    let (world, tokens) = world().await;
    source(&world, "# staff\na\nb@oid\nc\n").await;
    realm(&world, &policy("Report")).await;
    let message = warned(&world, "UsersNotInSource").await;
    assert!(message.contains("d@oid") && !message.contains("a@oid"), "{message}");
    world.told("oid", "UsersNotInSource", &[]).await;
    rests(&world).await;
    assert_eq!(enabled(&world).await, USERS);

    realm(&world, &policy("Disable")).await;
    world.until("d is disabled", async || (enabled(&world).await == ["a", "b", "c"]).then_some(())).await;
    calm(&world).await;
    world.ready("ProxmoxRealm", "oid").await;
    for (token, works) in tokens.iter().zip([true, true, true, false]) {
        assert_eq!(world.works(token).await, works, "{}", token.split('!').next().unwrap_or_default());
    }
    let event = world.told("oid", "Disabled", &[]).await;
    assert_eq!(event, "Disabled disabled user d@oid: not in the source of its realm");
    assert_eq!(staff(&world).await, ["a@oid", "b@oid", "c@oid", "d@oid"]);
    rests(&world).await;
}

#[tokio::test]
async fn who_comes_back_is_enabled_by_a_person_and_then_left_alone() {
    let (world, _) = world().await;
    source(&world, "a\nb\nc\n").await;
    realm(&world, &policy("Disable")).await;
    world.until("d is disabled", async || (enabled(&world).await == ["a", "b", "c"]).then_some(())).await;
    source(&world, "a\nb\nc\nd\n").await;
    rests(&world).await;
    assert_eq!(enabled(&world).await, ["a", "b", "c"], "somebody may have disabled d for another reason");
    world.pve_call("PUT", "/access/users/d@oid", &[("enable", "1")]).await;
    rests(&world).await;
    assert_eq!(enabled(&world).await, USERS);
    world.delete("ProxmoxRealm", "oid").await;
    world.gone("ProxmoxRealm", "oid").await;
}

#[tokio::test]
async fn who_is_gone_leaves_all_groups_but_those_that_an_object_puts_it_into() {
    let (world, tokens) = world().await;
    world.object("ProxmoxGroup", "kept", "members: [{user: c@oid}]").await;
    world.ready("ProxmoxGroup", "kept").await;
    source(&world, "a\nb\n").await;
    realm(&world, &policy("RemoveGroups")).await;
    world.until("c and d leave", async || (staff(&world).await == ["a@oid", "b@oid"]).then_some(())).await;
    let message = warned(&world, "UsersNotInSource").await;
    assert!(message.contains("c@oid (ProxmoxGroup kept decides about group kept)"), "{message}");
    rests(&world).await;
    assert_eq!(world.pve_get("/access/groups/kept").await["members"], json!(["c@oid"]));
    assert_eq!(enabled(&world).await, USERS);
    assert!(world.works(&tokens[3]).await, "the user still is there");
}

#[tokio::test]
async fn a_source_that_is_missing_empty_or_no_list_changes_nothing() {
    let (world, _) = world().await;
    realm(&world, &policy("Disable")).await;
    let message = warned(&world, "SourceUnusable").await;
    assert!(message.contains("ConfigMap people does not exist"), "{message}");
    for (text, says) in
        [("", "has no user in it"), ("# nobody\n", "has no user in it"), ("a\n<html>no such page</html>\n", "line 2")]
    {
        source(&world, text).await;
        let what = format!("the realm says: {says}");
        world.until(&what, async || warned(&world, "SourceUnusable").await.contains(says).then_some(())).await;
        // The realm itself does not wait for its users.
        world.ready("ProxmoxRealm", "oid").await;
    }
    let other =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "people"}, "data": {"other": "a"}});
    world.apply(&other.to_string()).await;
    world
        .until("a key is missing", async || warned(&world, "SourceUnusable").await.contains("no key pve").then_some(()))
        .await;
    assert_eq!(enabled(&world).await, USERS);
    source(&world, "a\nb\nc\n").await;
    world.until("d is disabled", async || (enabled(&world).await == ["a", "b", "c"]).then_some(())).await;
    calm(&world).await;
}

#[tokio::test]
async fn more_than_half_of_the_users_are_disabled_only_when_a_person_confirms_it() {
    let (world, _) = world().await;
    source(&world, "a\n").await;
    realm(&world, &policy("Disable")).await;
    let message = warned(&world, "RemovalsHeld").await;
    assert!(message.contains("3 of 4 enabled users") && message.contains("b@oid, c@oid, d@oid"), "{message}");
    rests(&world).await;
    assert_eq!(enabled(&world).await, USERS);
    let id = message.split("confirm-removals: \"").nth(1).and_then(|rest| rest.split('"').next()).expect("an id");
    let annotate = async |id: &str| {
        let patch = json!({"metadata": {"annotations": {"proxmox-identity.dev/confirm-removals": id}}});
        let realms = world.api("ProxmoxRealm");
        realms.patch("oid", &PatchParams::default(), &Patch::Merge(patch)).await.expect("annotated");
    };
    annotate("0badc0de").await;
    rests(&world).await;
    assert_eq!(enabled(&world).await, USERS, "another source was confirmed");
    annotate(id).await;
    world.until("all but a are disabled", async || (enabled(&world).await == ["a"]).then_some(())).await;
    calm(&world).await;
}

#[tokio::test]
async fn a_user_with_an_object_of_its_own_is_left_to_that_object() {
    let (world, _) = world().await;
    world.object("ProxmoxUser", "service", "userId: c@oid, enabled: true").await;
    world.ready("ProxmoxUser", "service").await;
    source(&world, "a\nb\n").await;
    realm(&world, &policy("Disable")).await;
    world.until("d is disabled", async || (enabled(&world).await == ["a", "b", "c"]).then_some(())).await;
    let message = warned(&world, "UsersNotInSource").await;
    assert!(message.contains("c@oid (ProxmoxUser service decides)"), "{message}");
    rests(&world).await;
    assert_eq!(enabled(&world).await, ["a", "b", "c"]);
}

#[tokio::test]
async fn without_the_right_to_disable_users_the_realm_says_so_and_is_managed_all_the_same() {
    let world = World::new().await;
    let token = operator_token(&world, &without(&["User.Modify"])).await;
    world.start_operator().connect_with(&token, "").await;
    realm(&world, "users: {}").await;
    for id in ["a@oid", "b@oid"] {
        world.pve_call("POST", "/access/users", &[("userid", id)]).await;
    }
    source(&world, "a\n").await;
    let spec = format!("openid: {{issuerUrl: 'https://id.example.com', clientId: c, {}}}", policy("Disable"));
    world.object("ProxmoxRealm", "oid", &spec).await;
    let message = world.reason("ProxmoxRealm", "oid", "Forbidden").await;
    assert!(message.contains("User.Modify"), "{message}");
    let connection = world.get_object("ProxmoxConnection", "pve").await.expect("a connection");
    let missing = connection["status"]["missingPrivileges"].to_string();
    assert!(missing.contains("User.Modify") && missing.contains("ProxmoxRealm"), "{missing}");
    world.object("ProxmoxRealm", "oid", &format!("{spec}, comment: new")).await;
    let commented = async || (world.pve_get("/access/domains/oid").await["comment"] == "new").then_some(());
    world.until("the comment is written", commented).await;
    world.pve_call("PUT", "/access/roles/Ops", &[("privs", LEAST)]).await;
    world.until("b is disabled", async || (enabled(&world).await == ["a"]).then_some(())).await;
    world.ready("ProxmoxRealm", "oid").await;
}

#[tokio::test]
async fn an_observed_realm_tells_whom_it_would_disable() {
    let (world, _) = world().await;
    source(&world, "a\nb\nc\n").await;
    for on_removal in ["Report", "Disable"] {
        let users = policy(on_removal);
        let openid = format!("openid: {{issuerUrl: 'https://id.example.com', clientId: c, {users}}}");
        world.object("ProxmoxRealm", "oid", &format!("managementPolicy: Observe, {openid}")).await;
        if on_removal == "Report" {
            assert!(warned(&world, "UsersNotInSource").await.contains("d@oid"));
        }
    }
    let told = async || {
        let realm = world.get_object("ProxmoxRealm", "oid").await?;
        (realm["status"]["pendingChanges"] == json!(["change enable of user d@oid"])).then_some(())
    };
    world.until("the difference is told", told).await;
    world.reason("ProxmoxRealm", "oid", "Observed").await;
    rests(&world).await;
    assert_eq!(enabled(&world).await, USERS);
}
