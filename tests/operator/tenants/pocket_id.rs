//! Pocket ID of one namespace is nothing to another one.

use proxmox_identity::sim::pocket_id::{Options, Simulator};

use super::tenant;
use crate::world::condition;

#[tokio::test]
async fn nobody_uses_a_pocket_id_or_a_client_of_another_namespace() {
    let (owner, other) = (tenant().await, tenant().await);
    let pocket = Simulator::start(Options::default()).await.expect("a simulator");
    let (url, fingerprint, key) = (pocket.url(), pocket.fingerprint(), pocket.api_key());
    owner
        .apply(&format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: pocket-id}}\nstringData: {{key: \"{key}\"}}\n---\n\
             apiVersion: proxmox-identity.dev/v1alpha1\nkind: PocketIdConnection\nmetadata: {{name: pocket-id}}\nspec:\n  \
             url: \"{url}\"\n  apiKeySecretRef: {{name: pocket-id, key: key}}\n  \
             tls: {{fingerprints: [\"{fingerprint}\"]}}\n"
        ))
        .await;
    let client = "apiVersion: proxmox-identity.dev/v1alpha1\nkind: PocketIdClient\nmetadata: {name: pve}\n\
                  spec: {connectionRef: {name: pocket-id}, callbackUrls: ['https://a.example']}\n";
    owner.apply(client).await;
    owner.ready("PocketIdClient", "pve").await;
    let writes = pocket.requests().writes.len();
    // The same names in another namespace mean nothing there.
    other.connect().await;
    other.object("ProxmoxRealm", "oid", "openid: {clientRef: {name: pve}}").await;
    let message = other.reason("ProxmoxRealm", "oid", "DependencyNotReady").await;
    assert!(message.contains("PocketIdClient pve"), "{message}");
    let evil = client.replace("a.example", "evil.example").replace("name: pve}", "name: evil}");
    other.apply(&evil.replace("spec: {", "spec: {clientId: pve, ")).await;
    let message = other.reason("PocketIdClient", "evil", "ConnectionNotFound").await;
    assert!(message.contains("PocketIdConnection pocket-id"), "{message}");
    assert_eq!(pocket.requests().writes.len(), writes);
    assert!(other.get_object("Secret", "pve").await.is_none() && other.get_object("Secret", "evil").await.is_none());
    let object = owner.get_object("PocketIdClient", "pve").await.expect("an object");
    assert_eq!(condition(&object, "Ready").expect("a condition")["status"], "True");
    other.delete("PocketIdClient", "evil").await;
    other.gone("PocketIdClient", "evil").await;
    for (kind, name) in [("PocketIdClient", "pve"), ("PocketIdConnection", "pocket-id")] {
        owner.delete(kind, name).await;
        owner.gone(kind, name).await;
    }
}
