//! Realms of directories, and second factors.

use serde_json::Value;

use crate::world::World;

/// The options of a realm but for the digest.
async fn realm(world: &World, id: &str) -> Value {
    let mut realm = world.pve_get(&format!("/access/domains/{id}")).await;
    realm.as_object_mut().expect("options").remove("digest");
    realm
}

async fn world() -> World {
    let world = World::new().await;
    world
        .apply("apiVersion: v1\nkind: Secret\nmetadata: {name: bind}\nstringData: {password: canary-bind, key: canarykey=}\n")
        .await
        .start_operator()
        .await
        .connect()
        .await;
    world
}

const FULL: &str = "ldap: {servers: [127.0.0.1, ldap2.example.com], port: 3890, baseDn: 'dc=example,dc=com', \
    userAttribute: uid, bindDn: 'cn=admin,dc=example,dc=com', bindPasswordSecretRef: {name: bind, key: password}, \
    caseSensitive: false, tls: {mode: ldap+starttls, verify: true, caPath: /etc/ca, certPath: /etc/c, keyPath: /etc/k, version: tlsv1_2}, \
    users: {filter: '(a=b)', classes: [person], attributes: {email: mail, firstname: givenName}}, \
    groups: {dn: 'ou=groups', filter: '(c=d)', classes: [groupOfNames], nameAttribute: cn}, \
    syncDefaults: {scope: both, enableNew: true, removeVanished: [properties, acl]}}";

const CLEARED: &str = "ldap: {servers: [127.0.0.1], baseDn: 'dc=example,dc=com', userAttribute: uid, bindDn: '', \
    tls: {caPath: '', certPath: '', keyPath: ''}, users: {filter: '', classes: [], attributes: {}}, \
    groups: {dn: '', filter: '', classes: [], nameAttribute: ''}, syncDefaults: {}}";

#[tokio::test]
async fn every_option_of_a_directory_is_set_kept_and_cleared() {
    let world = world().await;
    world.object("ProxmoxRealm", "dir", &format!("comment: directory, {FULL}, tfa: {{oath: {{digits: 8}}}}")).await;
    world.ready("ProxmoxRealm", "dir").await;
    let full = realm(&world, "dir").await;
    assert_eq!((&full["server2"], &full["mode"]), (&"ldap2.example.com".into(), &"ldap+starttls".into()));
    assert_eq!(full["sync-defaults-options"], "enable-new=1,remove-vanished=acl;properties,scope=both");
    assert_eq!(
        (&full["tfa"], &full["sync_attributes"]),
        (&"type=oath,digits=8".into(), &"email=mail,firstname=givenName".into())
    );
    let writes = world.pve_writes();
    world.passes(3).await;
    assert_eq!(world.pve_writes(), writes, "a second pass writes nothing");
    // Drift of every option is healed.
    let options = full.as_object().expect("options");
    for (name, value) in options.iter().filter(|(name, _)| *name != "type") {
        let other = match name.as_str() {
            "case-sensitive" | "port" => "1".to_owned(),
            "verify" => "0".to_owned(),
            "mode" => "ldaps".to_owned(),
            "sslversion" => "tlsv1_3".to_owned(),
            "tfa" => "type=oath,digits=6".to_owned(),
            "sync-defaults-options" => "scope=users".to_owned(),
            "sync_attributes" => "email=other".to_owned(),
            "server1" | "server2" => "10.1.1.1".to_owned(),
            "user_classes" | "group_classes" => "other".to_owned(),
            _ => format!("{}x", value.as_str().unwrap_or_default()),
        };
        world.pve_call("PUT", "/access/domains/dir", &[(name, &other)]).await;
        world.until(&format!("{name} is back"), async || (realm(&world, "dir").await == full).then_some(())).await;
    }
    world.object("ProxmoxRealm", "dir", CLEARED).await;
    world.ready("ProxmoxRealm", "dir").await;
    let cleared = realm(&world, "dir").await;
    let left: Vec<&String> = cleared.as_object().expect("options").keys().collect();
    let expected = [
        "base_dn",
        "case-sensitive",
        "comment",
        "mode",
        "port",
        "server1",
        "sslversion",
        "tfa",
        "type",
        "user_attr",
        "verify",
    ];
    assert_eq!(left, expected, "empty clears, and what is unset is left as it is");
    assert!(!world.log().contains("canary"));
    world.delete("ProxmoxRealm", "dir").await;
    world.gone("ProxmoxRealm", "dir").await;
}

