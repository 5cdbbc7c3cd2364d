//! What no object answers for, who is administrator, and a credential that may do more than needed.

use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::rights::{LEAST, operator_token, without};
use crate::world::{World, condition};

async fn status(world: &World) -> Value {
    world.get_object("ProxmoxConnection", "pve").await.expect("a connection")["status"].clone()
}

/// The row of a kind, `null` where it is not counted.
fn row(status: &Value, kind: &str) -> Value {
    let rows = status["unmanaged"].as_array().into_iter().flatten();
    rows.into_iter().find(|it| it["kind"] == kind).cloned().unwrap_or_default()
}

async fn until_row(world: &World, kind: &str, expected: Value) {
    let what = format!("{kind} are {expected}");
    world.until(&what, async || (row(&status(world).await, kind) == expected).then_some(())).await;
}

async fn told(world: &World, reason: &str) -> Vec<String> {
    let mut events = world.events("pve").await;
    events.retain(|it| it.starts_with(reason));
    events
}

/// How often one thing was told: the same again is counted up.
async fn times(world: &World, reason: &str) -> i32 {
    let events = Api::<Event>::namespaced(world.client.clone(), &world.namespace);
    let mut list = events.list(&ListParams::default()).await.expect("Events").items;
    list.retain(|event| event.reason.as_deref() == Some(reason));
    list.iter().map(|event| event.series.as_ref().map_or(1, |series| series.count)).sum()
}

/// Events and metrics are told before a status is, so that each is waited for by itself.
async fn until_gauge(world: &World, name: &str, labels: &str, value: u32) {
    let (start, end) = (format!("proxmox_identity_{name}{{"), format!("}} {value}"));
    let shown = async || {
        let (_, metrics) = world.get("/metrics").await;
        let fits = |line: &str| line.starts_with(&start) && line.contains(labels) && line.ends_with(&end);
        metrics.lines().any(fits).then_some(())
    };
    world.until(&format!("{name} with {labels} is {value}"), shown).await;
}

async fn warning(world: &World) -> Option<Value> {
    condition(&json!({ "status": status(world).await }), "Warning").cloned()
}

#[tokio::test]
async fn a_group_made_by_hand_is_counted_and_named_and_told() {
    let world = World::new().await;
    world.pve_call("POST", "/access/groups", &[("groupid", "old")]).await;
    world.start_operator().connect().await;
    for (kind, name) in [("ProxmoxGroup", "claimed"), ("ProxmoxPool", "p")] {
        world.object(kind, name, "").await;
        world.ready(kind, name).await;
    }
    until_row(&world, "groups", json!({"kind": "groups", "count": 1})).await;
    world.passes(1).await;
    assert_eq!(told(&world, "UnmanagedAppeared").await, [""; 0], "what was there before is nothing new");
    world.pve_call("POST", "/access/groups", &[("groupid", "by-hand")]).await;
    until_row(&world, "groups", json!({"kind": "groups", "count": 2, "newest": ["by-hand"]})).await;
    world.told("pve", "UnmanagedAppeared", &["group by-hand"]).await;
    assert_eq!(row(&status(&world).await, "pools"), json!({"kind": "pools", "count": 0}));
    until_gauge(&world, "unmanaged", "\"groups\"", 2).await;
    // A second pass writes nothing, nor does another process.
    let version = async || {
        let connection = world.get_object("ProxmoxConnection", "pve").await.expect("a connection");
        connection["metadata"]["resourceVersion"].to_string()
    };
    world.until("it warns of the token of root", async || warning(&world).await.map(drop)).await;
    let before = version().await;
    world.passes(3).await;
    assert_eq!(version().await, before);
    world.start_operator();
    world.passes(3).await;
    assert_eq!(version().await, before);
    // An object that only observes answers for it as well.
    world.object("ProxmoxGroup", "by-hand", "managementPolicy: Observe").await;
    until_row(&world, "groups", json!({"kind": "groups", "count": 1})).await;
    assert_eq!(told(&world, "UnmanagedAppeared").await.len(), 1);
    for (kind, name) in [("ProxmoxGroup", "claimed"), ("ProxmoxGroup", "by-hand"), ("ProxmoxPool", "p")] {
        world.delete(kind, name).await;
        world.gone(kind, name).await;
    }
    world.delete("ProxmoxConnection", "pve").await;
    world.gone("ProxmoxConnection", "pve").await;
    world
        .until("the metrics go with the connection", async || {
            let (_, metrics) = world.get("/metrics").await;
            let names = ["proxmox_identity_unmanaged{", "proxmox_identity_administrators{"];
            (!metrics.lines().any(|line| names.iter().any(|name| line.starts_with(name)))).then_some(())
        })
        .await;
}

