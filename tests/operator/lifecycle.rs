//! What people do with objects, and what becomes of it in Proxmox VE.

use crate::world::{World, condition};

#[tokio::test]
async fn a_group_and_an_entry_go_the_whole_way() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "admins", "comment: from git").await;
    let entry = "path: /, roles: [{role: PVEAuditor}], subjects: [{groupRef: {name: admins}}]";
    world.object("ProxmoxAcl", "audit", entry).await;
    world.ready("ProxmoxGroup", "admins").await;
    world.ready("ProxmoxAcl", "audit").await;
    world.ready("ProxmoxConnection", "pve").await;
    assert_eq!(world.groups().await, ["admins"]);
    assert_eq!(world.acl().await, ["/ PVEAuditor group:admins 1"]);
    let group = world.get_object("ProxmoxGroup", "admins").await.expect("a group");
    assert_eq!(group["status"]["externalId"], "admins");
    assert_eq!(group["status"]["ledger"][0]["claim"], "group admins");
    assert_eq!(group["status"]["ledger"][0]["origin"], "Created");
    assert_eq!(group["status"]["ledger"][0]["state"], "Applied");

    world.delete("ProxmoxGroup", "admins").await;
    let message = world.reason("ProxmoxGroup", "admins", "DeletionBlocked").await;
    assert!(message.contains("ProxmoxAcl audit"), "{message}");
    world.delete("ProxmoxConnection", "pve").await;
    world.delete("ProxmoxAcl", "audit").await;
    world.gone("ProxmoxAcl", "audit").await;
    world.gone("ProxmoxGroup", "admins").await;
    world.gone("ProxmoxConnection", "pve").await;
    assert!(world.groups().await.is_empty() && world.acl().await.is_empty());
}

#[tokio::test]
async fn drift_is_healed_and_told() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "comment: ours").await;
    world.object("ProxmoxAcl", "a", "path: /vms, roles: [{role: PVEVMUser}], subjects: [{groupRef: {name: g}}]").await;
    world.ready("ProxmoxAcl", "a").await;
    world.pve_call("PUT", "/access/groups/g", &[("comment", "theirs")]).await;
    world
        .until("the comment is back", async || {
            (world.pve_get("/access/groups/g").await["comment"] == "ours").then_some(())
        })
        .await;
    let grant = [("path", "/vms"), ("groups", "g"), ("roles", "PVEVMUser"), ("propagate", "0")];
    world.pve_call("PUT", "/access/acl", &grant).await;
    world.until("propagate is back", async || (world.acl().await == ["/vms PVEVMUser group:g 1"]).then_some(())).await;
    world.pve_call("DELETE", "/access/groups/g", &[]).await;
    world.until("both are back", async || (world.acl().await == ["/vms PVEVMUser group:g 1"]).then_some(())).await;
    world.ready("ProxmoxGroup", "g").await;
    world.ready("ProxmoxAcl", "a").await;
    world.told("g", "DriftCorrected", &[]).await;
    world.told("g", "Created", &[]).await;
    let events = world.events("g").await;
    assert!(events.iter().all(|event| !event.contains("theirs") && !event.contains("ours")), "no values: {events:?}");
}

