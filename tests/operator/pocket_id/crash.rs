//! Killed at any call of the life of a client, the operator goes on where it was: one client, one secret that works, and
//! nothing left behind.

use futures::StreamExt;
use proxmox_identity::sim::pocket_id::Release;
use serde_json::{Value, json};

use super::Both;

/// In the order of their creation.
const OBJECTS: [(&str, &str, &str); 4] = [
    ("PocketIdGroup", "pve-admins", "friendlyName: Admins, members: [alice], customClaims: {tier: gold}"),
    (
        "PocketIdClient",
        "proxmox",
        "displayName: Proxmox, callbackUrlsFrom: {connectionRef: {name: pve}}, \
         allowedGroups: [{groupRef: {name: pve-admins}}]",
    ),
    (
        "ProxmoxRealm",
        "pocket-id",
        "realm: PocketID, openid: {clientRef: {name: proxmox}, usernameClaim: username, scopes: [email, profile, groups], \
         groups: {claim: groups}}",
    ),
    ("ProxmoxGroup", "admins", "oidc: {groupRef: {name: pve-admins}, realmRef: {name: pocket-id}}"),
];

/// So many points of one life are tried.
const POINTS: usize = 25;
/// So many lives go on at once.
const AT_ONCE: usize = 4;

fn is_pocket_id(kind: &str) -> bool {
    kind.starts_with("PocketId")
}

/// What stands in both, as far as it is the same in each life.
async fn content(world: &Both) -> Value {
    let clients = world.pocket_get("/api/oidc/clients?pagination[limit]=100").await;
    let groups = world.pocket_get("/api/user-groups?pagination[limit]=100").await;
    assert_eq!(
        (clients["pagination"]["totalItems"].as_u64(), groups["data"].as_array().map(Vec::len)),
        (Some(1), Some(1))
    );
    let client = world.pocket_client("proxmox").await.expect("a client");
    let group = world.pocket_group("pve-admins").await.expect("a group");
    let realm = world.pve_get("/access/domains/PocketID").await;
    json!({
        "client": [client["name"], client["isGroupRestricted"], client["pkceEnabled"], client["isPublic"]],
        "addresses": client["callbackURLs"].as_array().map(Vec::len),
        "lets in": world.lets_in("proxmox").await,
        "group": [group["friendlyName"], group["customClaims"]],
        "members": world.members("pve-admins").await,
        "realm": [realm["client-id"], realm["scopes"], realm["groups-claim"]],
        "groups": world.groups().await,
    })
}

/// Waits until everything is ready, and one secret works: that of the Secret, which the realm has.
async fn is_settled(world: &Both, release: Release, after: Option<&str>, point: &str) -> String {
    for (kind, name, _) in OBJECTS {
        world.ready(kind, name).await;
    }
    let secret = world
        .until("the realm has the secret of the Secret", async || {
            let secret = world.value("proxmox", "clientSecret").await?;
            let realm = world.pve_get("/access/domains/PocketID").await;
            (realm["client-key"] == json!(secret) && after != Some(secret.as_str())).then_some(secret)
        })
        .await;
    assert!(world.takes("proxmox", &secret).await, "{point}: the secret works");
    if release >= Release::V2_14 {
        world
            .until("one secret is left", async || {
                let listed = world.pocket_get("/api/oidc/clients/proxmox/secrets").await;
                (listed.as_array().map(Vec::len) == Some(1)).then_some(())
            })
            .await;
        assert!(world.takes("proxmox", &secret).await, "{point}: it is the one that is left");
    }
    if let Some(old) = after {
        assert!(!world.takes("proxmox", old).await, "{point}: the old one has ended");
    }
    let status = world
        .until("nothing is to be retired", async || {
            let object = world.get_object("PocketIdClient", "proxmox").await?;
            let status = object["status"]["clientSecret"].clone();
            (status["secretState"] == "Delivered" && status["retiring"].is_null()).then_some(status)
        })
        .await;
    assert!(status["others"].is_null(), "{point}: {status}");
    for (kind, name, _) in OBJECTS {
        let object = world.get_object(kind, name).await.expect("an object");
        let ledger = object["status"]["ledger"].as_array().expect("a ledger");
        assert_eq!(ledger.len(), if name == "pve-admins" { 2 } else { 1 }, "{point}: {ledger:?}");
        for row in ledger {
            assert_eq!((&row["origin"], &row["state"]), (&"Created".into(), &"Applied".into()), "{point}: {name}");
        }
    }
    secret
}

