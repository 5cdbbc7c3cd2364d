//! Secrets reach nothing that people or machines read.

use serde_json::Value;

use crate::canary;
use crate::world::World;

#[tokio::test]
async fn canaries_are_in_no_log_status_event_or_metric() {
    let world = World::new().await;
    world.start_operator();
    let token_secret = world.pve.token().split_once('=').expect("a token").1.to_owned();
    world
        .apply(
            "apiVersion: v1\nkind: Secret\nmetadata: {name: client}\nstringData: {key: canary-client-key}\n---\n\
             apiVersion: v1\nkind: Secret\nmetadata: {name: password}\nstringData: {password: canary-password}\n",
        )
        .await;
    world.connect().await;
    let realm = |issuer: &str| {
        format!(
            "realm: PocketID, openid: {{issuerUrl: '{issuer}', clientId: c, clientKeySecretRef: {{name: client, key: key}}}}"
        )
    };
    world.object("ProxmoxRealm", "r", &realm("https://id.example.com")).await;
    world.ready("ProxmoxRealm", "r").await;
    // The key is changed behind our back and put back, and another realm with it cannot be taken over.
    world.pve_call("PUT", "/access/domains/PocketID", &[("client-key", "canary-other-key")]).await;
    world
        .until("the key is back", async || {
            (world.pve_get("/access/domains/PocketID").await["client-key"] == "canary-client-key").then_some(())
        })
        .await;
    let other = [
        ("realm", "Other"),
        ("type", "openid"),
        ("issuer-url", "https://x"),
        ("client-id", "c"),
        ("client-key", "canary-third-key"),
    ];
    world.pve_call("POST", "/access/domains", &other).await;
    world.object("ProxmoxRealm", "other", &realm("https://x").replace("PocketID", "Other")).await;
    world.reason("ProxmoxRealm", "other", "AlreadyExists").await;
    // A second connection with a password that is wrong.
    world
        .apply(&format!(
            "apiVersion: proxmox-identity.dev/v1alpha1\nkind: ProxmoxConnection\nmetadata: {{name: by-password}}\nspec: \
             {{endpoints: ['{}'], auth: {{ticket: {{userName: root@pam, passwordSecretRef: {{name: password, key: password}}}}}}, \
             tls: {{fingerprints: ['{}']}}, resyncInterval: 1s}}",
            world.pve.url(),
            world.pve.fingerprint()
        ))
        .await;
    world.reason("ProxmoxConnection", "by-password", "AuthenticationFailed").await;
    for (name, reason) in [("r", "DriftCorrected"), ("other", "AlreadyExists"), ("by-password", "AuthenticationFailed")]
    {
        world.told(name, reason, &[]).await;
    }

    let mut shown = vec![("log", world.log()), ("metrics", world.get("/metrics").await.1)];
    for (kind, name) in [
        ("ProxmoxRealm", "r"),
        ("ProxmoxRealm", "other"),
        ("ProxmoxConnection", "pve"),
        ("ProxmoxConnection", "by-password"),
    ] {
        let object: Value = world.get_object(kind, name).await.expect("an object");
        shown.push(("status", object["status"].to_string()));
        shown.push(("events", world.events(name).await.join("\n")));
    }
    for (place, text) in shown {
        for secret in ["canary-client-key", "canary-other-key", "canary-third-key", "canary-password", &token_secret] {
            assert!(!canary::tells(&text, secret), "{secret} is in the {place}");
        }
        assert!(place == "events" || !text.is_empty(), "the {place} was read");
    }
}
