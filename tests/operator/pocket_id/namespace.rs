//! A namespace that goes with everything in it, as the cluster's own controllers remove it.

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::DeleteParams;
use proxmox_identity::sim::pocket_id::Options;

use super::Both;
use crate::account::Reach;
use crate::support::control_plane;

#[tokio::test]
async fn everything_of_a_deleted_namespace_goes_from_pocket_id_though_the_key_goes_first() {
    let world = Both::reaching(Reach::Cluster, Options::default()).await;
    world.pocket.add_user("alice", &[]).expect("a user");
    world.start_operator();
    world.declare("PocketIdGroup", "team", "members: [alice]").await;
    let spec = "callbackUrlsFrom: {connectionRef: {name: pve}}, allowedGroups: [{groupRef: {name: team}}]";
    world.declare("PocketIdClient", "pve", spec).await;
    world.object("ProxmoxRealm", "oid", "openid: {clientRef: {name: pve}}").await;
    world.object("ProxmoxGroup", "team", "oidc: {groupRef: {name: team}, realmRef: {name: oid}}").await;
    for (kind, name) in
        [("PocketIdGroup", "team"), ("PocketIdClient", "pve"), ("ProxmoxRealm", "oid"), ("ProxmoxGroup", "team")]
    {
        world.ready(kind, name).await;
    }
    let manager = control_plane().await.controller_manager().expect("a controller manager");
    // The keys go before anything else.
    for name in ["pocket-id", "token"] {
        world.delete("Secret", name).await;
    }
    let namespaces = Api::<Namespace>::all(world.client.clone());
    namespaces.delete(&world.namespace, &DeleteParams::default()).await.expect("deleted");
    world
        .until("the namespace is gone", async || {
            let namespace = namespaces.get_opt(&world.namespace).await.expect("an answer");
            namespace.is_none().then_some(())
        })
        .await;
    drop(manager);
    assert!(world.pocket_client("pve").await.is_none() && world.pocket_group("team").await.is_none());
    assert!(world.groups().await.is_empty());
    assert_eq!(world.pve_get("/access/domains").await.as_array().map(Vec::len), Some(2));
}
