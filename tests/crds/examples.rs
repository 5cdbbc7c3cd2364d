//! The manifests in examples/ and in the documentation are taken by the apiserver.

use std::fs;
use std::path::{Path, PathBuf};

use kube::api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::Value;

use crate::support;

/// All files with this ending in a folder of the project and below.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == ending) {
                found.push(path);
            }
        }
    }
    found
}

/// The blocks of a Markdown text that are marked as YAML.
fn yaml_blocks(text: &str) -> Vec<&str> {
    let blocks = text.split("\n```yaml").skip(1).filter_map(|rest| rest.split("\n```").next());
    // Behind the word may stand that it cannot be run.
    blocks.filter_map(|block| block.split_once('\n')).map(|(_, manifests)| manifests).collect()
}

/// What this apiserver does not know: of Argo CD and kustomize, which judge it in `tests/chart/argocd.rs` and
/// `tests/operator/argocd`, and of other operators.
fn is_foreign(document: &Value) -> bool {
    let group = document["apiVersion"].as_str().and_then(|version| version.split('/').next()).unwrap_or_default();
    let foreign = ["argoproj.io", "external-secrets.io", "k8s.keycloak.org", "kaniop.rs", "kustomize.config.k8s.io"];
    foreign.contains(&group)
}

/// Asks the apiserver whether it takes all documents of a YAML text; stores nothing.
async fn is_taken(client: &Client, namespace: &str, text: &str, file: &Path) {
    for document in serde_saphyr::from_multiple::<Value>(text).expect("YAML") {
        if is_foreign(&document) {
            continue;
        }
        let mut object: DynamicObject = serde_json::from_value(document).expect("an object");
        let types = object.types.clone().expect("apiVersion and kind");
        let resource = ApiResource::from_gvk(&GroupVersionKind::try_from(types).expect("a kind"));
        // Namespaces that are named do not exist here.
        object.metadata.namespace = None;
        let api = match resource.kind.as_str() {
            "ClusterProxmoxConnection" => Api::<DynamicObject>::all_with(client.clone(), &resource),
            _ => Api::namespaced_with(client.clone(), namespace, &resource),
        };
        let params = PatchParams::apply("test").validation_strict().dry_run();
        if let Err(error) = api.patch(&object.name_any(), &params, &Patch::Apply(&object)).await {
            panic!("{}: {error}", file.display());
        }
    }
}

#[tokio::test]
async fn every_example_is_taken() {
    let client = crate::client().await;
    let namespace = support::cluster::namespace(&client).await;
    let files = files("examples", "yaml");
    assert!(!files.is_empty());
    // Those are no objects.
    for file in files.iter().filter(|file| !file.ends_with("health_test.yaml")) {
        is_taken(&client, &namespace, &fs::read_to_string(file).expect("a text file"), file).await;
    }
}

#[tokio::test]
async fn every_manifest_in_the_documentation_is_taken() {
    let client = crate::client().await;
    let namespace = support::cluster::namespace(&client).await;
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let mut count = 0;
    for file in files("docs", "md").into_iter().chain(files("examples", "md")).chain([readme]) {
        for block in yaml_blocks(&fs::read_to_string(&file).expect("a text file")) {
            is_taken(&client, &namespace, block, &file).await;
            count += 1;
        }
    }
    assert!(count > 0);
}