#[tokio::test]
async fn a_changed_spec_moves_entries_and_sets_comments() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "comment: one").await;
    world.object("ProxmoxAcl", "a", "path: /vms, roles: [{role: PVEVMUser}], subjects: [{group: g}]").await;
    world.object("ProxmoxPool", "p", "comment: one").await;
    world.object("ProxmoxPool", "q", "poolId: p/q").await;
    for (kind, name) in [("ProxmoxAcl", "a"), ("ProxmoxPool", "p"), ("ProxmoxPool", "q")] {
        world.ready(kind, name).await;
    }
    world.object("ProxmoxGroup", "g", "comment: two").await;
    let entry =
        "path: /pool/p/q, roles: [{role: PVEVMAdmin}, {role: PVEPoolUser}], subjects: [{group: g}], propagate: false";
    world.object("ProxmoxAcl", "a", entry).await;
    world.object("ProxmoxPool", "p", "comment: ''").await;
    for (kind, name) in [("ProxmoxAcl", "a"), ("ProxmoxPool", "p"), ("ProxmoxGroup", "g")] {
        world.ready(kind, name).await;
    }
    assert_eq!(world.acl().await, ["/pool/p/q PVEPoolUser group:g 0", "/pool/p/q PVEVMAdmin group:g 0"]);
    assert_eq!(world.pve_get("/access/groups/g").await["comment"], "two");
    assert!(world.pve_get("/pools/p").await["comment"].is_null());
    for (kind, name) in [("ProxmoxPool", "p"), ("ProxmoxPool", "q"), ("ProxmoxAcl", "a"), ("ProxmoxGroup", "g")] {
        world.delete(kind, name).await;
    }
    for (kind, name) in [("ProxmoxPool", "p"), ("ProxmoxPool", "q"), ("ProxmoxAcl", "a"), ("ProxmoxGroup", "g")] {
        world.gone(kind, name).await;
    }
    assert_eq!(world.pve_get("/pools").await.as_array().map(Vec::len), Some(0));
    assert!(world.acl().await.is_empty());
}

#[tokio::test]
async fn an_openid_realm_is_made_changed_and_removed() {
    let world = World::new().await;
    world.start_operator().connect().await;
    let secret = |key: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: client}}\nstringData: {{id: the-id, key: {key}}}\n")
    };
    let realm = |more: &str| {
        format!(
            "realm: PocketID, openid: {{issuerUrl: 'https://id.example.com', clientIdSecretRef: {{name: client, key: id}}, \
             clientKeySecretRef: {{name: client, key: key}}, usernameClaim: username{more}}}"
        )
    };
    world.object("ProxmoxRealm", "pocket-id", &realm("")).await;
    let message = world.reason("ProxmoxRealm", "pocket-id", "SecretNotFound").await;
    assert!(message.contains("Secret client"), "{message}");
    world.apply(&secret("one")).await;
    world.ready("ProxmoxRealm", "pocket-id").await;
    let stands = world.pve_get("/access/domains/PocketID").await;
    assert_eq!((&stands["client-id"], &stands["client-key"]), (&"the-id".into(), &"one".into()));
    assert_eq!(stands["username-claim"], "username");

    world.apply(&secret("two")).await;
    world
        .until("the new key stands", async || {
            (world.pve_get("/access/domains/PocketID").await["client-key"] == "two").then_some(())
        })
        .await;
    let more = ", scopes: [openid, groups], groups: {claim: groups}, users: {autoCreate: true}";
    world.object("ProxmoxRealm", "pocket-id", &format!("{}, comment: hi, default: true", realm(more))).await;
    world.ready("ProxmoxRealm", "pocket-id").await;
    let stands = world.pve_get("/access/domains/PocketID").await;
    assert_eq!(stands["scopes"], "openid groups");
    assert_eq!((&stands["default"], &stands["autocreate"]), (&1.into(), &1.into()));
    world
        .object("ProxmoxRealm", "pocket-id", &format!("{}, comment: ''", realm(", scopes: [], groups: {claim: ''}")))
        .await;
    world.ready("ProxmoxRealm", "pocket-id").await;
    let stands = world.pve_get("/access/domains/PocketID").await;
    assert!(stands["scopes"].is_null() && stands["comment"].is_null() && stands["groups-claim"].is_null(), "{stands}");
    assert_eq!(stands["default"], 1, "unset is not managed");
    world.delete("ProxmoxRealm", "pocket-id").await;
    world.gone("ProxmoxRealm", "pocket-id").await;
    assert_eq!(world.pve_get("/access/domains").await.as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn built_in_realms_are_managed_and_left() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxRealm", "pve", "pve: {}, comment: Local accounts, default: true").await;
    world.ready("ProxmoxRealm", "pve").await;
    assert_eq!(world.pve_get("/access/domains/pve").await["comment"], "Local accounts");
    world.delete("ProxmoxRealm", "pve").await;
    world.gone("ProxmoxRealm", "pve").await;
    assert_eq!(world.pve_get("/access/domains/pve").await["comment"], "Local accounts");
}