/// Makes everything, replaces the secret and removes everything; answers with what stood in between and with the number of
/// calls that the last process made, or with whether the first was killed.
async fn life(release: Release, kill_at: Option<&str>) -> (Value, usize, bool) {
    let point = kill_at.unwrap_or("nowhere");
    let world = Both::of(release).await;
    world.pocket.add_user("alice", &[]).expect("a user");
    // So seldom that each call is one of the life's own.
    for connection in ["PocketIdConnection/pocket-id", "ProxmoxConnection/pve"] {
        world.resync(connection, "1m").await;
    }
    match kill_at {
        Some(point) => world.start_operator_with(&[&format!("PROXMOX_IDENTITY_KILL_AT={point}")], &[]),
        None => world.start_operator(),
    };
    for (kind, name, spec) in OBJECTS {
        if is_pocket_id(kind) {
            world.declare(kind, name, spec).await
        } else {
            world.object(kind, name, spec).await
        };
    }
    let old = is_settled(&world, release, None, point).await;
    let first = content(&world).await;
    world.rotate("proxmox", "now").await;
    is_settled(&world, release, Some(&old), point).await;
    assert_eq!(content(&world).await, first, "{point}: a new secret changes nothing else");
    for (kind, name, _) in OBJECTS.into_iter().rev() {
        world.delete(kind, name).await;
    }
    for (kind, name, _) in OBJECTS {
        world.gone(kind, name).await;
    }
    for (kind, name) in [("PocketIdConnection", "pocket-id"), ("ProxmoxConnection", "pve")] {
        world.delete(kind, name).await;
        world.gone(kind, name).await;
    }
    for list in ["/api/oidc/clients", "/api/user-groups"] {
        assert_eq!(world.pocket_get(list).await["pagination"]["totalItems"], 0, "{point}: {list}");
    }
    assert_eq!(world.groups().await, Vec::<String>::new(), "{point}");
    assert_eq!(world.pve_get("/access/domains").await.as_array().map(Vec::len), Some(2), "{point}");
    (first, world.calls(), world.revivals() > 0)
}

async fn killed_at_all_points(release: Release) {
    let (expected, calls, _) = life(release, None).await;
    assert!(calls > 60, "a life makes only {calls} calls");
    let points = (0..POINTS).map(|point| (if point % 2 == 0 { "before" } else { "after" }, 1 + point * calls / POINTS));
    let expected = &expected;
    let lives = futures::stream::iter(points).map(async |(side, mut call)| {
        // How many passes find nothing depends on timing, so that a point may lie behind the end of a life.
        loop {
            let point = format!("{side}:{call}");
            let (content, _, killed) = life(release, Some(&point)).await;
            assert_eq!(content, *expected, "killed {point}");
            if killed {
                return point;
            }
            call = call * 4 / 5;
        }
    });
    let killed: Vec<String> = lives.buffer_unordered(AT_ONCE).collect().await;
    println!("{release:?}: killed {killed:?} of {calls} calls");
}

#[tokio::test]
async fn killed_at_25_points_of_a_life_of_a_client_before_2_14_it_ends_the_same() {
    killed_at_all_points(Release::V2_9).await;
}

#[tokio::test]
async fn killed_at_25_points_of_a_life_of_a_client_with_several_secrets_it_ends_the_same() {
    killed_at_all_points(Release::V2_14).await;
}
