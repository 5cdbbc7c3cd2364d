//! What somebody who wants to break it would try.

mod limits;
mod ownership;
mod quiet;

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, ObjectMeta, Patch, PatchParams, PostParams};
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
    let (begun, reads, writes) = (std::time::Instant::now(), passes(world), world.pve_writes());
    sleep(millis).await;
    let (reads, writes) = (passes(world) - reads, world.pve_writes() - writes);
    // On a busy machine it may have been longer.
    let took = u64::try_from(begun.elapsed().as_millis()).expect("a short while");
    (reads * millis / took, writes * millis / took)
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
            }, {
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"],
            }]},
            "matchConditions": [{"name": "ours", "expression": format!("request.namespace == '{}'", world.namespace)}],
            "validations": [{
                "expression": format!("request.operation == 'CREATE' ? object.metadata.name != 'probe' : !({condition})"),
                "message": "denied by the test",
            }],
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
    // The apiserver takes a moment to heed it.
    let probe = ConfigMap {
        metadata: ObjectMeta { name: Some("probe".into()), ..ObjectMeta::default() },
        ..ConfigMap::default()
    };
    let params = PostParams { dry_run: true, ..PostParams::default() };
    let config_maps = Api::<ConfigMap>::namespaced(world.client.clone(), &world.namespace);
    let refused = async || {
        let refusal = config_maps.create(&params, &probe).await.err()?;
        refusal.to_string().contains("denied by the test").then_some(())
    };
    world.until("the policy is heeded", refused).await;
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
