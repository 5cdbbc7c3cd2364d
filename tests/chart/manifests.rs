//! The files for those who do not use Helm: the release's manifests, and the CRDs by `kubectl apply -k`.

use std::path::Path;
use std::process::Command;

use proxmox_identity::api::crd;
use proxmox_identity::sim::control_plane::ControlPlane;
use serde_json::Value;
use tempfile::TempDir;

use crate::helm::{done, helm, of_kind, rendered};

const NAMESPACE: &str = "proxmox-identity";

fn project(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// What `make release-manifests` writes.
fn written() -> TempDir {
    let dir = TempDir::new().expect("a folder");
    let mut write = Command::new(project("charts/manifests.sh"));
    done(write.arg(dir.path()).env("HELM", helm().get_program()).env("REGISTRY", "registry.example.com"));
    dir
}

fn read(dir: &TempDir, name: &str) -> (String, Vec<Value>) {
    let text = std::fs::read_to_string(dir.path().join(name)).expect("a file");
    let objects = serde_saphyr::from_multiple::<Value>(&text).expect("YAML");
    (text, objects)
}

#[test]
fn one_file_has_all_of_the_chart_and_nothing_of_helm() {
    let dir = written();
    let (text, objects) = read(&dir, "deploy.yaml");
    assert!(!text.to_lowercase().contains("helm"), "{text}");
    let name = |object: &Value| (object["kind"].to_string(), object["metadata"]["name"].to_string());
    let mut names: Vec<_> = objects.iter().skip(1).map(name).collect();
    names.sort();
    let mut expected: Vec<_> = rendered(&["--skip-tests"]).iter().map(name).collect();
    expected.sort();
    assert_eq!(names, expected);
    assert_eq!((&objects[0]["kind"], &objects[0]["metadata"]["name"]), (&"Namespace".into(), &NAMESPACE.into()));
    for object in &objects[1..] {
        assert_eq!(object["metadata"]["labels"]["app.kubernetes.io/version"], env!("CARGO_PKG_VERSION"));
        let namespace = &object["metadata"]["namespace"];
        assert!(namespace.is_null() || namespace == NAMESPACE, "{namespace}");
    }
    let image = &of_kind(&objects, "Deployment")[0]["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(image, concat!("registry.example.com/proxmox-identity:", env!("CARGO_PKG_VERSION")));
    let (_, crds) = read(&dir, "crds.yaml");
    assert_eq!(of_kind(&crds, "CustomResourceDefinition").len(), crd::all().len());
}

#[tokio::test]
async fn kubectl_installs_the_crds_and_then_everything() {
    let plane = ControlPlane::start().await.unwrap_or_else(|error| panic!("no control plane: {error}"));
    let kubectl = |arguments: &[&str]| done(plane.kubectl().args(arguments));
    let dir = written();
    let [deploy, crds] = ["deploy.yaml", "crds.yaml"].map(|name| dir.path().join(name).to_string_lossy().into_owned());
    let folder = project("crds").to_string_lossy().into_owned();

    let applied = kubectl(&["apply", "-k", &folder]);
    assert_eq!(applied.matches(" created").count(), crd::all().len(), "{applied}");
    kubectl(&["wait", "--for=condition=Established", "crd", "--all"]);

    // What the apiserver does not know would be an error.
    kubectl(&["create", "namespace", NAMESPACE]);
    for file in [&crds, &deploy] {
        let strictly =
            ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "--filename"];
        kubectl(&[&strictly[..], &[file]].concat());
    }
    kubectl(&["apply", "--filename", &crds]);
    let (_, objects) = read(&dir, "deploy.yaml");
    let applied = kubectl(&["apply", "--filename", &deploy]);
    assert_eq!(applied.lines().count(), objects.len(), "{applied}");
    // The account that the pod runs as may do what the operator does.
    let account = format!("--as=system:serviceaccount:{NAMESPACE}:proxmox-identity");
    assert_eq!(kubectl(&["auth", "can-i", "list", "proxmoxgroups", "--all-namespaces", &account]).trim(), "yes");
    assert_eq!(
        kubectl(&["get", "deployment", "--namespace", NAMESPACE, "--output=name"]).trim(),
        "deployment.apps/proxmox-identity"
    );
    // Again, as an upgrade does.
    let applied = kubectl(&["apply", "--filename", &deploy]);
    assert_eq!(applied.matches(" unchanged").count(), objects.len(), "{applied}");
}
