//! The example for Argo CD, brought and taken away by Argo CD.

use std::fs;
use std::path::Path;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use proxmox_identity::api::crd;
use serde_json::{Value, json};

use super::examples::generations;
use super::{Apply, Git, ours};
use crate::argocd_program::{documents, example};
use crate::guides::parsed;
use crate::support::control_plane;
use crate::world::World;

const WAVE: &str = "argocd.argoproj.io/sync-wave";
const OPTIONS: &str = "argocd.argoproj.io/sync-options";

/// What kustomize makes of a folder, as Argo CD has it do.
async fn kustomized(folder: &Path) -> String {
    let output = control_plane().await.kubectl().arg("kustomize").arg(folder).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// The wave of an object in Git.
fn wave(object: &Value) -> i64 {
    let wave = object["metadata"]["annotations"][WAVE].as_str().unwrap_or_else(|| panic!("no wave: {object:#}"));
    wave.parse().expect("a number")
}

/// A world with an operator and the Secret that is not in Git, and the example for it.
async fn world() -> (World, Vec<Value>) {
    let world = World::new().await;
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "proxmox"}, "stringData": {"token": world.pve.token()},
    });
    world.start_operator().apply(&secret.to_string()).await;
    let mut objects = ours(&parsed(&world, &kustomized(&example("configuration")).await));
    let connection = objects.iter_mut().find(|object| object["kind"] == "ProxmoxConnection").expect("the connection");
    connection["spec"]["resyncInterval"] = "1s".into();
    (world, objects)
}

/// The wave of an object by its kind and name.
fn wave_of(objects: &[Value], named: &str) -> i64 {
    let (kind, name) = named.split_once('/').expect("a kind and a name");
    let found = objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    wave(found.unwrap_or_else(|| panic!("{named} is not in Git")))
}

/// The waves of a sync, each with the objects that stood then and their health.
fn waves(said: &Value) -> Vec<(i64, Vec<(&str, &str)>)> {
    let waves = said["waves"].as_array().expect("waves").iter();
    waves
        .map(|wave| {
            let health = wave["health"].as_object().expect("a map").iter();
            let health = health.map(|(object, health)| (object.as_str(), health.as_str().expect("a text"))).collect();
            (wave["wave"].as_i64().expect("a number"), health)
        })
        .collect()
}

#[tokio::test]
async fn every_wave_waits_for_the_one_before_and_goes_before_it() {
    let (world, objects) = world().await;
    let mut git = Git::new(&world, objects.clone());
    git.config_map["application.resourceTrackingMethod"] = "annotation+label".into();
    let said = git.becomes_healthy(Apply::ServerSide).await;
    let brought = waves(&said);
    let order: Vec<i64> = brought.iter().map(|(number, _)| *number).collect();
    assert_eq!(order, [-4, -1, 0, 1]);
    for (number, standing) in &brought {
        for (object, health) in standing {
            let own = wave_of(&objects, object);
            assert!(own == *number || own < *number && *health == "Healthy", "{object} in wave {number}: {said:#}");
        }
    }
    let first = generations(&world, &git).await;
    git.becomes_healthy(Apply::ServerSide).await;
    assert_eq!(generations(&world, &git).await, first);
    let token = world.get_object("ProxmoxToken", "pipeline").await.expect("the token");
    assert_eq!(token["metadata"]["labels"]["app.kubernetes.io/instance"], "proxmox-identity", "it is tracked");
    let secret = world.get_object("Secret", "pipeline-token").await.expect("its Secret");
    let marks = [&secret["metadata"]["labels"], &secret["metadata"]["annotations"]];
    let marks = marks.into_iter().filter_map(Value::as_object).flat_map(|marks| marks.keys());
    let marks: Vec<_> =
        marks.filter(|key| key.contains("argoproj.io") || *key == "app.kubernetes.io/instance").collect();
    assert!(marks.is_empty(), "copied to the Secret, which Argo CD would take for its own: {marks:?}");

    // Argo CD deletes what is owned first, which the garbage collector does.
    let _controllers = control_plane().await.controller_manager().expect("controllers");
    git.objects.clear();
    let said = git.sync(Apply::ServerSide, 10, false).await;
    assert_eq!(said["phase"], "Running", "{said:#}");
    let message = said["message"].as_str().expect("a message");
    assert_eq!(message, "Waiting for pruning confirmation of proxmox-identity.dev/v1alpha1/ProxmoxRealm/sso");
    // For what goes, Argo CD counts the same waves the other way round.
    let turned = |number: i64| order.iter().rev().zip(&order).find(|(_, other)| **other == number).expect("a wave").0;
    for (number, standing) in waves(&said) {
        let later: Vec<_> = standing.iter().filter(|(object, _)| wave_of(&objects, object) > *turned(number)).collect();
        assert!(later.is_empty(), "{later:?} outlive wave {number}");
    }
    for object in &objects {
        let name = object["metadata"]["name"].as_str().expect("a name");
        let stands = world.get_object(object["kind"].as_str().expect("a kind"), name).await.is_some();
        assert_eq!(stands, wave(object) < 0, "{name}");
    }
    git.application["metadata"]["annotations"]["argocd.argoproj.io/deletion-approved"] = "2100-01-01T00:00:00Z".into();
    let said = git.sync(Apply::ServerSide, 60, false).await;
    assert_eq!(said["phase"], "Succeeded", "{said:#}");
    assert!(world.get_object("ProxmoxConnection", "proxmox").await.is_none());
    assert!(world.pve_find("/access/domains/sso").await.is_none());
    assert!(world.groups().await.is_empty());
}

