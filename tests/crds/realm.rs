//! ProxmoxRealm.

use proxmox_identity::api::ProxmoxRealm;
use serde_json::{Value, json};

use crate::verdict::{Kind, spec};

/// A realm of type openid with these fields.
fn openid(fields: &Value) -> Value {
    provider(json!({"issuerUrl": "https://id.example.com", "clientId": "pve"}), fields)
}

fn provider(mut openid: Value, fields: &Value) -> Value {
    for (name, value) in fields.as_object().expect("fields") {
        openid[name] = value.clone();
    }
    spec(&json!({"realm": "PocketID", "openid": openid}))
}

#[tokio::test]
async fn a_realm_is_of_exactly_one_type_which_fits_its_id() {
    let kind = Kind::of::<ProxmoxRealm>().await;
    let provider = json!({"issuerUrl": "https://id.example.com", "clientId": "pve"});
    kind.takes("pam", &[spec(&json!({"pam": {}, "comment": "Linux", "default": true}))]).await;
    kind.takes("pve", &[spec(&json!({"pve": {}}))]).await;
    kind.takes(
        "builtin",
        &[spec(&json!({"realm": "pam", "pam": {}})), spec(&json!({"realm": "PVE", "openid": provider}))],
    )
    .await;
    let (one, built_in) = ("exactly one of openid, ldap, ad, pam, pve must be set", "the realm pam is of type pam");
    let refuses = [
        (json!({"realm": "ab"}), one),
        (json!({"realm": "pam", "pam": {}, "pve": {}}), one),
        (json!({"realm": "pam", "pve": {}}), built_in),
        (json!({"realm": "pve", "pam": {}}), built_in),
        (json!({"realm": "other", "pam": {}}), built_in),
        (json!({"pve": {}}), built_in),
        (json!({"realm": "pam", "openid": provider}), built_in),
        (json!({"realm": "a", "openid": provider}), "must be 2 to 32 letters, digits"),
        (json!({"realm": "ab\n", "openid": provider}), "must be 2 to 32 letters, digits"),
        (json!({"openid": provider, "comment": "two\nlines"}), "must be one line"),
        (json!({"openid": provider, "comment": "line\n"}), "must be one line"),
        (json!({"openid": provider, "comment": "x".repeat(4097)}), "Too long"),
        (json!({"openid": provider, "tfa": {}}), "openid cannot be set together with tfa"),
    ];
    kind.refuses("other", &refuses.map(|(fields, words)| (spec(&fields), words))).await;
    let words = "metadata.name is the realm id where the spec gives none";
    kind.refuses("1st", &[(spec(&json!({"openid": provider})), words)]).await;
}

#[tokio::test]
async fn the_id_and_the_username_claim_of_a_realm_cannot_change() {
    let kind = Kind::of::<ProxmoxRealm>().await;
    let (id, claim) = ("realm cannot be changed, set or removed", "usernameClaim cannot be changed, set or removed");
    let provider = json!({"issuerUrl": "https://id.example.com", "clientId": "pve"});
    kind.store("pocket-id", &openid(&json!({"usernameClaim": "username"}))).await;
    let (unset, other) = (openid(&json!({})), openid(&json!({"usernameClaim": "email"})));
    kind.refuses("pocket-id", &[(unset, claim), (other, claim)]).await;
    kind.refuses("pocket-id", &[(spec(&json!({"openid": provider})), id)]).await;
    kind.refuses("pocket-id", &[(spec(&json!({"realm": "other", "openid": provider})), id)]).await;
    kind.store("plain", &spec(&json!({"openid": provider}))).await;
    kind.refuses("plain", &[(spec(&json!({"realm": "plain", "openid": provider})), id)]).await;
    kind.store("no-claim", &openid(&json!({}))).await;
    kind.refuses("no-claim", &[(openid(&json!({"usernameClaim": "username"})), claim)]).await;
    kind.takes("no-claim", &[openid(&json!({"issuerUrl": "https://other.example.com", "clientId": "b"}))]).await;
}

#[tokio::test]
async fn the_settings_of_openid_are_taken() {
    let kind = Kind::of::<ProxmoxRealm>().await;
    let by_secret =
        json!({"issuerUrl": "https://id.example.com", "clientIdSecretRef": {"name": "s", "key": "client-id"}});
    kind.takes("pocket-id", &[provider(by_secret, &json!({}))]).await;
    let takes = [
        json!({"clientKeySecretRef": {"name": "s", "key": "client-secret"}, "usernameClaim": "username"}),
        json!({"issuerUrl": "https://auth.example.com:8443/application/o/pve/"}),
        json!({"issuerUrl": "http://[fd00::1]:1411"}),
        json!({"users": {"autoCreate": true}, "groups": {"claim": "groups", "autoCreate": false, "overwrite": true}}),
        json!({"scopes": ["openid", "email", "https://example.com/scope"], "acrValues": ["urn:acr:1", "phr"]}),
        json!({"scopes": [], "acrValues": [], "prompt": "", "groups": {"claim": ""}, "queryUserinfo": false}),
        json!({"prompt": "select_account"}),
        json!({"audiences": ["pve", "https://pve.example.com"]}),
        json!({"audiences": []}),
    ];
    kind.takes("pocket-id", &takes.map(|fields| openid(&fields))).await;
}

