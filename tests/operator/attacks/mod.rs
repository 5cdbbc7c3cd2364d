//! What somebody who wants to break it would try.

mod limits;
mod ownership;
mod quiet;

use std::time::Duration;

use kube::Api;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use kube::discovery::ApiResource;
use serde_json::{Value, json};

use crate::rights::{operator_token, without};
use crate::world::{World, condition};

pub(super) fn passes(world: &World) -> u64 {
    world.pve.requests().count("GET", "/access/permissions")
}

pub(super) async fn sleep(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// Passes and writes in so many milliseconds.
pub(super) async fn rate(world: &World, millis: u64) -> (u64, u64) {
    let (reads, writes) = (passes(world), world.pve_writes());
    sleep(millis).await;
    (passes(world) - reads, world.pve_writes() - writes)
}

pub(super) fn api(world: &World, kind: &str) -> Api<DynamicObject> {
    world.api(kind)
}

pub(super) fn policies(world: &World, kind: &str) -> Api<DynamicObject> {
    let resource = ApiResource {
        group: "admissionregistration.k8s.io".into(),
        version: "v1".into(),
        api_version: "admissionregistration.k8s.io/v1".into(),
        kind: kind.into(),
        plural: if kind.ends_with('y') {
            "validatingadmissionpolicies".into()
        } else {
            "validatingadmissionpolicybindings".into()
        },
    };
    Api::all_with(world.client.clone(), &resource)
}

/// The apiserver refuses what fits the CEL condition, as an admission webhook of somebody might, or a quota.
pub(super) async fn deny(world: &World, resource: &str, condition: &str) {
    let name = format!("deny-{}", world.namespace);
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{
                "apiGroups": ["proxmox-identity.dev"], "apiVersions": ["*"], "operations": ["UPDATE"],
                "resources": [resource],
            }]},
            "matchConditions": [{"name": "ours", "expression": format!("request.namespace == '{}'", world.namespace)}],
            "validations": [{"expression": format!("!({condition})"), "message": "denied by the test"}],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name}, "spec": {"policyName": name, "validationActions": ["Deny"]},
    });
    let params = PatchParams::apply("test").force();
    policies(world, "ValidatingAdmissionPolicy").patch(&name, &params, &Patch::Apply(policy)).await.expect("a policy");
    policies(world, "ValidatingAdmissionPolicyBinding")
        .patch(&name, &params, &Patch::Apply(binding))
        .await
        .expect("a binding");
    sleep(3000).await;
}

pub(super) async fn allow(world: &World) {
    let name = format!("deny-{}", world.namespace);
    let params = DeleteParams::default();
    let _ = policies(world, "ValidatingAdmissionPolicyBinding").delete(&name, &params).await;
    let _ = policies(world, "ValidatingAdmissionPolicy").delete(&name, &params).await;
}

pub(super) async fn version(world: &World, kind: &str, name: &str) -> String {
    let object = world.get_object(kind, name).await.expect("an object");
    object["metadata"]["resourceVersion"].as_str().expect("a version").to_owned()
}

/// How often the object is changed in so many milliseconds.
pub(super) async fn changes(world: &World, kind: &str, name: &str, millis: u64) -> (usize, Vec<Value>) {
    let started = std::time::Instant::now();
    let (mut seen, mut last, mut texts) = (0, version(world, kind, name).await, Vec::new());
    while started.elapsed() < Duration::from_millis(millis) {
        sleep(10).await;
        let object = world.get_object(kind, name).await.expect("an object");
        let now = object["metadata"]["resourceVersion"].as_str().expect("a version").to_owned();
        if now != last {
            (seen, last) = (seen + 1, now);
            texts.push(json!([object["status"]["pendingChanges"], condition(&object, "Ready")]));
        }
    }
    (seen, texts)
}

pub(super) fn realm(id: &str, more: &str) -> String {
    format!("realm: {id}, openid: {{issuerUrl: 'https://id.example.com', clientId: c}}{more}")
}

pub(super) const ENTRY: &str = "path: /vms, roles: [{role: PVEVMUser}], subjects: [{group: g}]";

pub(super) fn pid(world: &World) -> u32 {
    let wanted = format!("--watch-namespace={}", world.namespace);
    for entry in std::fs::read_dir("/proc").expect("processes").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let read = |file: &str| std::fs::read_to_string(entry.path().join(file)).unwrap_or_default();
        let parent = read("stat").rsplit(')').next().and_then(|it| it.split(' ').nth(2)?.parse::<u32>().ok());
        if read("cmdline").split('\0').any(|word| word == wanted) && parent == Some(std::process::id()) {
            return pid;
        }
    }
    panic!("no operator")
}
