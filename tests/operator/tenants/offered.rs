//! Who may use a connection, and what others learn of it.

use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use serde_json::json;

use super::tenant;
use crate::world::{World, manifest};

/// Everything is allowed but what is denied by default.
fn anything() -> serde_json::Value {
    json!({"rules": [{}]})
}

#[tokio::test]
async fn a_connection_serves_the_namespaces_that_it_names_and_no_other() {
    let world = tenant().await;
    world.offered(&json!({"allowedNamespaces": {"names": ["somewhere-else"]}, "policy": anything()})).await;
    world.uses("ProxmoxGroup", "g", "").await;
    let message = world.reason("ProxmoxGroup", "g", "PolicyDenied").await;
    assert!(message.contains("allowedNamespaces"), "{message}");
    assert!(world.groups().await.is_empty());
    world.offered(&json!({"allowedNamespaces": {"names": [world.namespace]}, "policy": anything()})).await;
    world.ready("ProxmoxGroup", "g").await;
    world.offered(&json!({"policy": anything()})).await;
    world.reason("ProxmoxGroup", "g", "PolicyDenied").await;
    assert_eq!(world.groups().await, ["g"], "what was made stays");
    world.delete("ProxmoxGroup", "g").await;
    world.gone("ProxmoxGroup", "g").await;
    assert!(world.groups().await.is_empty(), "and may always be deleted");
}

#[tokio::test]
async fn a_connection_serves_the_namespaces_with_its_labels() {
    let world = tenant().await;
    let selector = json!({"matchLabels": {"pve": world.namespace}});
    world.offered(&json!({"allowedNamespaces": {"selector": selector}, "policy": anything()})).await;
    world.uses("ProxmoxGroup", "g", "").await;
    world.reason("ProxmoxGroup", "g", "PolicyDenied").await;
    world.label(&json!({"pve": world.namespace})).await;
    world.ready("ProxmoxGroup", "g").await;
    world.label(&json!({"pve": null})).await;
    world.reason("ProxmoxGroup", "g", "PolicyDenied").await;
}

#[tokio::test]
async fn its_secret_is_the_operators_and_never_a_tenants() {
    let world = tenant().await;
    world.offered(&json!({"allowedNamespaces": {"names": [world.namespace]}, "policy": anything()})).await;
    let (name, theirs) = (world.offer(), "evil@pve!token=11111111-2222-3333-4444-555555555555");
    world
        .apply(&format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{token: '{theirs}'}}\n"
        ))
        .await;
    world.uses("ProxmoxGroup", "g", "").await;
    world.ready("ProxmoxGroup", "g").await;
    // Without the operator's own it is not taken instead.
    world.api_in("Secret", super::HOME).delete(&name, &DeleteParams::default()).await.expect("deleted");
    world.reason("ClusterProxmoxConnection", &name, "SecretNotFound").await;
}

#[tokio::test]
async fn a_tenants_token_is_delivered_where_the_tenant_is() {
    let world = tenant().await;
    world.offered(&json!({"allowedNamespaces": {"names": [world.namespace]}, "policy": anything()})).await;
    world.uses("ProxmoxUser", "svc", "realm: pve").await;
    world.uses("ProxmoxToken", "ci", "userRef: {name: svc}").await;
    world.ready("ProxmoxToken", "ci").await;
    assert!(world.get_object("Secret", "ci").await.is_some());
}

#[tokio::test]
async fn references_stay_in_their_namespace() {
    let world = tenant().await;
    let neighbour = world.neighbour().await;
    let names = json!([world.namespace, neighbour]);
    world.offered(&json!({"allowedNamespaces": {"names": names}, "policy": anything()})).await;
    world.uses("ProxmoxGroup", "team", "groupId: mine").await;
    world.uses("ProxmoxAcl", "a", "path: /vms, roles: [{role: PVEVMUser}], subjects: [{groupRef: {name: team}}]").await;
    world.ready("ProxmoxAcl", "a").await;
    in_namespace(&world, &neighbour, "ProxmoxGroup", "team", "groupId: theirs").await;
    in_namespace(
        &world,
        &neighbour,
        "ProxmoxAcl",
        "a",
        "path: /vms, roles: [{role: PVEVMUser}], subjects: [{groupRef: {name: other}}]",
    )
    .await;
    world.until("both groups stand", async || (world.groups().await == ["mine", "theirs"]).then_some(())).await;
    let theirs = world
        .until("what is not there is named", async || {
            let object = world.api_in("ProxmoxAcl", &neighbour).get("a").await.ok()?;
            let text = object.data["status"].to_string();
            text.contains("DependencyNotReady").then_some(text)
        })
        .await;
    assert!(theirs.contains("ProxmoxGroup other does not exist in this namespace"), "{theirs}");
    assert_eq!(world.acl().await, ["/vms PVEVMUser group:mine 1"]);
}

#[tokio::test]
async fn a_status_tells_nothing_of_another_namespace() {
    let world = tenant().await;
    let neighbour = world.neighbour().await;
    let names = json!([world.namespace, neighbour]);
    world.offered(&json!({"allowedNamespaces": {"names": names}, "policy": anything()})).await;
    in_namespace(&world, &neighbour, "ProxmoxGroup", "secret-project", "groupId: g, comment: theirs").await;
    world.until("the group stands", async || (world.groups().await == ["g"]).then_some(())).await;
    world.uses("ProxmoxGroup", "mine", "groupId: g, comment: mine").await;
    let message = world.reason("ProxmoxGroup", "mine", "Conflict").await;
    let status = world.get_object("ProxmoxGroup", "mine").await.expect("a group")["status"].to_string();
    assert!(message.contains("an object of another namespace"), "{message}");
    assert!(!status.contains("secret-project") && !status.contains(&neighbour), "{status}");
    let event = world.told("mine", "Conflict", &[]).await;
    assert!(!event.contains("secret-project") && !event.contains(&neighbour), "{event}");
}

#[tokio::test]
async fn a_connection_goes_when_its_last_object_has_gone() {
    let world = tenant().await;
    world.offered(&json!({"allowedNamespaces": {"names": [world.namespace]}, "policy": anything()})).await;
    world.uses("ProxmoxGroup", "g", "").await;
    world.ready("ProxmoxGroup", "g").await;
    world.delete("ClusterProxmoxConnection", &world.offer()).await;
    world.reason("ClusterProxmoxConnection", &world.offer(), "DeletionBlocked").await;
    world.delete("ProxmoxGroup", "g").await;
    world.gone("ProxmoxGroup", "g").await;
    world.gone("ClusterProxmoxConnection", &world.offer()).await;
}

#[tokio::test]
async fn an_operator_of_one_namespace_says_that_it_has_no_such_connections() {
    let world = World::new().await;
    world.start_operator();
    let object =
        manifest("ProxmoxGroup", "g", "").replace("{name: pve}", "{kind: ClusterProxmoxConnection, name: pve}");
    world.apply(&object).await;
    let message = world.reason("ProxmoxGroup", "g", "ConnectionNotFound").await;
    assert!(message.contains("watches one namespace only"), "{message}");
}

/// An object of another tenant of the same offer.
async fn in_namespace(world: &World, namespace: &str, kind: &str, name: &str, spec: &str) {
    let object: DynamicObject = serde_saphyr::from_str(&world.of_offer(kind, name, spec)).expect("an object");
    let params = PatchParams::apply("test").force();
    world.api_in(kind, namespace).patch(name, &params, &Patch::Apply(&object)).await.expect("taken");
}