#[tokio::test]
async fn the_second_factor_of_a_built_in_realm_is_managed_and_left() {
    let world = world().await;
    let yubico = "pve: {}, tfa: {yubico: {apiId: '123', apiKeySecretRef: {name: bind, key: key}}}";
    world.object("ProxmoxRealm", "pve", yubico).await;
    world.ready("ProxmoxRealm", "pve").await;
    assert_eq!(realm(&world, "pve").await["tfa"], "type=yubico,id=123,key=canarykey=");
    let writes = world.pve_writes();
    world.passes(2).await;
    assert_eq!(world.pve_writes(), writes);
    world.object("ProxmoxRealm", "pve", "pve: {}, tfa: {}").await;
    world.ready("ProxmoxRealm", "pve").await;
    assert_eq!(realm(&world, "pve").await.get("tfa"), None);
    world.object("ProxmoxRealm", "pve", "pve: {}, tfa: {oath: {digits: 8}}").await;
    world.ready("ProxmoxRealm", "pve").await;
    world.delete("ProxmoxRealm", "pve").await;
    world.gone("ProxmoxRealm", "pve").await;
    assert_eq!(realm(&world, "pve").await["tfa"], "type=oath,digits=8");
    assert!(!world.log().contains("canary"));
}

#[tokio::test]
async fn a_key_that_proxmox_ve_would_misread_is_not_sent() {
    let world = world().await;
    world.apply("apiVersion: v1\nkind: Secret\nmetadata: {name: odd}\nstringData: {key: 'canary,url=x'}\n").await;
    let yubico = "pve: {}, tfa: {yubico: {apiId: '123', apiKeySecretRef: {name: odd, key: key}}}";
    world.object("ProxmoxRealm", "pve", yubico).await;
    let message = world.reason("ProxmoxRealm", "pve", "InvalidSpec").await;
    assert!(message.contains("key key of Secret odd"), "{message}");
    assert_eq!(realm(&world, "pve").await.get("tfa"), None);
    assert!(!world.log().contains("canary"));
}

#[tokio::test]
async fn an_active_directory_is_made_changed_corrected_and_removed() {
    let world = world().await;
    let ad = |more: &str| format!("realm: CORP, ad: {{servers: [10.0.0.1, 10.0.0.2], domain: example.com{more}}}");
    let full = ", caseSensitive: false, userAttribute: sAMAccountName, baseDn: 'dc=example,dc=com', bindDn: 'cn=a', \
         bindPasswordSecretRef: {name: bind, key: password}, tls: {mode: ldaps, verify: true}, syncDefaults: {scope: users}";
    world.object("ProxmoxRealm", "corp", &ad(full)).await;
    world.ready("ProxmoxRealm", "corp").await;
    let corp = realm(&world, "CORP").await;
    assert_eq!((&corp["type"], &corp["case-sensitive"]), (&"ad".into(), &0.into()));
    assert_eq!(
        (&corp["server2"], &corp["user_attr"], &corp["mode"]),
        (&"10.0.0.2".into(), &"sAMAccountName".into(), &"ldaps".into())
    );
    let writes = world.pve_writes();
    world.passes(3).await;
    assert_eq!(world.pve_writes(), writes, "a second pass writes nothing");
    world.pve_call("PUT", "/access/domains/CORP", &[("domain", "other"), ("delete", "user_attr")]).await;
    world.until("both are back", async || (realm(&world, "CORP").await == corp).then_some(())).await;

    let other = "realm: CORP, ad: {servers: ['fd00::1'], domain: example.org, caseSensitive: true, userAttribute: '', \
        baseDn: '', bindDn: '', tls: {mode: ldap+starttls, verify: false}, syncDefaults: {}}";
    world.object("ProxmoxRealm", "corp", other).await;
    world.ready("ProxmoxRealm", "corp").await;
    let expected = serde_json::json!({
        "type": "ad", "server1": "fd00::1", "domain": "example.org", "case-sensitive": 1, "mode": "ldap+starttls", "verify": 0,
    });
    assert_eq!(realm(&world, "CORP").await, expected);
    world.delete("ProxmoxRealm", "corp").await;
    world.gone("ProxmoxRealm", "corp").await;
    assert_eq!(world.pve_get("/access/domains").await.as_array().map(Vec::len), Some(2));
    assert!(!world.log().contains("canary"));
}

