//! From manifests alone to somebody who is signed in at Proxmox VE, and out again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use proxmox_identity::sim::browser::{Browser, SignedIn, TurnedAway};
use proxmox_identity::sim::pocket_id::Release;
use serde_json::{Value, json};

use super::Both;

const REALM: &str = "PocketID";

/// So many calls to Proxmox VE the operator makes at most between the old secret's end and the realm's new one: a pass
/// that is under way, and one that reads and writes.
const CALLS_BETWEEN: usize = 40;

/// The way of the guide: who is in `pve-admins` of Pocket ID may use guest 100.
async fn declare_all(world: &Both) {
    world.declare("PocketIdGroup", "pve-admins", "members: [alice]").await;
    let spec = "callbackUrlsFrom: {connectionRef: {name: pve}}, allowedGroups: [{groupRef: {name: pve-admins}}]";
    world.declare("PocketIdClient", "proxmox", spec).await;
    let realm = "realm: PocketID, openid: {clientRef: {name: proxmox}, usernameClaim: username, \
                 scopes: [openid, email, profile, groups], groups: {claim: groups}, users: {autoCreate: true}}";
    world.object("ProxmoxRealm", "pocket-id", realm).await;
    let group = "oidc: {groupRef: {name: pve-admins}, realmRef: {name: pocket-id}}";
    world.object("ProxmoxGroup", "admins", group).await;
    let acl = "path: /vms/100, roles: [{role: PVEVMUser}], subjects: [{groupRef: {name: admins}}]";
    world.object("ProxmoxAcl", "admins", acl).await;
}

async fn all_ready(world: &Both) {
    for (kind, name) in [
        ("PocketIdGroup", "pve-admins"),
        ("PocketIdClient", "proxmox"),
        ("ProxmoxRealm", "pocket-id"),
        ("ProxmoxGroup", "admins"),
        ("ProxmoxAcl", "admins"),
    ] {
        world.ready(kind, name).await;
    }
}

async fn world(release: Release) -> Both {
    let world = Both::of(release).await;
    for name in ["alice", "bob"] {
        world.pocket.add_user(name, &[]).expect("a user");
    }
    world.start_operator();
    declare_all(&world).await;
    all_ready(&world).await;
    world
}

async fn sign_in(world: &Both, user: &str) -> Result<SignedIn, TurnedAway> {
    Browser::new(&world.pve, &world.pocket).expect("a browser").sign_in(REALM, user).await
}

async fn has_new_secret(world: &Both, old: &str) {
    world
        .until("the realm has the new secret", async || {
            let new = world.value("proxmox", "clientSecret").await?;
            let realm = world.pve_get("/access/domains/PocketID").await;
            (new != old && realm["client-key"] == json!(new)).then_some(())
        })
        .await;
}

#[tokio::test]
async fn who_is_in_an_allowed_group_signs_in_with_what_git_grants_and_nobody_else_does() {
    for release in [Release::V2_9, Release::V2_14] {
        let world = world(release).await;
        let alice = sign_in(&world, "alice").await.expect("in");
        assert_eq!(alice.user, "alice@PocketID");
        assert_eq!(alice.groups, BTreeSet::from(["pve-admins-PocketID".to_owned()]));
        let role = world.pve_get("/access/roles/PVEVMUser").await;
        let privileges: BTreeSet<String> = role.as_object().expect("privileges").keys().cloned().collect();
        let held: BTreeMap<_, _> = alice.permissions.into_iter().filter(|(_, held)| !held.is_empty()).collect();
        assert_eq!(held, BTreeMap::from([("/vms/100".to_owned(), privileges)]), "that and nothing else");
        let turned = sign_in(&world, "bob").await;
        assert!(matches!(turned, Err(TurnedAway::NotAllowed(_))), "at Pocket ID already: {turned:?}");
        assert_eq!(world.pve_find("/access/users/bob@PocketID").await, None);

        // Alice leaves the group in Git, and Bob comes.
        world.declare("PocketIdGroup", "pve-admins", "members: [bob]").await;
        world.until("the members are", async || (world.members("pve-admins").await == ["bob"]).then_some(())).await;
        let turned = sign_in(&world, "alice").await;
        assert!(matches!(turned, Err(TurnedAway::NotAllowed(_))), "{turned:?}");
        assert_eq!(sign_in(&world, "bob").await.expect("in").user, "bob@PocketID");

        // No group is allowed any more.
        world.declare("PocketIdClient", "proxmox", "callbackUrlsFrom: {connectionRef: {name: pve}}").await;
        world.until("nobody is", async || world.lets_in("proxmox").await.is_empty().then_some(())).await;
        let turned = sign_in(&world, "bob").await;
        assert!(matches!(turned, Err(TurnedAway::NotAllowed(_))), "{turned:?}");
    }
}

