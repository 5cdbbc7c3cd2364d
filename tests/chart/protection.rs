//! The admission policy of the chart: what is protected is not deleted.

use std::time::{Duration, Instant};

use proxmox_identity::sim::control_plane::ControlPlane;
use serde_json::json;

use crate::helm::{done, helm_on, installable, refused};
use crate::support::cluster;

#[tokio::test]
async fn what_is_annotated_is_deleted_once_the_annotation_is_off_and_crds_never() {
    let plane = ControlPlane::start().await.unwrap_or_else(|error| panic!("no control plane: {error}"));
    let chart = installable();
    done(helm_on(&plane).args(["install", "r", "--set", "admissionPolicy.enabled=true"]).arg(chart.path()));
    cluster::established(&plane.client().await.expect("a client")).await;
    let kubectl = |arguments: &[&str]| done(plane.kubectl().args(arguments));
    let fails = |arguments: &[&str]| refused(plane.kubectl().args(arguments));
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("groups.json");
    let group = |name: &str, value: &str| {
        json!({
            "apiVersion": "proxmox-identity.dev/v1alpha1", "kind": "ProxmoxGroup",
            "metadata": {"name": name, "annotations": {"proxmox-identity.dev/prevent-deletion": value}},
            "spec": {"connectionRef": {"name": "pve"}},
        })
    };
    let groups = json!({"apiVersion": "v1", "kind": "List", "items": [group("kept", "true"), group("plain", "false")]});
    std::fs::write(&file, groups.to_string()).expect("a file");
    kubectl(&["apply", "--filename", &file.to_string_lossy()]);

    // The apiserver takes a moment to heed a new policy.
    let started = Instant::now();
    while plane
        .kubectl()
        .args(["delete", "pvegroup/kept", "--dry-run=server"])
        .output()
        .expect("it runs")
        .status
        .success()
    {
        assert!(started.elapsed() < Duration::from_mins(1), "the policy has no effect");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let said = fails(&["delete", "pvegroup/kept"]);
    assert!(said.contains("take the annotation proxmox-identity.dev/prevent-deletion off first"), "{said}");
    let said = fails(&["delete", "pvegroup", "--all"]);
    assert!(said.contains("it is protected"), "{said}");
    assert_eq!(kubectl(&["get", "pvegroup", "--output=name"]).trim(), "proxmoxgroup.proxmox-identity.dev/kept");
    kubectl(&["annotate", "pvegroup/kept", "proxmox-identity.dev/prevent-deletion-"]);
    kubectl(&["delete", "pvegroup/kept"]);

    let said = fails(&["delete", "crd", "proxmoxgroups.proxmox-identity.dev"]);
    assert!(said.contains("with it go all objects of its kind"), "{said}");
}
