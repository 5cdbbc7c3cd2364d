//! A namespace that goes with everything in it, as the cluster's own controllers remove it.

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::DeleteParams;
use proxmox_identity::sim::pve::Options;
use serde_json::json;

use crate::account::Reach;
use crate::support::control_plane;
use crate::world::World;

#[tokio::test]
async fn everything_of_a_deleted_namespace_goes_from_pve_though_the_secret_goes_first() {
    // What may be done in the namespace only goes with it, and nobody would remove its objects.
    let options = Options { time_scale: 0.02, ..Options::default() };
    let world = World::reaching(Reach::Cluster, control_plane().await, options).await;
    world.start_operator().connect().await;
    let before = [world.pve_get("/access/users").await, world.pve_get("/access/roles").await];
    let objects = [
        ("ProxmoxRealm", "oid", "openid: {issuerUrl: 'https://id.example.com', clientId: c}"),
        ("ProxmoxRole", "boss", "privileges: [Pool.Audit]"),
        ("ProxmoxGroup", "team", "members: [{userRef: {name: ann}}]"),
        ("ProxmoxUser", "ann", "realmRef: {name: oid}"),
        ("ProxmoxToken", "ci", "userRef: {name: ann}"),
        ("ProxmoxPool", "lab", "members: {guests: [100]}"),
        (
            "ProxmoxAcl",
            "lab",
            "poolRef: {name: lab}, roles: [{roleRef: {name: boss}}], subjects: [{groupRef: {name: team}}, {tokenRef: {name: ci}}]",
        ),
    ];
    for (kind, name, spec) in objects {
        world.object(kind, name, spec).await;
    }
    for (kind, name, _) in objects {
        world.ready(kind, name).await;
    }
    let manager = control_plane().await.controller_manager().expect("a controller manager");
    // The credential goes before anything else.
    world.delete("Secret", "token").await;
    let namespaces = Api::<Namespace>::all(world.client.clone());
    namespaces.delete(&world.namespace, &DeleteParams::default()).await.expect("deleted");
    world
        .until("the namespace is gone", async || {
            let namespace = namespaces.get_opt(&world.namespace).await.expect("an answer");
            namespace.is_none().then_some(())
        })
        .await;
    drop(manager);
    assert_eq!(world.pve_get("/pools").await, json!([]));
    assert!(world.groups().await.is_empty() && world.acl().await.is_empty());
    assert_eq!(world.pve_get("/access/domains").await.as_array().map(Vec::len), Some(2));
    let sorted = |list: &serde_json::Value| {
        let mut items: Vec<String> = list.as_array().expect("a list").iter().map(ToString::to_string).collect();
        items.sort();
        items
    };
    assert_eq!(sorted(&world.pve_get("/access/users").await), sorted(&before[0]));
    assert_eq!(sorted(&world.pve_get("/access/roles").await), sorted(&before[1]));
}