/// The group of the example and a sync with it, which does not come to the next wave.
async fn stops(world: &World, objects: &[Value], field: &str, value: Value) -> Value {
    let mut git = Git::new(world, objects.to_vec());
    let group = git.objects.iter_mut().find(|object| object["kind"] == "ProxmoxGroup").expect("the group");
    group["spec"][field] = value;
    let said = git.sync(Apply::ServerSide, 10, false).await;
    assert_eq!(waves(&said).last().expect("a wave").0, 0, "{said:#}");
    assert!(world.get_object("ProxmoxAcl", "developers").await.is_none());
    said
}

#[tokio::test]
async fn a_suspended_object_holds_back_later_waves_until_it_goes_on() {
    let (world, objects) = world().await;
    let said = stops(&world, &objects, "suspend", true.into()).await;
    assert_eq!(said["phase"], "Running");
    let message = said["message"].as_str().expect("a message");
    assert!(message.contains("waiting for healthy state of proxmox-identity.dev/ProxmoxGroup/developers"), "{message}");
    Git::new(&world, objects).becomes_healthy(Apply::ServerSide).await;
}

#[tokio::test]
async fn a_stalled_object_fails_the_sync_and_a_later_one_succeeds() {
    let (world, objects) = world().await;
    let group = [("groupid", "developers-sso"), ("comment", "by hand")];
    world.pve_call("POST", "/access/groups", &group).await;
    let said = stops(&world, &objects, "comment", "from Git".into()).await;
    assert_eq!(said["phase"], "Failed", "{said:#}");
    world.pve_call("DELETE", "/access/groups/developers-sso", &[]).await;
    world.reason("ProxmoxGroup", "developers", "Succeeded").await;
    Git::new(&world, objects).becomes_healthy(Apply::ServerSide).await;
}

/// The fields of a spec that refer to something, at any depth, by their paths.
fn references(schema: &JSONSchemaProps) -> Vec<String> {
    let properties = schema.properties.iter().flatten();
    let named = |(name, below): (&String, &JSONSchemaProps)| {
        let own = name.ends_with("Ref").then(|| name.clone());
        let below = references(below).into_iter().map(|path| format!("{name}.{path}"));
        own.into_iter().chain(below).collect::<Vec<_>>()
    };
    let below = properties.flat_map(named);
    let items = serde_json::to_value(&schema.items).expect("JSON");
    let items: Option<JSONSchemaProps> = serde_json::from_value(items).expect("a schema");
    below.chain(items.iter().flat_map(references)).collect()
}

/// The kind that a field of a kind refers to, if it is one of ours.
fn referred(kind: &str, path: &str) -> String {
    let name = path.rsplit('.').next().and_then(|name| name.strip_suffix("Ref")).expect("a reference");
    match path {
        "callbackUrlsFrom.connectionRef" => "ProxmoxConnection".to_owned(),
        "oidc.groupRef" => "PocketIdGroup".to_owned(),
        _ if matches!(name, "client" | "pocketIdClient") => "PocketIdClient".to_owned(),
        _ => {
            let system = if kind.starts_with("PocketId") { "PocketId" } else { "Proxmox" };
            format!("{system}{}{}", name[..1].to_uppercase(), &name[1..])
        }
    }
}

#[tokio::test]
async fn every_kind_comes_after_what_it_refers_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut kustomization = documents("configuration/kustomization.yaml").remove(0);
    kustomization["resources"] = json!(["all.json"]);
    let any = |kind: &str| json!({"apiVersion": "proxmox-identity.dev/v1alpha1", "kind": kind, "metadata": {"name": "any"}, "spec": {}});
    let kinds: Vec<String> = crd::all().into_iter().map(|crd| crd.spec.names.kind).collect();
    let all: Vec<Value> = kinds.iter().map(|kind| any(kind)).collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": all});
    fs::write(folder.path().join("all.json"), list.to_string()).expect("a file");
    fs::write(folder.path().join("kustomization.yaml"), kustomization.to_string()).expect("a file");
    let objects: Vec<Value> = serde_saphyr::from_multiple(&kustomized(folder.path()).await).expect("YAML");
    let find = |kind: &str| objects.iter().find(|object| object["kind"] == kind);
    for crd in crd::all() {
        let kind = crd.spec.names.kind;
        let own = wave(find(&kind).expect("the object"));
        let schema = crd.spec.versions[0].schema.as_ref().and_then(|it| it.open_api_v3_schema.as_ref());
        let spec = &schema.and_then(|schema| schema.properties.as_ref()).expect("a schema")["spec"];
        for other in references(spec).iter().filter_map(|path| find(&referred(&kind, path))) {
            let is_connection = other["kind"].as_str().is_some_and(|kind| kind.ends_with("Connection"));
            let before = wave(other) < own || !is_connection && wave(other) == own;
            assert!(before, "{kind} comes before {}", other["kind"]);
        }
        let asks = find(&kind).expect("the object")["metadata"]["annotations"][OPTIONS].as_str();
        let matters = kind.ends_with("Connection") || kind.ends_with("Realm");
        assert_eq!(asks, matters.then_some("Prune=confirm,Delete=confirm"), "{kind}");
    }
}