#[tokio::test]
async fn a_permission_for_a_user_waits_until_that_user_first_signs_in() {
    let world = World::new().await;
    world.start_operator().connect().await;
    let realm =
        "realm: PocketID, openid: {issuerUrl: 'https://id.example.com', clientId: c, users: {autoCreate: true}}";
    world.object("ProxmoxRealm", "pocket-id", realm).await;
    world
        .object("ProxmoxAcl", "alice", "path: /vms/100, roles: [{role: PVEVMUser}], subjects: [{user: alice@PocketID}]")
        .await;
    let message = world.reason("ProxmoxAcl", "alice", "DependencyNotReady").await;
    assert!(message.contains("alice@PocketID"), "{message}");
    let object = world.get_object("ProxmoxAcl", "alice").await.expect("an ACL");
    assert!(condition(&object, "Stalled").is_none(), "waiting is no fault");
    world.ready("ProxmoxRealm", "pocket-id").await;
    world.pve.login("alice@PocketID", &[]).await.expect("a sign-in");
    world.ready("ProxmoxAcl", "alice").await;
}

#[tokio::test]
async fn suspending_and_observing_write_nothing() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "watched", "comment: other, managementPolicy: Observe").await;
    world.object("ProxmoxGroup", "asleep", "suspend: true").await;
    world.reason("ProxmoxGroup", "watched", "Observed").await;
    world.reason("ProxmoxGroup", "asleep", "Suspended").await;
    let watched = world.get_object("ProxmoxGroup", "watched").await.expect("a group");
    assert_eq!(condition(&watched, "Drifted").expect("drifted")["status"], "True");
    assert_eq!(watched["status"]["pendingChanges"][0], "create group watched");
    world.pve_call("POST", "/access/groups", &[("groupid", "watched"), ("comment", "other")]).await;
    world
        .until("it no longer differs", async || {
            let watched = world.get_object("ProxmoxGroup", "watched").await?;
            condition(&watched, "Drifted").is_none().then_some(())
        })
        .await;
    world.delete("ProxmoxGroup", "watched").await;
    world.gone("ProxmoxGroup", "watched").await;
    assert_eq!(world.groups().await, ["watched"]);
    world.object("ProxmoxGroup", "asleep", "suspend: false").await;
    world.ready("ProxmoxGroup", "asleep").await;
    world.object("ProxmoxGroup", "asleep", "suspend: true").await;
    world.reason("ProxmoxGroup", "asleep", "Suspended").await;
    world.delete("ProxmoxGroup", "asleep").await;
    world.reason("ProxmoxGroup", "asleep", "DeletionBlocked").await;
    assert_eq!(world.groups().await, ["asleep", "watched"]);
    world.object("ProxmoxGroup", "asleep", "suspend: false").await;
    world.gone("ProxmoxGroup", "asleep").await;
    assert_eq!(world.groups().await, ["watched"]);
}

#[tokio::test]
async fn a_pass_can_be_asked_for_and_health_is_told() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    world.ready("ProxmoxGroup", "g").await;
    world
        .apply(
            "apiVersion: proxmox-identity.dev/v1alpha1\nkind: ProxmoxGroup\nmetadata: {name: g, annotations: \
             {proxmox-identity.dev/reconcile-requested-at: now}}\nspec: {connectionRef: {name: pve}}",
        )
        .await;
    world
        .until("the request is handled", async || {
            let group = world.get_object("ProxmoxGroup", "g").await?;
            (group["status"]["lastHandledReconcileAt"] == "now").then_some(())
        })
        .await;
    assert_eq!(world.get("/healthz").await.0, 200);
    assert_eq!(world.get("/readyz").await, (200, "ok\n".to_owned()));
    let (_, metrics) = world.get("/metrics").await;
    for name in [
        "proxmox_identity_reconcile_total{kind=\"ProxmoxGroup\",result=\"ready\"}",
        "proxmox_identity_reconcile_duration_seconds_count",
        "proxmox_identity_resource_condition{kind=\"ProxmoxGroup\",type=\"Ready\",status=\"True\"} 1",
        "proxmox_identity_external_requests_total",
        "proxmox_identity_external_request_duration_seconds_count",
        "proxmox_identity_connection_cert_expiry_seconds",
    ] {
        assert!(metrics.contains(name), "{name} in\n{metrics}");
    }
}
