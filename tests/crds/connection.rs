//! ProxmoxConnection.

use proxmox_identity::api::{ClusterProxmoxConnection, ProxmoxConnection};
use serde_json::{Value, json};

use crate::verdict::Kind;

const FINGERPRINT: &str =
    "3B:82:9B:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:33:C4";

/// A connection with these fields.
fn connection(fields: &Value) -> Value {
    let mut spec = json!({
        "endpoints": ["https://pve1.example.com:8006"], "auth": {"token": {"secretRef": {"name": "pve"}}},
    });
    for (name, value) in fields.as_object().expect("fields") {
        spec[name] = value.clone();
    }
    spec
}

/// A rule with so many of everything.
fn rule(count: usize) -> Value {
    let texts = |text: &str| vec![format!("{text}*"); count];
    json!({
        "namespaces": texts("team"), "kinds": ["ProxmoxAcl"], "paths": vec!["/pool/a"; count], "roles": texts("Team"),
        "realms": texts("corp"), "groupIds": texts("team"), "userIds": texts("ann@"),
    })
}

#[tokio::test]
async fn a_connection_of_the_cluster_is_taken_and_says_for_whom() {
    let kind = Kind::of::<ClusterProxmoxConnection>().await;
    let takes = [
        json!({}),
        json!({"allowedNamespaces": {}}),
        json!({"allowedNamespaces": {"names": ["team-a", "team-b"], "selector": {}}}),
        json!({"allowedNamespaces": {"selector": {"matchExpressions": [{"key": "pve", "operator": "Exists"}]}}}),
    ];
    kind.takes("pve", &takes.map(|fields| connection(&fields))).await;
    let refuses = [
        (json!({"allowedNamespaces": {"names": ["Team A"]}}), "must be the name of a namespace"),
        (json!({"allowedNamespaces": {"names": ["*"]}}), "must be the name of a namespace"),
        (json!({"allowedNamespaces": {"names": ["a", "a"]}}), "duplicate entries for key"),
        (json!({"allowedNamespaces": {"all": true}}), "field not declared in schema"),
        (
            json!({"policy": {"allowLockout": [{"kind": "ProxmoxAcl", "name": "a"}]}}),
            "needs the namespace of each object",
        ),
        (json!({"endpoints": ["http://a:8006"]}), "must be https://host"),
    ];
    kind.refuses("pve", &refuses.map(|(fields, words)| (connection(&fields), words))).await;
}

#[tokio::test]
async fn a_connection_is_taken() {
    let kind = Kind::of::<ProxmoxConnection>().await;
    let many: Vec<_> = (0..16).map(|i| format!("https://10.0.0.{i}:8006")).collect();
    let takes = [
        json!({}),
        json!({"endpoints": ["https://b:8006", "https://a", "https://[fd00::1]:8006", "https://10.0.0.1:65535"]}),
        json!({"endpoints": many}),
        json!({"auth": {"token": {"secretRef": {"name": "pve", "key": "credential"}}}}),
        json!({"auth": {"ticket": {"userName": "root@pam", "passwordSecretRef": {"name": "s", "key": "password"}}}}),
        json!({"tls": {"fingerprints": [FINGERPRINT], "serverName": "pve1"}}),
        json!({"tls": {"caBundle": "-----BEGIN CERTIFICATE-----\nMII…"}}),
        json!({"tls": {"caBundleRef": {"configMapKeyRef": {"name": "ca", "key": "ca.crt"}}}}),
        json!({"tls": {"caBundleRef": {"secretKeyRef": {"name": "ca", "key": "ca.crt"}}}}),
        json!({"proxyUrl": "http://proxy.example.com:3128", "requestTimeout": "30s", "resyncInterval": "1m30s"}),
        json!({"resyncInterval": "1s", "requestTimeout": "1000ms", "suspend": true}),
        json!({"policy": {"unreachableDeletion": "Orphan"}}),
        json!({"policy": {"rules": [{}], "deniedPrivileges": [], "onRevoke": "Remove"}}),
        json!({"policy": {"rules": vec![rule(64); 32], "allowTokensWithoutPrivsep": false}}),
        json!({"policy": {"allowLockout": [{"kind": "ProxmoxAcl", "name": "own"}]}}),
    ];
    kind.takes("pve", &takes.map(|fields| connection(&fields))).await;
}

