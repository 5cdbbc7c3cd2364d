//! The health check: one script for all kinds, in argocd-cm and in the shape in which Argo CD would ship it.

use std::fs;

use proxmox_identity::api::crd;
use serde_json::{Value, json};

use crate::argocd_program::{config_map, documents, example, health_with};

/// The folder of the script in Argo CD's sources, where `_` stands for any kind.
const FOLDER: &str = "resource_customizations/proxmox-identity.dev/_";

/// What the script says of an object that the operator has not looked at.
const NOT_SEEN: (&str, &str) = ("Progressing", "The operator has not looked at this generation yet");

/// Argo CD with the example's argocd-cm shows an object so: with Ready's reason and message, where they count.
pub async fn shows(object: &Value, status: &str) {
    let said = health_with(&config_map(), std::slice::from_ref(object)).await.remove(0).expect("a health");
    let ready = crate::world::condition(object, "Ready").expect("Ready");
    let words = |name: &str| ready[name].as_str().expect("a text").to_owned();
    let expected = format!("{}: {}", words("reason"), words("message"));
    // A warning is told by Ready alone.
    let stalled = status == "Degraded" && expected.starts_with(&said.1);
    assert!(said.0 == status && (said.1 == expected || stalled), "{said:?}, not {status}: {object:#}");
    assert!(!words("message").is_empty());
}

/// The same for one that the operator has not looked at, in its present generation.
pub async fn shows_as_not_seen(object: &Value) {
    let said = health_with(&config_map(), std::slice::from_ref(object)).await.remove(0).expect("a health");
    assert_eq!((said.0.as_str(), said.1.as_str()), NOT_SEEN, "{object:#}");
}

/// The same for one that is being deleted: Argo CD asks no script.
pub async fn shows_as_going(object: &Value) {
    let said = health_with(&config_map(), std::slice::from_ref(object)).await;
    assert_eq!(said, [Some(("Progressing".to_owned(), "Pending deletion".to_owned()))], "{object:#}");
}

fn script() -> String {
    fs::read_to_string(example(FOLDER).join("health.lua")).expect("a script")
}

#[test]
fn the_script_of_argocd_cm_is_that_of_argo_cds_sources() {
    let customizations = config_map()["resource.customizations"].as_str().expect("a text").to_owned();
    let customizations: Value = serde_saphyr::from_str(&customizations).expect("YAML");
    let key = FOLDER.trim_start_matches("resource_customizations/").replace('_', "*");
    assert_eq!(
        customizations,
        json!({key: {"health.lua": script()}}),
        "indent {FOLDER}/health.lua into argocd-cm.yaml"
    );
}

/// As Argo CD's own test of its sources does.
#[tokio::test]
async fn every_example_of_a_health_is_told_so() {
    let tests = documents(&format!("{FOLDER}/health_test.yaml")).remove(0);
    let tests = tests["tests"].as_array().expect("tests");
    let path = |test: &Value| format!("{FOLDER}/{}", test["inputPath"].as_str().expect("a path"));
    let objects: Vec<Value> = tests.iter().map(|test| documents(&path(test)).remove(0)).collect();
    let said = health_with(&config_map(), &objects).await;
    for (test, said) in tests.iter().zip(said) {
        let (status, message) = said.expect("a health");
        assert_eq!(test["healthStatus"], json!({"status": status, "message": message}), "{}", path(test));
    }
    let files = fs::read_dir(example(FOLDER).join("testdata")).expect("a folder").count();
    assert_eq!(files, tests.len(), "each file is tried once");
}

#[tokio::test]
async fn argo_cd_knows_the_health_of_every_kind_by_the_script_alone() {
    let ready = json!({"type": "Ready", "status": "True", "reason": "Succeeded", "message": "as it should be"});
    let object = |kind: String| {
        json!({
            "apiVersion": "proxmox-identity.dev/v1alpha1", "kind": kind, "metadata": {"name": "a", "generation": 1},
            "status": {"observedGeneration": 1, "conditions": [ready]},
        })
    };
    let objects: Vec<Value> = crd::all().into_iter().map(|crd| object(crd.spec.names.kind)).collect();
    let said = health_with(&config_map(), &objects).await;
    assert!(said.iter().flatten().all(|(status, _)| status == "Healthy"), "{said:?}");
    assert_eq!(said.iter().flatten().count(), objects.len());
    let without = health_with(&json!({}), &objects).await;
    assert!(without.iter().all(Option::is_none), "{without:?}");
}

/// Messages that are no texts would make Argo CD forget the whole health.
#[tokio::test]
async fn a_condition_without_words_is_told_too() {
    let mut object = json!({
        "apiVersion": "proxmox-identity.dev/v1alpha1", "kind": "ProxmoxAcl", "metadata": {"name": "a", "generation": 1},
        "status": {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "False", "message": 7}]},
    });
    let said = health_with(&config_map(), std::slice::from_ref(&object)).await;
    assert_eq!(said, [Some(("Progressing".to_owned(), "nil: 7".to_owned()))]);
    for status in [json!({}), json!({"observedGeneration": 1}), Value::Null] {
        object["status"] = status;
        shows_as_not_seen(&object).await;
    }
}
