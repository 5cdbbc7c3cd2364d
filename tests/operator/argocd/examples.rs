//! Examples, applied by Argo CD twice.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Apply, Git, ours};
use crate::guides::Place;
use crate::world::World;

/// The folders of examples that are plain manifests.
fn folders() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.filter(|path| !path.ends_with("argocd")).collect()
}

fn manifests(folder: &Path) -> String {
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let files = files.filter(|path| path.extension().is_some_and(|it| it == "yaml"));
    let texts: Vec<String> = files.map(|path| fs::read_to_string(path).expect("a file")).collect();
    texts.join("---\n")
}

#[tokio::test]
async fn an_example_that_was_synced_is_in_sync_and_a_second_sync_changes_nothing() {
    let folders = folders();
    assert!(folders.len() > 1);
    for folder in folders {
        let place = Place::new().await;
        let world = &place.world;
        let objects = place.parsed(&manifests(&folder));
        let git = Git::new(world, ours(&objects));
        let said = git.sync(Apply::ServerSide, 120, false).await;
        assert_eq!(said["phase"], "Succeeded", "{said:#}");
        let first = generations(world, &git).await;
        if folder.ends_with("pocket-id") {
            for (kind, name) in [("PocketIdClient", "proxmox-ve"), ("ProxmoxRealm", "pocket-id")] {
                world.ready(kind, name).await;
            }
            place.sign_in("alice").await.expect("in");
        }
        git.becomes_healthy(Apply::ServerSide).await;
        assert_eq!(generations(world, &git).await, first, "{}", folder.display());
    }
}

/// Changed by what changes a spec.
pub async fn generations(world: &World, git: &Git<'_>) -> Vec<Value> {
    let mut found = Vec::new();
    for object in &git.objects {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
        let live = world.get_object(&kind, &name).await.expect("the object");
        found.push(live["metadata"]["generation"].clone());
    }
    found
}
