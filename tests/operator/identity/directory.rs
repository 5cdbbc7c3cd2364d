//! From a directory of LDAP to permissions: bind, sync and sync jobs.

use std::net::Ipv4Addr;

use proxmox_identity::sim::ldap::Entry;
use proxmox_identity::sim::pve::Options;
use serde_json::{Value, json};

use crate::world::World;

async fn world() -> World {
    let ldap = Some((Ipv4Addr::LOCALHOST, 0).into());
    let world = World::with(Options { time_scale: 0.02, ldap, ..Options::default() }).await;
    world.apply(&bind_password("bind-secret")).await.start_operator().connect().await;
    world
}

fn bind_password(password: &str) -> String {
    format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: bind}}\nstringData: {{password: {password}}}\n")
}

fn realm(world: &World, more: &str) -> String {
    let port = world.pve.ldap().expect("a directory").port();
    format!(
        "realm: ld, ldap: {{servers: [127.0.0.1], port: {port}, baseDn: 'dc=example,dc=com', userAttribute: uid, \
         bindDn: 'cn=admin,dc=example,dc=com', bindPasswordSecretRef: {{name: bind, key: password}}, \
         users: {{attributes: {{email: mail, firstname: givenName, lastname: sn}}}}, syncDefaults: {{scope: both}}, \
         checkConnection: true}}{more}"
    )
}

async fn ask_for_sync(world: &World, when: &str) -> Value {
    let patch = json!({ "metadata": { "annotations": { "proxmox-identity.dev/sync-requested-at": when } } });
    let patch = kube::api::Patch::Merge(patch);
    world.api("ProxmoxRealm").patch("ld", &kube::api::PatchParams::default(), &patch).await.expect("annotated");
    world
        .until("the sync has ended", async || {
            let realm = world.get_object("ProxmoxRealm", "ld").await?;
            let sync = realm["status"]["sync"].clone();
            (sync["requestedAt"] == when && sync["state"] != "Running").then_some(sync)
        })
        .await
}

#[tokio::test]
async fn people_of_a_directory_get_what_their_group_may() {
    let world = world().await;
    world.object("ProxmoxRealm", "ld", &realm(&world, "")).await;
    let entry = "path: /vms, roles: [{role: PVEVMUser}], subjects: [{group: devs-ld}, {user: ann@ld}]";
    world.object("ProxmoxAcl", "devs", entry).await;
    world.ready("ProxmoxRealm", "ld").await;
    let message = world.reason("ProxmoxAcl", "devs", "DependencyNotReady").await;
    assert!(message.contains("devs-ld") || message.contains("ann@ld"), "{message}");
    assert_eq!(ask_for_sync(&world, "first").await["state"], "Succeeded");
    world.ready("ProxmoxAcl", "devs").await;
    assert!(world.logs_in("ben@ld", "ben-password").await && !world.logs_in("ben@ld", "wrong").await);
    let ben = world.pve_get("/access/users/ben@ld").await;
    assert_eq!((&ben["firstname"], &ben["groups"]), (&"Ben".into(), &json!(["devs-ld"])));
    // Who is in a group that a sync overwrites is the directory's business.
    let members = "groupId: devs-ld, members: [{user: ann@ld}]";
    world.object("ProxmoxGroup", "devs", members).await;
    let message = world.reason("ProxmoxGroup", "devs", "Conflict").await;
    assert!(message.contains("sync of the realm ld"), "{message}");
    // Somebody joins.
    world.pve.people(|people| people.push(Entry::person("cleo", &[("sn", &["Cee"])])));
    assert_eq!(ask_for_sync(&world, "second").await["state"], "Succeeded");
    assert_eq!(world.pve_get("/access/users/cleo@ld").await["lastname"], "Cee");
    assert_eq!(world.pve.requests().count("POST", "/access/domains/ld/sync"), 2, "each request is one sync");
    world.told("ld", "Synced", &[]).await;
}

#[tokio::test]
async fn a_sync_of_an_observed_realm_is_not_started_and_that_is_said() {
    let world = world().await;
    world.object("ProxmoxRealm", "ld", &realm(&world, ", managementPolicy: Observe")).await;
    world.reason("ProxmoxRealm", "ld", "Observed").await;
    let sync = ask_for_sync(&world, "now").await;
    assert!(sync["message"].as_str().is_some_and(|text| text.contains("managementPolicy")), "{sync}");
    assert_eq!(world.pve_writes(), 0);
}