#[tokio::test]
async fn who_becomes_administrator_by_hand_is_told_and_so_is_that_the_last_one_is_gone() {
    let world = World::new().await;
    let token = operator_token(&world, LEAST).await;
    world.pve_call("POST", "/access/users", &[("userid", "ann@pve")]).await;
    world.start_operator().connect_with(&token, "").await;
    world.ready("ProxmoxConnection", "pve").await;
    let administrators = async || status(&world).await["administrators"].clone();
    // The token of root that the test itself works with, and the operator's own.
    let first = json!({"count": 3, "unmanaged": 3, "names": ["ops@pve", "ops@pve!operator", "root@pam!admin"]});
    world.until("they are counted", async || (administrators().await == first).then_some(())).await;
    let entry = [("path", "/"), ("users", "ann@pve"), ("roles", "Administrator")];
    world.pve_call("PUT", "/access/acl", &entry).await;
    world.told("pve", "AdministratorAppeared", &["ann@pve, by what no object claims"]).await;
    world.told("pve", "UnmanagedAppeared", &["ACL entry Administrator for user ann@pve on /"]).await;
    world.until("one more is counted", async || (administrators().await["count"] == 4).then_some(())).await;
    until_gauge(&world, "administrators", "", 4).await;
    world
        .pve_call(
            "PUT",
            "/access/acl",
            &[("path", "/"), ("users", "ann@pve"), ("roles", "Administrator"), ("delete", "1")],
        )
        .await;
    world.told("pve", "LastAdministratorGone", &["ann@pve"]).await;
    world.until("one less is counted", async || (administrators().await == first).then_some(())).await;
    // Also when it is the operator's own doing.
    let spec = "path: /, roles: [{role: Administrator}], subjects: [{user: ann@pve}]";
    world.object("ProxmoxAcl", "admin", spec).await;
    world.ready("ProxmoxAcl", "admin").await;
    world.told("pve", "AdministratorAppeared", &["ann@pve, as objects say"]).await;
    let as_declared = async || {
        let shown = administrators().await;
        (shown["count"] == 4 && shown["unmanaged"] == 3).then_some(())
    };
    world.until("one more is counted, who is managed", as_declared).await;
    world.delete("ProxmoxAcl", "admin").await;
    world.gone("ProxmoxAcl", "admin").await;
    world.until("it is told again", async || (times(&world, "LastAdministratorGone").await == 2).then_some(())).await;
    world.until("one less is counted again", async || (administrators().await == first).then_some(())).await;
}

#[tokio::test]
async fn what_cannot_be_seen_is_not_counted() {
    let world = World::new().await;
    let token = operator_token(&world, "Pool.Audit").await;
    world.start_operator().connect_with(&token, "").await;
    until_row(&world, "pools", json!({"kind": "pools", "count": 0})).await;
    let kinds = async || {
        let rows = status(&world).await["unmanaged"].clone();
        rows.as_array()
            .expect("rows")
            .iter()
            .map(|it| it["kind"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds().await, ["pools", "realms", "roles"]);
    assert!(status(&world).await["administrators"].is_null());
    world.pve_call("PUT", "/access/roles/Ops", &[("privs", LEAST)]).await;
    world.until("all is counted", async || (kinds().await.len() == 7).then_some(())).await;
    world.passes(1).await;
    assert_eq!(told(&world, "UnmanagedAppeared").await, [""; 0], "what comes into sight is nothing new");
}

#[tokio::test]
async fn a_credential_that_is_as_good_as_root_is_warned_of_where_nothing_needs_it() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.ready("ProxmoxConnection", "pve").await;
    world.passes(2).await;
    assert_eq!(warning(&world).await, None, "without objects there is nothing to compare");
    world.object("ProxmoxGroup", "g", "").await;
    world.told("pve", "MoreRightsThanNeeded", &["root@pam"]).await;
    // The Event may be there before the status.
    let said = world.until("it is warned", async || warning(&world).await).await;
    let message = said["message"].as_str().expect("a message");
    for right in ["Permissions.Modify on /", "User.Modify on /access/groups", "Realm.Allocate on /access/realm"] {
        assert!(message.contains(right), "{message}");
    }
    // The same for another user, until what is not needed is taken away.
    let token = operator_token(&world, &without(&["Permissions.Modify", "Realm.Allocate", "Sys.Modify"])).await;
    world.connect_with(&token, "").await;
    let only = |message: &str| message.contains("No object needs User.Modify on /access/groups, and");
    world
        .until("it names what is left", async || only(warning(&world).await?["message"].as_str()?).then_some(()))
        .await;
    world.object("ProxmoxGroup", "g", "members: [{user: root@pam}]").await;
    world.until("members need it", async || warning(&world).await.is_none().then_some(())).await;
}