#[tokio::test]
async fn settings_that_would_ruin_a_realm_are_refused() {
    let kind = Kind::of::<ProxmoxRealm>().await;
    let (one, issuer) =
        ("exactly one of clientId, clientIdSecretRef, clientRef must be set", "must be the issuer's URL");
    kind.refuses("pocket-id", &[(provider(json!({"issuerUrl": "https://id.example.com"}), &json!({})), one)]).await;
    let refuses = [
        (json!({"clientIdSecretRef": {"name": "s", "key": "k"}}), one),
        (json!({"clientId": ""}), "must be 1 to 256 printable"),
        (json!({"clientId": " pve"}), "must be 1 to 256 printable"),
        (json!({"clientId": "pve\n"}), "must be 1 to 256 printable"),
        (json!({"issuerUrl": ""}), issuer),
        (json!({"issuerUrl": "id.example.com"}), issuer),
        (json!({"issuerUrl": "https://id.example.com\n"}), issuer),
        (json!({"issuerUrl": "https://id.example.com/?a=b"}), issuer),
        (json!({"issuerUrl": "https://user:pass@id.example.com"}), issuer),
        (json!({"issuerUrl": "https://id.example.com/a b"}), issuer),
        (json!({"usernameClaim": ""}), "must be the name of a claim"),
        (json!({"groups": {"claim": "a b"}}), "must be the name of a claim"),
        (json!({"groups": {"claim": "groups\n"}}), "must be the name of a claim"),
        (json!({"scopes": ["openid email"]}), "must be one scope"),
        (json!({"scopes": ["openid,email"]}), "must be one scope"),
        (json!({"acrValues": ["a b"]}), "must be one value"),
        (json!({"acrValues": ["a#b"]}), "must be one value"),
        (json!({"audiences": ["a b"]}), "must be one value"),
        (json!({"audiences": ["a,b"]}), "must be one value"),
        (json!({"audiences": vec!["a"; 33]}), "at most 32 items"),
        (json!({"prompt": "a b"}), "or another word without blanks"),
        (json!({"clientKeySecretRef": {"name": "s"}}), "clientKeySecretRef.key: Required value"),
        (json!({"clientKeySecretRef": {"name": "s", "key": "a/b"}}), "must be a key of a Secret"),
    ];
    kind.refuses("pocket-id", &refuses.map(|(fields, words)| (openid(&fields), words))).await;
}

#[tokio::test]
async fn a_client_of_pocket_id_brings_issuer_id_and_key() {
    let kind = Kind::of::<ProxmoxRealm>().await;
    let by_client = |fields: &Value| provider(json!({"clientRef": {"name": "proxmox-ve"}}), fields);
    let settings = json!({"usernameClaim": "username", "scopes": ["groups"], "groups": {"claim": "groups"}});
    kind.takes("pocket-id", &[by_client(&json!({})), by_client(&settings)]).await;
    let (one, issuer) =
        ("exactly one of clientId, clientIdSecretRef, clientRef", "exactly one of issuerUrl and clientRef must be set");
    let refuses = [
        (json!({"issuerUrl": "https://id.example.com"}), issuer),
        (json!({"clientId": "pve"}), one),
        (json!({"clientIdSecretRef": {"name": "s", "key": "k"}}), one),
        (
            json!({"clientKeySecretRef": {"name": "s", "key": "k"}}),
            "clientRef cannot be set together with clientKeySecretRef",
        ),
        (json!({"clientRef": {}}), "clientRef.name: Required value"),
        (json!({"clientRef": {"name": "proxmox-ve", "namespace": "other"}}), "field not declared in schema"),
    ];
    kind.refuses("pocket-id", &refuses.map(|(fields, words)| (by_client(&fields), words))).await;
    kind.refuses("pocket-id", &[(provider(json!({"clientId": "pve"}), &json!({})), issuer)]).await;
    let source = json!({"source": {"pocketIdClientRef": {"name": "proxmox-ve"}}});
    let people = json!({"provision": true, "samples": ["alice"], "onRemoval": "Disable", "source": source["source"]});
    kind.takes("pocket-id", &[by_client(&json!({"usernameClaim": "email", "users": people}))]).await;
    let refuses = [
        (by_client(&json!({"users": source})), "needs usernameClaim to be username, email or subject"),
        (by_client(&json!({"usernameClaim": "upn", "users": source})), "needs usernameClaim to be username"),
        (by_client(&json!({"users": {"provision": true}})), "provision needs source.pocketIdClientRef"),
        (by_client(&json!({"users": {"samples": ["a b"]}})), "must be the name of a user"),
        (openid(&json!({"users": {"samples": ["alice"]}})), "users.samples need clientRef"),
    ];
    kind.refuses("pocket-id", &refuses).await;
    // A realm may come from a client made by hand, and go back.
    kind.store("by-hand", &openid(&json!({"clientKeySecretRef": {"name": "s", "key": "k"}}))).await;
    kind.takes("by-hand", &[by_client(&json!({}))]).await;
    kind.store("by-client", &by_client(&json!({}))).await;
    kind.takes("by-client", &[openid(&json!({}))]).await;
}

