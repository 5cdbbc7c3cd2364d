//! The manifests in examples/ are taken by the apiserver.

use std::fs;
use std::path::{Path, PathBuf};

use kube::api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::Value;

use crate::support;

fn manifests(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(manifests(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
    found
}

#[tokio::test]
async fn every_example_is_taken() {
    let client = support::client().await;
    let namespace = support::cluster::namespace(&client).await;
    let files = manifests(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"));
    assert!(!files.is_empty());
    for file in files {
        let text = fs::read_to_string(&file).expect("a text file");
        for document in serde_saphyr::from_multiple::<Value>(&text).expect("YAML") {
            let object: DynamicObject = serde_json::from_value(document).expect("an object");
            let types = object.types.clone().expect("apiVersion and kind");
            let resource = ApiResource::from_gvk(&GroupVersionKind::try_from(types).expect("a kind"));
            let api = Api::<DynamicObject>::namespaced_with(client.clone(), &namespace, &resource);
            let params = PatchParams::apply("test").validation_strict().dry_run();
            if let Err(error) = api.patch(&object.name_any(), &params, &Patch::Apply(&object)).await {
                panic!("{}: {error}", file.display());
            }
        }
    }
}