#[tokio::test]
async fn a_bind_password_is_written_again_when_its_secret_changes() {
    let world = world().await;
    let dir = "ldap: {servers: [127.0.0.1], baseDn: 'dc=a', userAttribute: uid, bindDn: 'cn=a', \
        bindPasswordSecretRef: {name: bind, key: password}}";
    world.object("ProxmoxRealm", "dir", dir).await;
    world.ready("ProxmoxRealm", "dir").await;
    let writes = world.pve_writes();
    world.passes(2).await;
    assert_eq!(world.pve_writes(), writes);
    world.apply("apiVersion: v1\nkind: Secret\nmetadata: {name: bind}\nstringData: {password: canary-new}\n").await;
    world.until("it is written", async || (world.pve_writes() > writes).then_some(())).await;
    world.passes(3).await;
    assert_eq!(world.pve_writes(), writes + 1, "and only once");
    assert!(!world.log().contains("canary"));
}

/// Nobody listens on the lowest ports: every connection that is tried is refused.
#[tokio::test]
async fn a_way_to_a_directory_that_does_not_work_is_told_and_not_taken() {
    let world = world().await;
    let dir = |port: u16, checks: bool, more: &str| {
        format!(
            "ldap: {{servers: [127.0.0.1], port: {port}, baseDn: 'dc=a', userAttribute: uid, checkConnection: {checks}}}{more}"
        )
    };
    world.object("ProxmoxRealm", "dir", &dir(1, true, "")).await;
    let message = world.reason("ProxmoxRealm", "dir", "ConnectionCheckFailed").await;
    assert!(message.contains("Connection refused") && !message.contains("password"), "{message}");
    assert_eq!(world.pve_get("/access/domains").await.as_array().map(Vec::len), Some(2));

    world.object("ProxmoxRealm", "dir", &dir(1, false, "")).await;
    world.ready("ProxmoxRealm", "dir").await;
    world.object("ProxmoxRealm", "dir", &dir(1, true, ", comment: no way")).await;
    world.ready("ProxmoxRealm", "dir").await;
    world.object("ProxmoxRealm", "dir", &dir(2, true, ", comment: no way")).await;
    world.reason("ProxmoxRealm", "dir", "ConnectionCheckFailed").await;
    assert_eq!(realm(&world, "dir").await["port"], 1);
    let with_password = "ldap: {servers: [127.0.0.1], port: 2, baseDn: 'dc=a', userAttribute: uid, bindDn: 'cn=a', \
        bindPasswordSecretRef: {name: bind, key: password}, checkConnection: true}";
    world.object("ProxmoxRealm", "dir", with_password).await;
    let message = world.reason("ProxmoxRealm", "dir", "ConnectionCheckFailed").await;
    assert!(message.contains("the new bind password is stored already"), "{message}");
    assert!(!world.log().contains("canary"));
}

#[tokio::test]
async fn audiences_wait_for_a_release_that_takes_them() {
    let release = proxmox_identity::sim::pve::Release::V9_1;
    let options = proxmox_identity::sim::pve::Options { time_scale: 0.02, release, ..Default::default() };
    let world = World::with(options).await;
    world.start_operator().await.connect().await;
    let realm = "openid: {issuerUrl: 'https://id.example.com', clientId: c, audiences: [other]}";
    world.object("ProxmoxRealm", "oid", realm).await;
    let message = world.reason("ProxmoxRealm", "oid", "InvalidSpec").await;
    assert!(message.contains("9.2"), "{message}");
    assert_eq!(world.pve_writes(), 0);
}
