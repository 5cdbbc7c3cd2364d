//! The life of all kinds, for an operator with the rights of the chart.

use proxmox_identity::sim::pocket_id;
use serde_json::json;

use crate::world::{World, manifest};

/// The ways to both systems.
const CONNECTIONS: [(&str, &str); 2] = [("ProxmoxConnection", "pve"), ("PocketIdConnection", "pocket-id")];

/// Objects of every kind that is in a namespace, with the reason for which each is as it should be.
fn objects() -> Vec<(&'static str, &'static str, String)> {
    let object = |kind, name, spec: &str| (kind, name, manifest(kind, name, spec));
    let in_pocket_id = |kind, name, spec: &str| {
        let manifest = manifest(kind, name, spec);
        (kind, name, manifest.replacen("{name: pve}", "{name: pocket-id}", 1))
    };
    vec![
        in_pocket_id("PocketIdGroup", "staff", "friendlyName: Staff"),
        in_pocket_id(
            "PocketIdClient",
            "proxmox",
            "callbackUrlsFrom: {connectionRef: {name: pve}}, allowedGroups: [{groupRef: {name: staff}}], \
             secretTemplate: {name: client}, logo: {configMapKeyRef: {name: logos, key: pve.svg}}",
        ),
        object(
            "ProxmoxRealm",
            "pocket-id",
            "realm: PocketID, openid: {clientRef: {name: proxmox}, usernameClaim: username, users: {samples: [alice]}}",
        ),
        object("ProxmoxGroup", "staff-of-pocket-id", "oidc: {groupRef: {name: staff}, realmRef: {name: pocket-id}}"),
        object(
            "ProxmoxRealm",
            "sso",
            "realm: SSO, openid: {issuerUrl: 'https://id.example.com', clientId: c, clientKeySecretRef: {name: sso, key: key}}",
        ),
        object("ProxmoxGroup", "staff", ""),
        object(
            "ProxmoxUser",
            "ci",
            "userId: ci@pve, passwordSecretRef: {name: ci, key: password}, groups: [{groupRef: {name: staff}}]",
        ),
        object("ProxmoxToken", "ci", "userRef: {name: ci}, secretTemplate: {name: ci-token}"),
        object("ProxmoxRole", "reader", "privileges: [VM.Audit]"),
        object("ProxmoxPool", "team", ""),
        object(
            "ProxmoxAcl",
            "staff",
            "poolRef: {name: team}, roles: [{roleRef: {name: reader}}], subjects: [{groupRef: {name: staff}}]",
        ),
        object(
            "ProxmoxAccessCheck",
            "staff",
            "subject: {groupRef: {name: staff}}, path: /pool/team, require: [VM.Audit]",
        ),
    ]
}

/// A Pocket ID beside Proxmox VE, and the way to it.
async fn pocket_id(world: &World) -> pocket_id::Simulator {
    let options = pocket_id::Options { release: pocket_id::Release::V2_14, ..pocket_id::Options::default() };
    let simulator = pocket_id::Simulator::start(options).await.expect("a simulator");
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pocket-id"},
        "stringData": {"api-key": simulator.api_key()},
    });
    let logos = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "logos"}, "data": {"pve.svg": "<svg/>"},
    });
    let connection = json!({
        "apiVersion": "proxmox-identity.dev/v1alpha1", "kind": "PocketIdConnection", "metadata": {"name": "pocket-id"},
        "spec": {
            "url": simulator.url(), "apiKeySecretRef": {"name": "pocket-id", "key": "api-key"}, "resyncInterval": "1s",
            "tls": {"fingerprints": [simulator.fingerprint()]},
        },
    });
    for object in [secret, logos, connection] {
        world.apply(&object.to_string()).await;
    }
    simulator
}

/// The life of all kinds: made, put right twice, rotated and removed.
pub async fn life(world: &World) {
    let _pocket_id = pocket_id(world).await;
    let secret = |name: &str, key: &str, value: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{{key}: '{value}'}}\n")
    };
    for secret in [
        secret("pve", "token", &world.pve.token()),
        secret("sso", "key", "abc"),
        secret("ci", "password", "quite-a-long-one"),
    ] {
        world.apply(&secret).await;
    }
    let authority = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "pve-ca"}, "data": {"ca.crt": world.pve.ca_pem()},
    });
    world.apply(&authority.to_string()).await;
    let connection = json!({
        "apiVersion": "proxmox-identity.dev/v1alpha1", "kind": "ProxmoxConnection", "metadata": {"name": "pve"},
        "spec": {
            "endpoints": [world.pve.url()], "auth": {"token": {"secretRef": {"name": "pve"}}}, "resyncInterval": "1s",
            "tls": {"caBundleRef": {"configMapKeyRef": {"name": "pve-ca", "key": "ca.crt"}}},
        },
    });
    world.apply(&connection.to_string()).await;
    let objects = objects();
    for (_, _, manifest) in &objects {
        world.apply(manifest).await;
    }
    for (kind, name, _) in &objects {
        world
            .until(&format!("{kind} {name} is Ready"), async || {
                let object = world.get_object(kind, name).await?;
                (crate::world::condition(&object, "Ready")?["status"] == "True").then_some(())
            })
            .await;
    }
    for (kind, name) in CONNECTIONS {
        world.ready(kind, name).await;
    }
    // The same again is a series of one Event.
    for _ in 0..2 {
        world.pve_call("DELETE", "/pools", &[("poolid", "team")]).await;
        world.until("the pool is back", async || world.pve_find("/pools/team").await).await;
    }
    let rotate = json!({"metadata": {"annotations": {"proxmox-identity.dev/rotate-requested-at": "now"}}});
    let rotate = kube::api::Patch::Merge(rotate);
    for (kind, name, status) in [("ProxmoxToken", "ci", "token"), ("PocketIdClient", "proxmox", "clientSecret")] {
        world.api(kind).patch(name, &kube::api::PatchParams::default(), &rotate).await.expect("annotated");
        world
            .until(&format!("{kind} {name} is rotated"), async || {
                let object = world.get_object(kind, name).await?;
                (object["status"][status]["lastHandledRotateAt"] == "now").then_some(())
            })
            .await;
    }
    for (kind, name, _) in objects.iter().rev() {
        world.delete(kind, name).await;
    }
    for (kind, name, _) in objects.iter().rev() {
        world.gone(kind, name).await;
    }
    for (kind, name) in CONNECTIONS {
        world.delete(kind, name).await;
        world.gone(kind, name).await;
    }
}