#[tokio::test]
async fn members_that_a_sync_job_overwrites_are_a_conflict() {
    let world = world().await;
    let jobs = ", syncJobs: [{id: nightly, schedule: '02:30', scope: both}]";
    let realm = realm(&world, jobs).replace("syncDefaults: {scope: both}, ", "");
    world.object("ProxmoxRealm", "ld", &realm).await;
    world.ready("ProxmoxRealm", "ld").await;
    world.pve_call("POST", "/access/users", &[("userid", "ann@ld")]).await;
    world.object("ProxmoxGroup", "devs", "groupId: devs-ld, members: [{user: ann@ld}]").await;
    let message = world.reason("ProxmoxGroup", "devs", "Conflict").await;
    assert!(message.contains("sync of the realm ld"), "{message}");
}

#[tokio::test]
async fn a_bind_password_follows_its_secret_and_a_wrong_one_is_said() {
    let world = world().await;
    world.apply(&bind_password("wrong")).await;
    world.object("ProxmoxRealm", "ld", &realm(&world, "")).await;
    let message = world.reason("ProxmoxRealm", "ld", "ConnectionCheckFailed").await;
    assert!(message.contains("Invalid credentials") && !message.contains("wrong"), "{message}");
    world.apply(&bind_password("bind-secret")).await;
    world.ready("ProxmoxRealm", "ld").await;
    assert_eq!(ask_for_sync(&world, "first").await["state"], "Succeeded");
    let writes = world.pve_writes();
    world.passes(3).await;
    assert_eq!(world.pve_writes(), writes, "what is never shown is not written again");
    world.apply(&bind_password("no-more")).await;
    world.reason("ProxmoxRealm", "ld", "ConnectionCheckFailed").await;
    let failed = ask_for_sync(&world, "with the wrong one").await;
    assert_eq!(failed["state"], "Failed");
    assert!(failed["message"].as_str().is_some_and(|text| text.contains("Invalid credentials")), "{failed}");
}

#[tokio::test]
async fn sync_jobs_are_made_changed_healed_and_removed() {
    let world = world().await;
    let jobs = ", syncJobs: [{id: nightly, schedule: '02:30', scope: both, removeVanished: [acl, entry], comment: c}, \
                {id: hourly, schedule: hourly, scope: users, enabled: false}]";
    world.object("ProxmoxRealm", "ld", &realm(&world, jobs)).await;
    world.ready("ProxmoxRealm", "ld").await;
    let nightly = world.pve_get("/cluster/jobs/realm-sync/nightly").await;
    assert_eq!((&nightly["realm"], &nightly["remove-vanished"]), (&"ld".into(), &"acl;entry".into()));
    world
        .until("their runs are shown", async || {
            let realm = world.get_object("ProxmoxRealm", "ld").await?;
            realm["status"]["syncJobs"][0]["nextRun"].is_string().then_some(())
        })
        .await;
    let writes = world.pve_writes();
    world.passes(2).await;
    assert_eq!(world.pve_writes(), writes);
    world.pve_call("PUT", "/cluster/jobs/realm-sync/hourly", &[("schedule", "daily"), ("enabled", "1")]).await;
    world
        .until("drift is healed", async || {
            let hourly = world.pve_get("/cluster/jobs/realm-sync/hourly").await;
            (hourly["schedule"] == "hourly" && hourly["enabled"] == 0).then_some(())
        })
        .await;
    let one = ", syncJobs: [{id: nightly, schedule: '03:00', scope: both, removeVanished: [], comment: ''}]";
    world.object("ProxmoxRealm", "ld", &realm(&world, one)).await;
    world
        .until("only one is left", async || {
            let jobs = world.pve_get("/cluster/jobs/realm-sync").await;
            (jobs.as_array().map(Vec::len) == Some(1)).then_some(())
        })
        .await;
    world.ready("ProxmoxRealm", "ld").await;
    let nightly = world.pve_get("/cluster/jobs/realm-sync/nightly").await;
    assert_eq!((nightly.get("comment"), nightly.get("remove-vanished")), (None, None), "{nightly}");
    world.delete("ProxmoxRealm", "ld").await;
    world.gone("ProxmoxRealm", "ld").await;
    assert_eq!(world.pve_get("/cluster/jobs/realm-sync").await, json!([]));
}