#[tokio::test]
async fn a_connection_that_cannot_work_is_refused() {
    let kind = Kind::of::<ProxmoxConnection>().await;
    let endpoint = "must be https://host or https://host:port, without path, query or user";
    let (pair, one_ca) =
        ("exactly one of token, ticket must be set", "only one of caBundle, caBundleRef, fingerprints can be set");
    let token = json!({"secretRef": {"name": "pve"}});
    let ticket = |user: &str| json!({"userName": user, "passwordSecretRef": {"name": "s", "key": "k"}});
    let ca = "-----BEGIN CERTIFICATE-----";
    let key = json!({"name": "ca", "key": "ca.crt"});
    let (reference, lower) = (json!({"secretKeyRef": key}), FINGERPRINT.to_lowercase());
    let refuses = [
        (json!({"endpoints": []}), "should have at least 1 items"),
        (json!({"endpoints": vec!["https://a"; 17]}), "must have at most 16 items"),
        (json!({"endpoints": ["http://a:8006"]}), endpoint),
        (json!({"endpoints": ["https://a:8006/"]}), endpoint),
        (json!({"endpoints": ["https://a:8006/api2/json"]}), endpoint),
        (json!({"endpoints": ["https://a:8006?b"]}), endpoint),
        (json!({"endpoints": ["https://a:8006#b"]}), endpoint),
        (json!({"endpoints": ["https://user:pass@a:8006"]}), endpoint),
        (json!({"endpoints": ["https://a:65536"]}), endpoint),
        (json!({"endpoints": ["https://a:0"]}), endpoint),
        (json!({"endpoints": ["https://a:8006\n"]}), endpoint),
        (json!({"endpoints": ["https://"]}), endpoint),
        (json!({"endpoints": ["a:8006"]}), endpoint),
        (json!({"auth": {}}), pair),
        (json!({"auth": {"token": token, "ticket": ticket("root@pam")}}), pair),
        (json!({"auth": {"ticket": ticket("root")}}), "must be name@realm"),
        (json!({"tls": {"caBundle": "MII…"}}), "must be certificates in PEM form"),
        (json!({"tls": {"caBundle": ca, "caBundleRef": reference}}), one_ca),
        (json!({"tls": {"caBundle": ca, "fingerprints": [FINGERPRINT]}}), one_ca),
        (json!({"tls": {"caBundleRef": reference, "fingerprints": [FINGERPRINT]}}), one_ca),
        (json!({"tls": {"fingerprints": []}}), "should have at least 1 items"),
        (json!({"tls": {"caBundleRef": {}}}), "exactly one of configMapKeyRef, secretKeyRef must be set"),
        (
            json!({"tls": {"caBundleRef": {"configMapKeyRef": key, "secretKeyRef": key}}}),
            "exactly one of configMapKeyRef",
        ),
        (json!({"tls": {"fingerprints": [lower]}}), "must be a SHA-256 fingerprint as PVE shows it"),
        (json!({"tls": {"fingerprints": [format!("{FINGERPRINT}\n")]}}), "Too long"),
        (json!({"tls": {"fingerprints": [FINGERPRINT.replace("3B:", "")]}}), "must be a SHA-256 fingerprint"),
        (json!({"tls": {"fingerprints": [FINGERPRINT, FINGERPRINT]}}), "duplicate entries for key"),
        (json!({"tls": {"serverName": "pve1\n"}}), "must be a host name or an IP address"),
        (json!({"tls": {"insecureSkipVerify": true}}), "field not declared in schema"),
        (json!({"proxyUrl": "socks5://proxy:1080"}), "must be http://host:port"),
        (json!({"proxyUrl": "https://proxy:3128"}), "must be http://host:port"),
        (json!({"proxyUrl": "http://user:pass@proxy:3128"}), "must be http://host:port"),
        (json!({"requestTimeout": "0s"}), "at least 1s and at most 5m"),
        (json!({"requestTimeout": "6m"}), "at least 1s and at most 5m"),
        (json!({"resyncInterval": "soon"}), "must be a duration such as 30s or 1m30s"),
        (json!({"resyncInterval": "999ms"}), "at least 1s and at most 24h"),
        (json!({"resyncInterval": "-5s"}), "must be a duration"),
        (json!({"resyncInterval": "99999999999999999999h"}), "must be a duration"),
        (json!({"policy": {"unreachableDeletion": "Ignore"}}), "supported values: \"Wait\", \"Orphan\""),
        (json!({"policy": {"onRevoke": "Delete"}}), "supported values: \"Keep\", \"Remove\""),
        (json!({"policy": {"rules": []}}), "should have at least 1 items"),
        (json!({"policy": {"rules": vec![rule(1); 33]}}), "must have at most 32 items"),
        (json!({"policy": {"rules": [{"paths": ["/pool/../vms"]}]}}), "must be '/' or '/a/b'"),
        (json!({"policy": {"rules": [{"paths": ["/pool//a"]}]}}), "must be '/' or '/a/b'"),
        (json!({"policy": {"rules": [{"paths": ["/pool/*"]}]}}), "must be '/' or '/a/b'"),
        (json!({"policy": {"rules": [{"kinds": ["ProxmoxConnection"]}]}}), "supported values: \"ProxmoxRealm\""),
        (json!({"policy": {"rules": [{"userIds": ["team-a"]}]}}), "must be name@realm"),
        (json!({"policy": {"rules": [{"roles": [""]}]}}), "should be at least 1 chars long"),
        (json!({"policy": {"deniedPrivileges": ["everything"]}}), "must be a privilege such as Sys.Modify"),
        (json!({"policy": {"allowLockout": [{"kind": "ProxmoxAcl"}]}}), "Required value"),
    ];
    kind.refuses("pve", &refuses.map(|(fields, words)| (connection(&fields), words))).await;
}

#[tokio::test]
async fn a_connection_may_change() {
    let kind = Kind::of::<ProxmoxConnection>().await;
    kind.store("pve", &connection(&json!({}))).await;
    let ticket = json!({"ticket": {"userName": "root@pam", "passwordSecretRef": {"name": "s", "key": "password"}}});
    kind.takes("pve", &[connection(&json!({"endpoints": ["https://b:8006"], "auth": ticket}))]).await;
}
