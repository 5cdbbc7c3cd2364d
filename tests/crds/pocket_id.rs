//! PocketIdConnection, PocketIdGroup and PocketIdClient.

use proxmox_identity::api::{PocketIdClient, PocketIdConnection, PocketIdGroup};
use serde_json::{Value, json};

use crate::verdict::{Kind, spec};

/// A connection with these fields beside what it must have.
fn connection(fields: &Value) -> Value {
    let mut spec = json!({"url": "https://id.example.com", "apiKeySecretRef": {"name": "pocket-id", "key": "api-key"}});
    for (name, value) in fields.as_object().expect("fields") {
        spec[name] = value.clone();
    }
    spec
}

/// A client that people can come back from, with these fields.
fn client(fields: &Value) -> Value {
    let mut fields = fields.clone();
    if fields.get("callbackUrls").is_none() {
        fields["callbackUrls"] = json!(["https://pve1.example.com:8006"]);
    }
    spec(&fields)
}

#[tokio::test]
async fn a_connection_is_a_url_without_more_and_a_key() {
    let kind = Kind::of::<PocketIdConnection>().await;
    let fingerprint = ["AB"; 32].join(":");
    let takes = [
        json!({}),
        json!({"url": "https://id.example.com:8443", "resyncInterval": "30s", "suspend": true}),
        json!({"url": "https://10.0.0.1"}),
        json!({"url": "https://[fd00::1]:1411"}),
        json!({"tls": {"fingerprints": [fingerprint]}}),
        json!({"tls": {"caBundleRef": {"configMapKeyRef": {"name": "ca", "key": "ca.crt"}}, "serverName": "id"}}),
    ];
    kind.takes("id", &takes.map(|fields| connection(&fields))).await;
    let (url, one) = ("without path, query or user", "only one of");
    let refuses = [
        (json!({"url": "http://id.example.com"}), url),
        (json!({"url": "https://id.example.com/"}), url),
        (json!({"url": "https://id.example.com/auth"}), url),
        (json!({"url": "https://id.example.com?a=b"}), url),
        (json!({"url": "https://me@id.example.com"}), url),
        (json!({"url": "https://id.example.com\n"}), url),
        (json!({"url": "id.example.com"}), url),
        (json!({"resyncInterval": "10ms"}), "at least 1s"),
        (json!({"tls": {"fingerprints": [fingerprint], "caBundle": "x"}}), one),
        (json!({"tls": {"insecure": true}}), "field not declared in schema"),
        (json!({"apiKeySecretRef": {"name": "pocket-id"}}), "apiKeySecretRef.key: Required value"),
        (json!({"apiKey": "in-the-spec"}), "field not declared in schema"),
    ];
    kind.refuses("id", &refuses.map(|(fields, words)| (connection(&fields), words))).await;
    let without = json!({"url": "https://id.example.com"});
    kind.refuses("id", &[(without, "spec.apiKeySecretRef: Required value")]).await;
    // Another address may lead to the same one.
    kind.store("moved", &connection(&json!({}))).await;
    kind.takes("moved", &[connection(&json!({"url": "https://login.example.com"}))]).await;
}

#[tokio::test]
async fn a_group_has_a_name_that_proxmox_ve_takes() {
    let kind = Kind::of::<PocketIdGroup>().await;
    let takes = [
        json!({}),
        json!({"groupName": "proxmox_users", "friendlyName": "Proxmox Users"}),
        json!({"groupName": "x".repeat(222), "friendlyName": "ä".repeat(50)}),
        json!({"members": ["alice", "bob.b", "c@example.com", "d-e_f", "1"], "membershipPolicy": "Exact"}),
        json!({"members": [], "membershipPolicy": "Ignore"}),
        json!({"customClaims": {}}),
        json!({"customClaims": {"pve_groups": "[\"a\"]", "department": "infrastructure"}}),
    ];
    kind.takes("users", &takes.map(|fields| spec(&fields))).await;
    let (claim, user) = ("Proxmox VE drops values of the groups claim with other", "must be the name of a user");
    let refuses = [
        (json!({"groupName": "Proxmox Users"}), claim),
        (json!({"groupName": "proxmox_users@PocketID"}), "and write it without the realm"),
        (json!({"groupName": "x"}), "must be 2 or more letters"),
        (json!({"groupName": "a/b"}), claim),
        (json!({"groupName": "ab\n"}), claim),
        (json!({"groupName": "äb"}), claim),
        (json!({"groupName": ""}), claim),
        (json!({"groupName": "x".repeat(223)}), "Too long"),
        (json!({"friendlyName": "x"}), "must have at least 2 characters"),
        (json!({"friendlyName": "x".repeat(51)}), "Too long"),
        (json!({"members": ["a b"]}), user),
        (json!({"members": ["-a"]}), user),
        (json!({"members": ["a."]}), user),
        (json!({"members": [""]}), user),
        (json!({"members": ["x".repeat(51)]}), "Too long"),
        (
            json!({"members": ["alice"], "membershipPolicy": "Ignore"}),
            "members need membershipPolicy Additive or Exact",
        ),
        (json!({"customClaims": {"groups": "x"}}), "cannot be one of Pocket ID's own"),
        (json!({"customClaims": {"email": "x"}}), "cannot be one of Pocket ID's own"),
        (json!({"customClaims": {"tier": ""}}), "must not be empty"),
        (json!({"connectionRef": {"name": "id", "kind": "ClusterProxmoxConnection"}}), "field not declared in schema"),
    ];
    kind.refuses("users", &refuses.map(|(fields, words)| (spec(&fields), words))).await;
    kind.refuses("x", &[(spec(&json!({})), "metadata.name is the group's name where the spec gives none")]).await;
    kind.takes("x", &[spec(&json!({"groupName": "xy"}))]).await;
    stays(&kind, "groupName", &[json!({}), json!({"groupName": "one"}), json!({"groupName": "two"})], spec).await;
}

