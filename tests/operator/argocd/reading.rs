//! The health of the kinds for which nothing is written to Proxmox VE.

use serde_json::json;

use super::health::{shows, shows_as_going, shows_as_not_seen};
use super::{Apply, Git};
use crate::kinds::READING;
use crate::world::{World, manifest};

const CONNECTION: &str = "ProxmoxConnection";
const CHECK: &str = "ProxmoxAccessCheck";

#[test]
fn each_of_these_kinds_is_tried() {
    assert_eq!(READING, [CONNECTION, crate::tenants::health::KIND, CHECK]);
}

/// Waits until an object has a reason, and Argo CD shows this health then.
pub async fn is(world: &World, (kind, name): (&str, &str), reason: &str, health: &str) {
    world.reason(kind, name, reason).await;
    shows(&world.get_object(kind, name).await.expect("the object"), health).await;
}

#[tokio::test]
async fn the_health_of_a_connection_is_told_in_every_state() {
    let world = World::new().await;
    let connection = (CONNECTION, "pve");
    let object = async || world.get_object(CONNECTION, "pve").await.expect("the connection");
    world.connect().await;
    shows_as_not_seen(&object().await).await;
    world.delete("Secret", "token").await;
    world.start_operator();
    is(&world, connection, "SecretNotFound", "Progressing").await;
    world.connect_with("no token", "").await;
    is(&world, connection, "InvalidSpec", "Degraded").await;
    world.connect().await;
    is(&world, connection, "Succeeded", "Healthy").await;
    world.connect_with(&world.pve.token(), "  suspend: true\n").await;
    is(&world, connection, "Suspended", "Suspended").await;
    world.kill_operator();
    world.connect().await;
    shows_as_not_seen(&object().await).await;
    world.delete(CONNECTION, "pve").await;
    shows_as_going(&object().await).await;
}

#[tokio::test]
async fn the_health_of_a_check_is_told_in_every_state() {
    let world = World::new().await;
    let check = (CHECK, "check");
    let object = async || world.get_object(CHECK, "check").await.expect("the check");
    let put = async |spec: &str| {
        world.object(CHECK, "check", spec).await;
    };
    let holds = "subject: {user: root@pam}, path: /, require: [VM.Audit]";
    put(holds).await;
    shows_as_not_seen(&object().await).await;
    world.start_operator();
    is(&world, check, "ConnectionNotFound", "Progressing").await;
    world.connect().await;
    is(&world, check, "Succeeded", "Healthy").await;
    put("subject: {user: root@pam}, path: /, forbid: [VM.Audit]").await;
    is(&world, check, "AssertionFailed", "Degraded").await;
    put("subject: {groupRef: {name: nobody}}, path: /, forbid: [VM.Audit]").await;
    is(&world, check, "DependencyNotReady", "Progressing").await;
    put(&format!("{holds}, suspend: true")).await;
    is(&world, check, "Suspended", "Suspended").await;
    world.kill_operator();
    put(holds).await;
    shows_as_not_seen(&object().await).await;
}

#[tokio::test]
async fn argo_cd_sees_no_difference_in_a_connection_and_a_check() {
    let world = World::new().await;
    world.start_operator().connect().await;
    let spec = "subject: {user: root@pam}, path: /, require: [VM.Audit]";
    let check = serde_saphyr::from_str(&manifest(CHECK, "check", spec)).expect("a manifest");
    // As Git has it: not as the apiserver does.
    let connection = json!({
        "apiVersion": "proxmox-identity.dev/v1alpha1", "kind": CONNECTION, "metadata": {"name": "pve"},
        "spec": {
            "endpoints": [world.pve.url()], "auth": {"token": {"secretRef": {"name": "token"}}},
            "tls": {"fingerprints": [world.pve.fingerprint()]}, "policy": {"rules": [{"kinds": [CHECK]}]},
        },
    });
    let git = Git::new(&world, vec![connection, check]);
    for apply in [Apply::ClientSide, Apply::ServerSide] {
        git.becomes_healthy(apply).await;
    }
}
