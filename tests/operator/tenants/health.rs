//! The health that Argo CD shows of a connection that is offered.

use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::{HOME, tenant};
use crate::argocd::health::shows_as_not_seen;
use crate::argocd::reading::is;
use crate::world::World;

pub const KIND: &str = "ClusterProxmoxConnection";

#[tokio::test]
async fn the_health_of_an_offered_connection_is_told_in_every_state() {
    let world = tenant().await;
    let name = world.offer();
    let connection = (KIND, name.as_str());
    world.offered(&json!({})).await;
    is(&world, connection, "Succeeded", "Healthy").await;
    world.offered(&json!({"suspend": true})).await;
    is(&world, connection, "Suspended", "Suspended").await;
    world.offered(&json!({"auth": {"token": {"secretRef": {"name": "missing"}}}})).await;
    is(&world, connection, "SecretNotFound", "Progressing").await;
    let nonsense = json!({"stringData": {"token": "no token"}});
    let secrets = world.api_in("Secret", HOME);
    world.offered(&json!({})).await;
    secrets.patch(&name, &PatchParams::default(), &Patch::Merge(nonsense)).await.expect("a Secret");
    is(&world, connection, "InvalidSpec", "Degraded").await;
}

/// Where no operator is that reads connections of the whole cluster.
#[tokio::test]
async fn the_health_of_an_offered_connection_that_nobody_looks_at_is_told() {
    let world = World::new().await;
    world.offered(&json!({})).await;
    let connection = world.get_object(KIND, &world.offer()).await.expect("the connection");
    shows_as_not_seen(&connection).await;
}