/// A directory whose people are synced, and an entry for one of them.
async fn with_an_entry_of_ben() -> World {
    let world = world().await;
    world.object("ProxmoxRealm", "ld", &realm(&world, "")).await;
    world.ready("ProxmoxRealm", "ld").await;
    assert_eq!(ask_for_sync(&world, "first").await["state"], "Succeeded");
    world.object("ProxmoxAcl", "ours", "path: /vms, roles: [{role: PVEVMUser}], subjects: [{user: ben@ld}]").await;
    world.ready("ProxmoxAcl", "ours").await;
    world
}

#[tokio::test]
async fn what_is_made_to_remove_an_entry_goes_also_where_the_operator_dies_over_it() {
    let world = with_an_entry_of_ben().await;
    world.pve.people(|people| people.retain(|entry| !entry.dn.starts_with("uid=ben")));
    let vanish = [("scope", "both"), ("remove-vanished", "entry")];
    world.pve_call("POST", "/access/domains/ld/sync", &vanish).await;
    let users = async || world.pve_get("/access/users").await.to_string();
    world.until("he is gone", async || (!users().await.contains("ben@ld")).then_some(())).await;
    assert_eq!(world.acl().await, ["/vms PVEVMUser user:ben@ld 1"], "and his entry is not");
    world.start_operator_with(&["PROXMOX_IDENTITY_KILL_AT=after:1:POST /access/users"], &[]);
    world.delete("ProxmoxAcl", "ours").await;
    world.gone("ProxmoxAcl", "ours").await;
    assert!(!world.log_until_killed().is_empty(), "it was killed when he had just been made");
    assert!(!users().await.contains("ben@ld"), "who comes back by that name is not kept out");
    assert_eq!(world.acl().await, [] as [&str; 0]);
}

#[tokio::test]
async fn entries_of_people_who_are_gone_are_reported_and_removed_where_they_are_ours_or_the_path_is_exact() {
    let world = with_an_entry_of_ben().await;
    world.pve_call("PUT", "/access/acl", &[("path", "/nodes"), ("users", "ben@ld"), ("roles", "PVEAuditor")]).await;
    world.pve_call("PUT", "/access/acl", &[("path", "/sdn"), ("groups", "devs-ld"), ("roles", "PVEAuditor")]).await;
    // Ben and the group leave the directory, and the sync removes them but not their entries.
    let ids = ["uid=ben", "cn=devs"];
    world.pve.people(|people| people.retain(|entry| !ids.iter().any(|id| entry.dn.starts_with(id))));
    let vanish = [("scope", "both"), ("remove-vanished", "entry")];
    world.pve_call("POST", "/access/domains/ld/sync", &vanish).await;
    world
        .until("it is reported", async || {
            let connection = world.get_object("ProxmoxConnection", "pve").await?;
            let warning = crate::world::condition(&connection, "Warning")?.clone();
            let message = warning["message"].as_str()?.to_owned();
            (warning["reason"] == "DanglingEntries" && message.contains("devs-ld") && message.contains("ben@ld"))
                .then_some(())
        })
        .await;
    assert_eq!(world.acl().await.len(), 3);
    world.delete("ProxmoxAcl", "ours").await;
    world.gone("ProxmoxAcl", "ours").await;
    assert_eq!(
        world.acl().await,
        ["/sdn PVEAuditor group:devs-ld 1"],
        "all entries of the one who is gone go together"
    );
    let exact = "path: /sdn, entryPolicy: Exact, roles: [{role: PVEAuditor}], subjects: [{user: ann@ld}]";
    world.object("ProxmoxAcl", "exact", exact).await;
    world.ready("ProxmoxAcl", "exact").await;
    assert_eq!(world.acl().await, ["/sdn PVEAuditor user:ann@ld 1"]);
    assert!(world.groups().await.is_empty(), "nothing that was made for it is left");
    let users = world.pve_get("/access/users").await;
    assert!(!users.to_string().contains("ben@ld"), "{users}");
    world
        .until("there is nothing to report", async || {
            let connection = world.get_object("ProxmoxConnection", "pve").await?;
            let warned = crate::world::condition(&connection, "Warning").map(|it| it["reason"].clone());
            warned.is_none_or(|reason| reason != "DanglingEntries").then_some(())
        })
        .await;
}
