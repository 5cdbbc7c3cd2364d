//! The life of a release on a real apiserver. There are no nodes, so nobody waits for the Deployment.

use proxmox_identity::sim::control_plane::ControlPlane;
use serde_json::Value;

use crate::helm::{RELEASE, done, helm_on, installable, refused};

/// A connection in values, which needs the CRDs.
const CONNECTION: &str = "connections[0].name=pve,connections[0].spec.endpoints[0]=https://pve1.example.com:8006,\
    connections[0].spec.auth.token.secretRef.name=pve";

#[tokio::test]
async fn a_release_is_installed_changed_rolled_back_removed_and_installed_again() {
    let plane = ControlPlane::start().await.unwrap_or_else(|error| panic!("no control plane: {error}"));
    let helm = |arguments: &[&str]| done(helm_on(&plane).args(arguments));
    let chart = installable();
    let path = chart.path().to_string_lossy();
    let kubectl = |arguments: &[&str]| done(plane.kubectl().args(arguments));
    let read = |kind: &str, name: &str| -> Value {
        serde_json::from_str(&kubectl(&["get", kind, name, "--output=json"])).expect("JSON")
    };
    let deadline = || {
        let deployment = read("deployment", RELEASE);
        crate::helm::texts(&deployment["spec"]["template"]["spec"]["containers"][0]["args"])[3].to_owned()
    };

    // Helm looks up every kind before it makes the first object.
    let said = refused(helm_on(&plane).args(["install", RELEASE, &path, "--set", CONNECTION]));
    assert!(said.contains("ensure CRDs are installed first"), "{said}");

    let notes = helm(&["install", RELEASE, &path]);
    assert!(notes.contains("No image is published yet"), "{notes}");
    assert!(notes.contains("kubectl create secret generic proxmox"), "{notes}");
    kubectl(&["wait", "--for=condition=Established", "crd", "--all"]);
    let group = r#"{"apiVersion":"proxmox-identity.dev/v1alpha1","kind":"ProxmoxGroup","metadata":{"name":"g"},"spec":{"connectionRef":{"name":"pve"}}}"#;
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("group.json");
    std::fs::write(&file, group).expect("a file");
    kubectl(&["apply", "--filename", &file.to_string_lossy()]);
    let uid = read("proxmoxgroup", "g")["metadata"]["uid"].clone();

    helm(&["upgrade", RELEASE, &path, "--set", CONNECTION, "--set", "progressDeadline=5m"]);
    assert_eq!(deadline(), "--progress-deadline=5m");
    assert_eq!(read("proxmoxconnection", "pve")["spec"]["endpoints"][0], "https://pve1.example.com:8006");

    helm(&["rollback", RELEASE, "1"]);
    assert_eq!(deadline(), "--progress-deadline=10m");
    // Taken off by the rollback, and kept: only a running operator could let go of it.
    read("proxmoxconnection", "pve");

    helm(&["upgrade", RELEASE, &path, "--set", CONNECTION]);
    helm(&["uninstall", RELEASE]);
    refused(plane.kubectl().args(["get", "deployment", RELEASE]));
    refused(plane.kubectl().args(["get", "clusterrole", RELEASE]));
    assert_eq!(read("proxmoxgroup", "g")["metadata"]["uid"], uid);
    read("proxmoxconnection", "pve");

    helm(&["install", RELEASE, &path, "--set", CONNECTION]);
    assert_eq!(read("proxmoxgroup", "g")["metadata"]["uid"], uid);
    // A release of another name needs none of its own, and would not take these.
    let other = ["install", "other", &path];
    let said = refused(helm_on(&plane).args(other));
    assert!(said.contains("release-name"), "{said}");
    helm(&[&other[..], &["--set", "crds.enabled=false"]].concat());
    helm(&["uninstall", "other"]);
    read("crd", "proxmoxgroups.proxmox-identity.dev");
    // What a release keeps takes little of the 1 MiB that a Secret may have.
    let kept: Value =
        serde_json::from_str(&kubectl(&["get", "secret", "--selector=owner=helm", "--output=json"])).expect("JSON");
    for secret in kept["items"].as_array().expect("a list") {
        let size = secret["data"]["release"].as_str().expect("a release").len();
        assert!(size < 400_000, "{size}");
    }
}
