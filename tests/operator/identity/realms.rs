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
        .apply("apiVersion: v1\nkind: Secret\nmetadata: {name: bind}\nstringData: {password: canary-bind, key: canary-key}\n")
        .await
        .start_operator()
        .await
        .connect()
        .await;
    world
}

const FULL: &str = "ldap: {servers: [127.0.0.1, ldap2.example.com], port: 3890, baseDn: 'dc=example,dc=com', \
    userAttribute: uid, bindDn: 'cn=admin,dc=example,dc=com', bindPasswordSecretRef: {name: bind, key: password}, \
    tls: {mode: ldap+starttls, verify: true, caPath: /etc/ca, certPath: /etc/c, keyPath: /etc/k, version: tlsv1_2}, \
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
            "port" => "1".to_owned(),
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
    let expected =
        ["base_dn", "comment", "mode", "port", "server1", "sslversion", "tfa", "type", "user_attr", "verify"];
    assert_eq!(left, expected, "empty clears, and what is unset is left as it is");
    assert!(!world.log().contains("canary"));
    world.delete("ProxmoxRealm", "dir").await;
    world.gone("ProxmoxRealm", "dir").await;
}

#[tokio::test]
async fn an_active_directory_and_a_second_factor_are_managed() {
    let world = world().await;
    let ad = "ad: {servers: [10.0.0.1], domain: example.com, caseSensitive: false, userAttribute: sAMAccountName}";
    world.object("ProxmoxRealm", "corp", ad).await;
    world.ready("ProxmoxRealm", "corp").await;
    let corp = realm(&world, "corp").await;
    assert_eq!((&corp["type"], &corp["case-sensitive"]), (&"ad".into(), &0.into()));
    let yubico = "pve: {}, tfa: {yubico: {apiId: '123', apiKeySecretRef: {name: bind, key: key}}}";
    world.object("ProxmoxRealm", "pve", yubico).await;
    world.ready("ProxmoxRealm", "pve").await;
    assert_eq!(realm(&world, "pve").await["tfa"], "type=yubico,id=123,key=canary-key");
    let writes = world.pve_writes();
    world.passes(2).await;
    assert_eq!(world.pve_writes(), writes);
    world.object("ProxmoxRealm", "pve", "pve: {}, tfa: {}").await;
    world.ready("ProxmoxRealm", "pve").await;
    assert_eq!(realm(&world, "pve").await.get("tfa"), None);
    assert!(!world.log().contains("canary"));
}
