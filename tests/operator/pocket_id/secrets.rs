//! The API key and the secrets of clients reach nothing that people or machines read.

use proxmox_identity::sim::pocket_id::{Fault, FaultName, Options, Release};
use serde_json::{Value, json};

use super::Both;

const KEY: &str = "canary-api-key-0123456789";
const WRONG_KEY: &str = "canary-wrong-key-0123456789";
const ADDRESS: &str = "callbackUrls: ['https://a.example']";

#[tokio::test]
async fn canaries_are_in_no_log_status_event_or_metric() {
    for release in [Release::V2_9, Release::V2_14] {
        let world = Both::with(Options { release, api_key: Some(KEY.to_owned()), ..Options::default() }).await;
        let mut canaries = vec![KEY.to_owned(), WRONG_KEY.to_owned(), world.pocket.api_key().to_owned()];
        world.start_operator();
        world.declare("PocketIdClient", "pve", ADDRESS).await;
        world.ready("PocketIdClient", "pve").await;
        canaries.extend(world.value("pve", "clientSecret").await);
        world.object("ProxmoxRealm", "oid", "openid: {clientRef: {name: pve}}").await;
        world.ready("ProxmoxRealm", "oid").await;
        // A secret that cannot be delivered, one whose answer is lost, and one that comes.
        world.declare("PocketIdClient", "taken", &format!("{ADDRESS}, secretTemplate: {{name: token}}")).await;
        world.reason("PocketIdClient", "taken", "SecretConflict").await;
        world.pocket.fault(Fault { file: Some("secrets".to_owned()), ..Fault::new(FaultName::Cut) });
        world.rotate("pve", "now").await;
        canaries.extend(world.value("pve", "clientSecret").await);
        // The key of the realm is changed behind our back, and put back.
        let theirs = [("client-key", "canary-other-key")];
        world.pve_call("PUT", "/access/domains/oid", &theirs).await;
        canaries.push("canary-other-key".to_owned());
        let ours = json!(world.value("pve", "clientSecret").await);
        world
            .until("the key is back", async || {
                (world.pve_get("/access/domains/oid").await["client-key"] == ours).then_some(())
            })
            .await;
        // A key that is refused, and one that is no header.
        for (key, reason) in
            [(WRONG_KEY, "AuthenticationFailed"), ("canary-api-key-0123456789\nX-Other: 1", "InvalidSpec")]
        {
            world.patch("Secret", "pocket-id", json!({"stringData": {"key": key}})).await;
            world.reason("PocketIdConnection", "pocket-id", reason).await;
            world.told("pocket-id", reason, &[]).await;
        }
        for (name, reason) in [("taken", "SecretConflict"), ("oid", "Created"), ("pve", "Created")] {
            world.told(name, reason, &[]).await;
        }
        let mut shown = vec![("log", world.log()), ("metrics", world.get("/metrics").await.1)];
        for (kind, name) in [
            ("PocketIdConnection", "pocket-id"),
            ("PocketIdClient", "pve"),
            ("PocketIdClient", "taken"),
            ("ProxmoxRealm", "oid"),
            ("ProxmoxConnection", "pve"),
        ] {
            let object: Value = world.get_object(kind, name).await.expect("an object");
            shown.push(("status", object["status"].to_string()));
            shown.push(("events", world.events(name).await.join("\n")));
        }
        assert!(canaries.len() >= 6, "{release:?}");
        for (place, text) in shown {
            assert!(place == "events" || !text.is_empty(), "the {place} was read");
            for canary in &canaries {
                assert!(!text.contains(canary.as_str()), "{release:?}: {canary} is in the {place}");
            }
        }
    }
}