#[tokio::test]
async fn what_becomes_of_users_needs_a_source() {
    let kind = Kind::of::<ProxmoxRealm>().await;
    let source = json!({"configMapRef": {"name": "people", "key": "pve.users"}});
    let users = |users: Value| openid(&json!({ "users": users }));
    let takes = [
        json!({}),
        json!({"onRemoval": "Report"}),
        json!({"source": source}),
        json!({"onRemoval": "Report", "source": source, "autoCreate": true}),
        json!({"onRemoval": "Disable", "source": source}),
        json!({"onRemoval": "RemoveGroups", "source": source}),
    ];
    kind.takes("pocket-id", &takes.map(users)).await;
    let (needs, one) = ("onRemoval needs a source", "exactly one of configMapRef, pocketIdClientRef must be set");
    let refuses = [
        (json!({"onRemoval": "Disable"}), needs),
        (json!({"onRemoval": "RemoveGroups", "autoCreate": true}), needs),
        (json!({"onRemoval": "Delete", "source": source}), "Unsupported value"),
        (json!({"onRemoval": "Disable", "source": {}}), one),
        (json!({"source": {}}), one),
        (json!({"source": {"configMapRef": {"name": "people"}}}), "configMapRef.key: Required value"),
        (
            json!({"source": {"configMapRef": {"name": "people", "key": "a/b"}}}),
            "must be a key of a Secret or ConfigMap",
        ),
        (json!({"source": {"secretRef": {"name": "people", "key": "pve"}}}), "field not declared in schema"),
    ];
    kind.refuses("pocket-id", &refuses.map(|(fields, words)| (users(fields), words))).await;
}

fn directory(kind: &str, fields: &Value) -> Value {
    let mut directory = match kind {
        "ldap" => json!({"servers": ["ldap.example.com"], "baseDn": "dc=example,dc=com", "userAttribute": "uid"}),
        _ => json!({"servers": ["10.0.0.1"], "domain": "example.com"}),
    };
    for (name, value) in fields.as_object().expect("fields") {
        directory[name] = value.clone();
    }
    spec(&json!({ "realm": "dir", kind: directory }))
}

#[tokio::test]
async fn the_settings_of_directories_are_taken() {
    let kind = Kind::of::<ProxmoxRealm>().await;
    let shared = [
        json!({}),
        json!({"servers": ["a.example.com", "fd00::1"], "port": 636, "bindDn": "cn=admin,dc=example,dc=com"}),
        json!({"servers": ["::1", "2001:db8::"], "caseSensitive": false}),
        json!({"bindPasswordSecretRef": {"name": "s", "key": "password"}, "checkConnection": true}),
        json!({"tls": {"mode": "ldap+starttls", "verify": true, "caPath": "/etc/ssl/certs", "version": "tlsv1_3"}}),
        json!({"tls": {"caPath": "", "certPath": "/etc/pve/c.pem", "keyPath": "/etc/pve/k.pem"}}),
        json!({"users": {"filter": "(objectClass=person)", "classes": ["person"], "attributes": {"email": "mail"}}}),
        json!({"users": {"filter": "", "classes": [], "attributes": {}}, "bindDn": ""}),
        json!({"groups": {"dn": "ou=groups,dc=example,dc=com", "filter": "(cn=pve-*)", "nameAttribute": "cn"}}),
        json!({"syncDefaults": {"scope": "both", "enableNew": false, "removeVanished": ["acl", "entry"]}}),
        json!({"syncDefaults": {}}),
    ];
    for type_ in ["ldap", "ad"] {
        kind.takes("dir", &shared.clone().map(|fields| directory(type_, &fields))).await;
    }
    kind.takes("dir", &[directory("ad", &json!({"baseDn": "", "userAttribute": ""}))]).await;
    for tfa in [json!({}), json!({"oath": {"digits": 8, "step": 60}}), json!({"oath": {}})] {
        kind.takes("pam", &[spec(&json!({"pam": {}, "tfa": tfa}))]).await;
    }
    let yubico = json!({"yubico": {
        "apiId": "12345", "apiKeySecretRef": {"name": "s", "key": "k"}, "url": "https://api-1.example.com/verify",
    }});
    kind.takes("pve", &[spec(&json!({"pve": {}, "tfa": yubico}))]).await;
    for type_ in ["ldap", "ad"] {
        let mut realm = directory(type_, &json!({}));
        realm["tfa"] = yubico.clone();
        kind.takes("dir", &[realm]).await;
    }
}

