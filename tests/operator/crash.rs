//! Killed at any call, the operator goes on where it was: same end, nothing left behind, nothing made twice.

use futures::StreamExt;
use serde_json::Value;

use crate::world::World;

/// The objects of a life cycle, in the order of their creation.
const OBJECTS: [(&str, &str, &str); 6] = [
    (
        "ProxmoxRealm",
        "pocket-id",
        "realm: PocketID, comment: sign in here, openid: {issuerUrl: 'https://id.example.com', clientId: pve, \
         clientKeySecretRef: {name: client, key: key}, scopes: [openid, groups], groups: {claim: groups}}",
    ),
    ("ProxmoxGroup", "users", "oidc: {group: proxmox_users, realmRef: {name: pocket-id}}, comment: Users"),
    ("ProxmoxGroup", "admins", "oidc: {group: proxmox_admins, realmRef: {name: pocket-id}}"),
    ("ProxmoxPool", "lab", "comment: for all"),
    (
        "ProxmoxAcl",
        "audit",
        "path: /, roles: [{role: PVEAuditor}], subjects: [{groupRef: {name: users}}, {groupRef: {name: admins}}]",
    ),
    (
        "ProxmoxAcl",
        "lab",
        "path: /pool/lab, roles: [{role: PVEVMUser}, {role: PVEPoolUser}], subjects: [{groupRef: {name: users}}]",
    ),
];

/// What stands in Proxmox VE, as far as people see it.
async fn content(world: &World) -> Value {
    let mut realm = world.pve_get("/access/domains").await;
    let list = realm.as_array_mut().expect("realms");
    list.sort_by_key(|realm| realm["realm"].to_string());
    serde_json::json!({
        "realms": realm, "groups": world.groups().await, "acl": world.acl().await, "pools": world.pve_get("/pools").await,
    })
}

/// Makes everything, heals drift and removes everything; answers with what stood in between and with the number of
/// calls that the last process made, or with whether the first was killed.
async fn life_cycle(kill_at: Option<String>) -> (Value, usize, bool) {
    let world = World::new().await;
    world
        .apply("apiVersion: v1\nkind: Secret\nmetadata: {name: client}\nstringData: {key: secret}\n")
        .await
        .connect()
        .await;
    match &kill_at {
        Some(point) => world.start_operator_with(&[&format!("PROXMOX_IDENTITY_KILL_AT={point}")], &[]),
        None => world.start_operator(),
    };
    for (kind, name, spec) in OBJECTS {
        world.object(kind, name, spec).await;
    }
    for (kind, name, _) in OBJECTS {
        world.ready(kind, name).await;
    }
    let first = content(&world).await;
    world.pve_call("DELETE", "/access/groups/proxmox_users-PocketID", &[]).await;
    let grant = [("path", "/"), ("groups", "proxmox_admins-PocketID"), ("roles", "PVEAuditor"), ("propagate", "0")];
    world.pve_call("PUT", "/access/acl", &grant).await;
    world.until("drift is healed", async || (content(&world).await == first).then_some(())).await;
    for (kind, name, _) in OBJECTS {
        world.ready(kind, name).await;
        let object = world.get_object(kind, name).await.expect("an object");
        for row in object["status"]["ledger"].as_array().expect("a ledger") {
            assert_eq!((&row["origin"], &row["state"]), (&"Created".into(), &"Applied".into()), "{kill_at:?}: {name}");
        }
    }
    for (kind, name, _) in OBJECTS.into_iter().rev() {
        world.delete(kind, name).await;
    }
    for (kind, name, _) in OBJECTS {
        world.gone(kind, name).await;
    }
    world.delete("ProxmoxConnection", "pve").await;
    world.gone("ProxmoxConnection", "pve").await;
    let last = content(&world).await;
    assert_eq!(
        (&last["groups"], &last["acl"], &last["pools"]),
        (&Value::Array(vec![]), &Value::Array(vec![]), &Value::Array(vec![]))
    );
    assert_eq!(last["realms"].as_array().map(Vec::len), Some(2), "{kill_at:?}");
    (first, world.calls(), world.revivals() > 0)
}

#[tokio::test]
async fn killed_at_25_points_of_a_life_cycle_it_ends_the_same() {
    const POINTS: usize = 25;
    let (expected, calls, _) = life_cycle(None).await;
    assert!(calls > 60, "a life cycle makes only {calls} calls");
    let points = (0..POINTS).map(|point| (if point % 2 == 0 { "before" } else { "after" }, 1 + point * calls / POINTS));
    let runs = futures::stream::iter(points).map(async |(side, mut call)| {
        // How many passes find nothing depends on timing, so that a point may lie behind the end of a run.
        loop {
            let point = format!("{side}:{call}");
            let (content, _, killed) = life_cycle(Some(point.clone())).await;
            assert_eq!(content, expected, "killed at {point}");
            if killed {
                return call;
            }
            call = call * 4 / 5;
        }
    });
    let killed: Vec<usize> = runs.buffer_unordered(5).collect().await;
    println!("killed at {killed:?} of {calls} calls");
}