#[tokio::test]
async fn a_client_says_where_people_come_back_to_and_who_may_come() {
    let kind = Kind::of::<PocketIdClient>().await;
    let takes = [
        json!({}),
        json!({"clientId": "Proxmox.VE_1-a", "displayName": "Proxmox VE", "pkce": false}),
        json!({"clientId": "x".repeat(128), "displayName": "ä".repeat(50)}),
        json!({"callbackUrls": ["https://*.example.com:8006", "http://localhost:3000/cb", "https://a.example/**"]}),
        json!({"callbackUrls": [], "callbackUrlsFrom": {"connectionRef": {"name": "pve"}}}),
        json!({"callbackUrlsFrom": {"connectionRef": {"name": "pve", "kind": "ClusterProxmoxConnection"}}}),
        json!({"allowedGroups": [{"group": "Anybody's name"}, {"groupRef": {"name": "users"}}]}),
        json!({"secretTemplate": {"name": "s", "labels": {"a": "b"}, "annotations": {"c": "d"}}}),
        json!({"rotation": {"interval": "720h", "overlap": "1h", "onLostSecret": "Rotate"}}),
        json!({"logo": {"url": "https://example.com/logo.svg"}}),
        json!({"logo": {"configMapKeyRef": {"name": "logos", "key": "pve.webp"}}}),
    ];
    kind.takes("proxmox", &takes.map(|fields| client(&fields))).await;
    let (callback, one) = ("must be a URL such as https://pve1.example.com:8006", "exactly one of group, groupRef");
    let refuses = [
        (json!({"callbackUrls": []}), "a client needs callbackUrls or callbackUrlsFrom"),
        (json!({"callbackUrls": ["pve1.example.com:8006"]}), callback),
        (json!({"callbackUrls": ["javascript:alert(1)"]}), callback),
        (json!({"callbackUrls": ["https://"]}), callback),
        (json!({"callbackUrls": ["https://a.example/ b"]}), callback),
        (json!({"callbackUrls": ["https://a.example#part"]}), callback),
        (json!({"callbackUrls": ["https://a.example\n"]}), callback),
        (json!({"callbackUrls": ["https://me@a.example"]}), callback),
        (json!({"callbackUrlsFrom": {}}), "callbackUrlsFrom.connectionRef: Required value"),
        (
            json!({"callbackUrlsFrom": {"connectionRef": {"name": "id", "kind": "PocketIdConnection"}}}),
            "Unsupported value",
        ),
        (json!({"clientId": "x"}), "must be 2 to 128 letters"),
        (json!({"clientId": "a b"}), "must be 2 to 128 letters"),
        (json!({"clientId": "ab\n"}), "must be 2 to 128 letters"),
        (json!({"clientId": "x".repeat(129)}), "Too long"),
        (json!({"displayName": ""}), "must not be empty"),
        (json!({"displayName": "x".repeat(51)}), "Too long"),
        (json!({"allowedGroups": [{}]}), one),
        (json!({"allowedGroups": [{"group": "ab", "groupRef": {"name": "ab"}}]}), one),
        (json!({"allowedGroups": [{"group": "a"}]}), "must have at least 2 characters"),
        (json!({"secretTemplate": {"data": {"a": "b"}}}), "field not declared in schema"),
        (json!({"rotation": {"interval": "1s"}}), "at least 10s"),
        (json!({"rotation": {"overlap": "-1h"}}), "at least 10s"),
        (json!({"rotation": {"onLostSecret": "Ignore"}}), "Unsupported value"),
        (json!({"isPublic": true}), "field not declared in schema"),
        (json!({"logo": {}}), "exactly one of url, configMapKeyRef must be set"),
        (json!({"logo": {"url": "http://example.com/logo.svg"}}), "must be https://host/path"),
        (json!({"logo": {"url": "https://example.com"}}), "must be https://host/path"),
        (json!({"logo": {"configMapKeyRef": {"name": "logos", "key": "pve.txt"}}}), "the key must end with .avif"),
    ];
    kind.refuses("proxmox", &refuses.map(|(fields, words)| (client(&fields), words))).await;
    kind.refuses("p", &[(client(&json!({})), "metadata.name is the client's id where the spec gives none")]).await;
    kind.takes("p", &[client(&json!({"clientId": "pve"}))]).await;
    stays(&kind, "clientId", &[json!({}), json!({"clientId": "one"}), json!({"clientId": "two"})], client).await;
}

/// An id can neither be set, nor changed, nor removed later; all else can.
async fn stays(kind: &Kind, field: &str, [none, one, other]: &[Value; 3], whole: impl Fn(&Value) -> Value) {
    let words = format!("{field} cannot be changed, set or removed later");
    for (name, stored, changes) in [("by-name", none, [one, other]), ("by-id", one, [none, other])] {
        kind.store(name, &whole(stored)).await;
        kind.refuses(name, &changes.map(|change| (whole(change), words.as_str()))).await;
        let mut more = stored.clone();
        more["suspend"] = true.into();
        kind.takes(name, &[whole(&more)]).await;
    }
}

#[tokio::test]
async fn a_new_client_turns_down_sign_ins_without_pkce() {
    let kind = Kind::of::<PocketIdClient>().await;
    let stored = kind.store("proxmox", &client(&json!({}))).await;
    assert_eq!(stored.data["spec"]["pkce"], true);
    assert_eq!(stored.data["status"], json!({"observedGeneration": -1}));
}