#[tokio::test]
async fn after_a_rotation_people_sign_in_as_before() {
    for release in [Release::V2_9, Release::V2_14] {
        let world = world(release).await;
        let old = world.value("proxmox", "clientSecret").await.expect("a secret");
        sign_in(&world, "alice").await.expect("in");
        world.rotate("proxmox", "now").await;
        has_new_secret(&world, &old).await;
        assert_eq!(sign_in(&world, "alice").await.expect("in").user, "alice@PocketID", "{release:?}");
        world.until("the old one ends", async || (!world.takes("proxmox", &old).await).then_some(())).await;
        sign_in(&world, "alice").await.expect("in");
    }
}

/// What became of sign-ins while a secret was replaced.
struct Watched {
    tried: usize,
    failed: usize,
    /// From the beginning of the first that failed to the end of the last that did.
    gap: Duration,
}

async fn watch_rotation(release: Release) -> (Both, Watched) {
    let world = world(release).await;
    let old = world.value("proxmox", "clientSecret").await.expect("a secret");
    let done = std::sync::atomic::AtomicBool::new(false);
    let signing_in = async {
        let (mut tried, mut failed): (usize, Vec<(Instant, Instant)>) = (0, Vec::new());
        loop {
            let last = done.load(std::sync::atomic::Ordering::SeqCst);
            let begun = Instant::now();
            let seen = sign_in(&world, "alice").await;
            tried += 1;
            match seen {
                Ok(_) => {}
                Err(TurnedAway::Refused) => failed.push((begun, Instant::now())),
                Err(other) => panic!("{other}"),
            }
            if last {
                let gap = failed.first().zip(failed.last()).map(|(first, last)| last.1 - first.0);
                return Watched { tried, failed: failed.len(), gap: gap.unwrap_or_default() };
            }
        }
    };
    let rotating = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        world.rotate("proxmox", "now").await;
        has_new_secret(&world, &old).await;
        done.store(true, std::sync::atomic::Ordering::SeqCst);
    };
    let (watched, ()) = tokio::join!(signing_in, rotating);
    sign_in(&world, "alice").await.expect("in afterwards");
    (world, watched)
}

/// A call of the operator that has ended.
#[derive(Debug)]
struct Ended {
    at: Timestamp,
    method: String,
    path: String,
}

/// All calls of the operator, in order.
fn calls(world: &Both) -> Vec<Ended> {
    let log = world.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let call = |line: Value| {
        let text = |name: &str| line[name].as_str().map(str::to_owned);
        Some(Ended { at: text("timestamp")?.parse().ok()?, method: text("method")?, path: text("path")? })
    };
    lines.filter_map(call).collect()
}

#[tokio::test]
async fn a_rotation_shuts_people_out_before_2_14_only_until_the_next_pass_over_proxmox_ve() {
    let (world, Watched { tried, failed, gap }) = watch_rotation(Release::V2_9).await;
    let calls = calls(&world);
    let issued = calls.iter().rposition(|it| it.method == "POST" && it.path.ends_with("/secret"));
    let issued = issued.expect("a secret was issued");
    let at_pve: Vec<&Ended> = calls[issued..].iter().filter(|it| it.path.starts_with("/api2/")).collect();
    let put = at_pve.iter().position(|it| it.method == "PUT" && it.path.contains("/access/domains/"));
    let put = put.expect("the realm was written");
    let between = at_pve[put].at.duration_since(calls[issued].at);
    println!(
        "2.9: {failed} of {tried} sign-ins failed, over {gap:?}; the realm's PUT is call {} to Proxmox VE, {between:?} later",
        put + 1
    );
    assert!(put < CALLS_BETWEEN, "{at_pve:?}");
}

#[tokio::test]
async fn a_rotation_shuts_nobody_out_from_2_14_on() {
    let (_, Watched { tried, failed, gap: _ }) = watch_rotation(Release::V2_14).await;
    println!("2.14: {failed} of {tried} sign-ins failed");
    assert_eq!(failed, 0, "of {tried}");
}
