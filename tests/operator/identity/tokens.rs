//! Tokens and their secrets.

use k8s_openapi::jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use proxmox_identity::sim::pve::{Options, Release};
use serde_json::{Value, json};

use crate::world::{World, condition};

const USER: &str = "ci@pve";

async fn world_with_user() -> World {
    of_release(Release::default()).await
}

async fn of_release(release: Release) -> World {
    let world = World::with(Options { time_scale: 0.02, release, ..Options::default() }).await;
    world.connect().await;
    world.pve_call("POST", "/access/users", &[("userid", USER)]).await;
    world
}

/// A value of a Secret.
async fn value(world: &World, secret: &str, key: &str) -> Option<String> {
    let secret = world.get_object("Secret", secret).await?;
    let encoded = secret["data"][key].as_str()?.to_owned();
    let k8s_openapi::ByteString(bytes) = serde_json::from_value(json!(encoded)).ok()?;
    String::from_utf8(bytes).ok()
}

/// The names of the user's tokens, sorted.
async fn tokens(world: &World) -> Vec<String> {
    let tokens = world.pve_get(&format!("/access/users/{USER}/token")).await;
    let names =
        tokens.as_array().expect("a list").iter().filter_map(|token| Some(token["tokenid"].as_str()?.to_owned()));
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

async fn annotate(world: &World, name: &str, annotation: &str, value: &str) {
    let patch = json!({ "metadata": { "annotations": { annotation: value } } });
    let patch = Patch::Merge(patch);
    world.api("ProxmoxToken").patch(name, &PatchParams::default(), &patch).await.expect("annotated");
}

/// Asks for a new secret and waits until it has arrived.
async fn rotate(world: &World, name: &str, when: &str) {
    annotate(world, name, "proxmox-identity.dev/rotate-requested-at", when).await;
    world
        .until("the new secret has arrived", async || {
            let token = world.get_object("ProxmoxToken", name).await?;
            let status = &token["status"]["token"];
            let ready = condition(&token, "Ready")?["status"] == "True";
            (ready && status["lastHandledRotateAt"] == when && status["secretState"] == "Delivered").then_some(())
        })
        .await;
}

async fn status(world: &World, name: &str) -> Value {
    world.get_object("ProxmoxToken", name).await.expect("a token")["status"].clone()
}

#[tokio::test]
async fn a_token_is_made_and_its_secret_works() {
    let world = world_with_user().await;
    world.start_operator();
    let template = "secretTemplate: {name: ci-token, labels: {app: ci}, data: {config: 'url=${endpoint} id=${tokenId} key=${secret}'}}";
    world.object("ProxmoxToken", "ci", &format!("user: {USER}, comment: from git, {template}")).await;
    world.ready("ProxmoxToken", "ci").await;
    let token = value(&world, "ci-token", "token").await.expect("a token");
    assert!(token.starts_with("ci@pve!ci="), "the token is whole");
    assert!(world.works(&token).await);
    let secret = token.split_once('=').expect("a secret").1;
    let config = value(&world, "ci-token", "config").await.expect("a value");
    assert_eq!(config, format!("url={} id=ci@pve!ci key={secret}", world.pve.url()));
    let kept = world.get_object("Secret", "ci-token").await.expect("a Secret");
    assert_eq!((&kept["type"], &kept["metadata"]["labels"]["app"]), (&"Opaque".into(), &"ci".into()));
    assert_eq!(kept["metadata"]["ownerReferences"][0]["kind"], "ProxmoxToken");
    let status = status(&world, "ci").await;
    assert_eq!((&status["token"]["secretState"], &status["token"]["issue"]), (&"Delivered".into(), &1.into()));
    assert_eq!(world.pve_get("/access/users/ci@pve/token/ci").await["comment"], "from git");
    // It is separated and has no entry, nor has its user: of no use yet.
    let warning = condition(&json!({ "status": status }), "Warning").cloned().expect("a warning");
    assert_eq!(warning["reason"], "NoPrivileges");
    world.pve_call("PUT", "/access/acl", &[("path", "/vms"), ("users", USER), ("roles", "PVEAuditor")]).await;
    let entry = "path: /vms, roles: [{role: PVEAuditor}], subjects: [{tokenRef: {name: ci}}]";
    world.object("ProxmoxAcl", "audit", entry).await;
    world.ready("ProxmoxAcl", "audit").await;
    world
        .until("the warning goes", async || {
            let token = world.get_object("ProxmoxToken", "ci").await?;
            condition(&token, "Warning").is_none().then_some(())
        })
        .await;
    let (writes, version) = (world.pve_writes(), kept["metadata"]["resourceVersion"].clone());
    world.passes(3).await;
    assert_eq!(world.pve_writes(), writes);
    let kept = world.get_object("Secret", "ci-token").await.expect("a Secret");
    assert_eq!(kept["metadata"]["resourceVersion"], version, "the Secret is not written again");
    world.delete("ProxmoxToken", "ci").await;
    let message = world.reason("ProxmoxToken", "ci", "DeletionBlocked").await;
    assert!(message.contains("ProxmoxAcl audit"), "{message}");
    world.delete("ProxmoxAcl", "audit").await;
    world.gone("ProxmoxToken", "ci").await;
    assert!(tokens(&world).await.is_empty() && !world.works(&token).await);
}

#[tokio::test]
async fn a_token_gets_a_new_secret_when_asked_and_keeps_its_entries() {
    let world = world_with_user().await;
    world.start_operator();
    world.object("ProxmoxToken", "ci", &format!("user: {USER}")).await;
    world.ready("ProxmoxToken", "ci").await;
    let grant = [("path", "/vms"), ("tokens", "ci@pve!ci"), ("roles", "PVEAuditor")];
    world.pve_call("PUT", "/access/acl", &grant).await;
    let old = value(&world, "ci", "token").await.expect("a token");
    rotate(&world, "ci", "once").await;
    let new = value(&world, "ci", "token").await.expect("a token");
    assert_ne!(old, new);
    assert!(world.works(&new).await && !world.works(&old).await);
    assert_eq!(world.acl().await, ["/vms PVEAuditor token:ci@pve!ci 1"]);
    assert_eq!(status(&world, "ci").await["token"]["issue"], 2);
    let writes = world.pve_writes();
    world.passes(3).await;
    assert_eq!(world.pve_writes(), writes, "a request is handled once");
}

#[tokio::test]
async fn a_secret_is_replaced_before_it_expires() {
    let world = world_with_user().await;
    world.start_operator();
    let spec = format!("user: {USER}, lifetime: 100s, rotation: {{beforeExpiry: 90s}}");
    world.object("ProxmoxToken", "ci", &spec).await;
    world.ready("ProxmoxToken", "ci").await;
    let first = world.pve_get("/access/users/ci@pve/token/ci").await["expire"].as_i64().expect("an end");
    let issued = status(&world, "ci").await["token"]["issuedAt"].as_str().expect("a time").to_owned();
    let issued: Timestamp = issued.parse().expect("a time");
    assert_eq!(first, issued.as_second() + 100);
    world
        .until("it is replaced", async || {
            let issue = status(&world, "ci").await["token"]["issue"].as_i64();
            (issue > Some(1)).then_some(())
        })
        .await;
    world.ready("ProxmoxToken", "ci").await;
    let later = world.pve_get("/access/users/ci@pve/token/ci").await["expire"].as_i64().expect("an end");
    assert!(later > first);
    assert!(world.works(&value(&world, "ci", "token").await.expect("a token")).await);
}

#[tokio::test]
async fn a_token_that_was_there_is_taken_over_and_not_rotated() {
    let world = world_with_user().await;
    let made = world.pve_call("POST", "/access/users/ci@pve/token/ci", &[]).await;
    let known = format!("ci@pve!ci={}", made["value"].as_str().expect("a secret"));
    world.start_operator().object("ProxmoxToken", "ci", &format!("user: {USER}")).await;
    world.ready("ProxmoxToken", "ci").await;
    let now = status(&world, "ci").await;
    assert_eq!(now["token"]["secretState"], "Unknown");
    assert_eq!(condition(&json!({ "status": now }), "Warning").expect("a warning")["reason"], "SecretUnknown");
    assert!(world.works(&known).await && world.get_object("Secret", "ci").await.is_none());
    rotate(&world, "ci", "now it may").await;
    assert!(!world.works(&known).await);
    assert!(world.works(&value(&world, "ci", "token").await.expect("a token")).await);
    world.delete("ProxmoxToken", "ci").await;
    world.gone("ProxmoxToken", "ci").await;
    assert_eq!(tokens(&world).await, ["ci"], "what was taken over stays");
}

#[tokio::test]
async fn a_secret_of_somebody_else_is_never_overwritten() {
    let world = world_with_user().await;
    world.apply("apiVersion: v1\nkind: Secret\nmetadata: {name: ci}\nstringData: {mine: yes it is}\n").await;
    world.start_operator().object("ProxmoxToken", "ci", &format!("user: {USER}")).await;
    let message = world.reason("ProxmoxToken", "ci", "SecretConflict").await;
    assert!(message.contains("secretTemplate.name"), "{message}");
    assert!(tokens(&world).await.is_empty(), "no token is made whose secret has nowhere to go");
    assert_eq!(value(&world, "ci", "mine").await.as_deref(), Some("yes it is"));
    world.delete("Secret", "ci").await;
    world.ready("ProxmoxToken", "ci").await;
    assert!(world.works(&value(&world, "ci", "token").await.expect("a token")).await);
}

#[tokio::test]
async fn a_lost_secret_is_reported_or_made_up_for() {
    let world = world_with_user().await;
    world.start_operator().object("ProxmoxToken", "ci", &format!("user: {USER}")).await;
    world.ready("ProxmoxToken", "ci").await;
    let old = value(&world, "ci", "token").await.expect("a token");
    world.delete("Secret", "ci").await;
    world.reason("ProxmoxToken", "ci", "SecretLost").await;
    assert!(world.works(&old).await, "it works on for those who have it");
    world.object("ProxmoxToken", "ci", &format!("user: {USER}, rotation: {{onLostSecret: Rotate}}")).await;
    world.ready("ProxmoxToken", "ci").await;
    assert!(world.works(&value(&world, "ci", "token").await.expect("a token")).await && !world.works(&old).await);
}

#[tokio::test]
async fn a_template_that_changes_is_filled_again_without_a_new_secret() {
    let world = world_with_user().await;
    world.start_operator().object("ProxmoxToken", "ci", &format!("user: {USER}")).await;
    world.ready("ProxmoxToken", "ci").await;
    let token = value(&world, "ci", "token").await.expect("a token");
    let template = "secretTemplate: {labels: {a: b}, data: {id: '${tokenId}'}}";
    world.object("ProxmoxToken", "ci", &format!("user: {USER}, {template}")).await;
    world
        .until("the new key is there", async || {
            value(&world, "ci", "id").await.filter(|id| id == "ci@pve!ci").map(drop)
        })
        .await;
    assert_eq!(value(&world, "ci", "secret").await, None, "a key that is wanted no more is gone");
    assert_eq!(value(&world, "ci", "token").await.as_ref(), Some(&token));
    // Under another name it is the same token.
    world.object("ProxmoxToken", "ci", &format!("user: {USER}, secretTemplate: {{name: moved}}")).await;
    world
        .until("the Secret of the new name is there", async || {
            value(&world, "moved", "token").await.filter(|moved| *moved == token).map(drop)
        })
        .await;
    world.ready("ProxmoxToken", "ci").await;
    assert!(world.works(&token).await);
    let bad = "secretTemplate: {data: {id: '${id}'}}";
    world.object("ProxmoxToken", "ci", &format!("user: {USER}, {bad}")).await;
    let message = world.reason("ProxmoxToken", "ci", "InvalidSpec").await;
    assert!(message.contains("${id}") && message.contains("${tokenId}"), "{message}");
}

#[tokio::test]
async fn a_token_that_is_left_keeps_its_secret() {
    let spec = format!("user: {USER}");
    for (leaves, reason) in [("deletionPolicy: Orphan", "Succeeded"), ("managementPolicy: Observe", "Observed")] {
        let world = world_with_user().await;
        world.start_operator().object("ProxmoxToken", "ci", &spec).await;
        world.ready("ProxmoxToken", "ci").await;
        world.object("ProxmoxToken", "ci", &format!("{spec}, {leaves}")).await;
        world.reason("ProxmoxToken", "ci", reason).await;
        let token = value(&world, "ci", "token").await.expect("a token");
        world.delete("ProxmoxToken", "ci").await;
        world.gone("ProxmoxToken", "ci").await;
        let kept = world.get_object("Secret", "ci").await.expect("a Secret");
        assert_eq!(kept["metadata"].get("ownerReferences"), None, "{leaves}: it is not collected with its owner");
        assert!(world.works(&token).await, "{leaves}");
    }
}

#[tokio::test]
async fn a_secret_is_left_with_its_token_also_under_the_name_that_it_had_before() {
    let world = world_with_user().await;
    world.start_operator();
    world.object("ProxmoxToken", "ci", &format!("user: {USER}")).await;
    world.ready("ProxmoxToken", "ci").await;
    let patch = |spec: Value| Patch::Merge(json!({ "spec": spec }));
    let connections = world.api("ProxmoxConnection");
    connections.patch("pve", &PatchParams::default(), &patch(json!({"suspend": true}))).await.expect("suspended");
    world.reason("ProxmoxToken", "ci", "Suspended").await;
    let elsewhere = json!({"secretTemplate": {"name": "moved"}, "deletionPolicy": "Orphan"});
    world.api("ProxmoxToken").patch("ci", &PatchParams::default(), &patch(elsewhere)).await.expect("patched");
    world.delete("ProxmoxToken", "ci").await;
    world.gone("ProxmoxToken", "ci").await;
    let secret = world.get_object("Secret", "ci").await.expect("a Secret");
    assert!(secret["metadata"]["ownerReferences"].as_array().is_none_or(Vec::is_empty), "nobody collects it: {secret}");
}