#[tokio::test]
async fn settings_of_directories_that_pve_would_break_on_are_refused() {
    let kind = Kind::of::<ProxmoxRealm>().await;
    let refuses = [
        (json!({"servers": []}), "should have at least 1 items"),
        (json!({"servers": ["a", "b", "c"]}), "at most 2 items"),
        (json!({"servers": ["ldaps://a"]}), "must be a host name or an IP address"),
        (json!({"servers": ["ldap.example.com:636"]}), "must be a host name or an IP address"),
        (json!({"servers": [""]}), "must be a host name or an IP address"),
        (json!({"port": 0}), "greater than or equal to 1"),
        (json!({"baseDn": ""}), "must be a name in the directory"),
        (json!({"baseDn": "dc=a\n"}), "must be a name in the directory"),
        (json!({"userAttribute": "a b"}), "must be the name of an attribute"),
        (json!({"tls": {"mode": "tls"}}), "Unsupported value"),
        (json!({"tls": {"caPath": "certs"}}), "must be an absolute path"),
        (json!({"users": {"filter": "objectClass=person"}}), "must be an LDAP filter"),
        (json!({"users": {"attributes": {"phone": "mobile"}}}), "must be a property of a user"),
        (json!({"users": {"attributes": {"email": "a,b"}}}), "must be the name of an attribute"),
        (json!({"syncDefaults": {"scope": "all"}}), "Unsupported value"),
        (json!({"syncDefaults": {"removeVanished": ["none"]}}), "Unsupported value"),
        (json!({"password": "plain"}), "field not declared in schema"),
    ];
    kind.refuses("dir", &refuses.map(|(fields, words)| (directory("ldap", &fields), words))).await;
    kind.refuses("dir", &[(directory("ldap", &json!({"domain": "a"})), "field not declared in schema")]).await;
    let of_ad = [
        (json!({"domain": "a b"}), "must be a domain"),
        (json!({"domain": ""}), "must be a domain"),
        (json!({"servers": []}), "should have at least 1 items"),
    ];
    kind.refuses("dir", &of_ad.map(|(fields, words)| (directory("ad", &fields), words))).await;
    let required = [
        (json!({"ldap": {"servers": ["a"], "userAttribute": "uid"}}), "ldap.baseDn: Required value"),
        (json!({"ldap": {"servers": ["a"], "baseDn": "dc=a"}}), "ldap.userAttribute: Required value"),
        (json!({"ldap": {"baseDn": "dc=a", "userAttribute": "uid"}}), "ldap.servers: Required value"),
        (json!({"ad": {"servers": ["a"]}}), "ad.domain: Required value"),
        (json!({"ad": {"domain": "example.com"}}), "ad.servers: Required value"),
    ];
    kind.refuses("dir", &required.map(|(fields, words)| (spec(&fields), words))).await;
    let both = json!({"oath": {}, "yubico": {"apiId": "1", "apiKeySecretRef": {"name": "s", "key": "k"}}});
    kind.refuses("pam", &[(spec(&json!({"pam": {}, "tfa": both})), "only one of oath, yubico can be set")]).await;
    let yubico = |fields: Value| json!({"yubico": fields});
    let refuses = [
        (json!({"oath": {"digits": 9}}), "less than or equal to 8"),
        (json!({"oath": {"step": 9}}), "greater than or equal to 10"),
        (yubico(json!({"apiId": "1"})), "apiKeySecretRef: Required value"),
        (yubico(json!({"apiId": "a,b", "apiKeySecretRef": {"name": "s", "key": "k"}})), "must be the id of the API"),
        (
            yubico(json!({"apiId": "1", "apiKeySecretRef": {"name": "s", "key": "k"}, "url": "https://a,key=b"})),
            "must be a URL",
        ),
    ];
    kind.refuses("pam", &refuses.map(|(tfa, words)| (spec(&json!({"pam": {}, "tfa": tfa})), words))).await;
}
