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
        .connect()
        .await;
    world
}

#[tokio::test]
async fn the_first_server_of_a_directory_can_be_another_and_the_second_go() {
    let world = world().await;
    let dir = |servers: &str| format!("ldap: {{servers: [{servers}], baseDn: 'dc=a', userAttribute: uid}}");
    world.object("ProxmoxRealm", "dir", &dir("one.example.com, two.example.com")).await;
    world.ready("ProxmoxRealm", "dir").await;
    world.object("ProxmoxRealm", "dir", &dir("two.example.com")).await;
    world.ready("ProxmoxRealm", "dir").await;
    let now = realm(&world, "dir").await;
    assert_eq!((&now["server1"], now.get("server2")), (&"two.example.com".into(), None));
    world.pve_call("PUT", "/access/domains/dir", &[("server1", "10.1.1.1"), ("server2", "10.1.1.2")]).await;
    world.until("both are put right", async || (realm(&world, "dir").await == now).then_some(())).await;
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
    world.start_operator().connect().await;
    let realm = "openid: {issuerUrl: 'https://id.example.com', clientId: c, audiences: [other]}";
    world.object("ProxmoxRealm", "oid", realm).await;
    let message = world.reason("ProxmoxRealm", "oid", "InvalidSpec").await;
    assert!(message.contains("9.2"), "{message}");
    assert_eq!(world.pve_writes(), 0);
}
