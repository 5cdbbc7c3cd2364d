//! Who is in which group, from either side.

use crate::world::World;

async fn members(world: &World, group: &str) -> Vec<String> {
    let group = world.pve_find(&format!("/access/groups/{group}")).await.unwrap_or_default();
    let users = group["members"].as_array().into_iter().flatten();
    let mut users: Vec<String> = users.filter_map(|user| Some(user.as_str()?.to_owned())).collect();
    users.sort();
    users
}

async fn world() -> World {
    let world = World::new().await;
    world.start_operator().connect().await;
    for user in ["a@pve", "b@pve", "c@pve"] {
        world.pve_call("POST", "/access/users", &[("userid", user)]).await;
    }
    world
}

#[tokio::test]
async fn a_membership_declared_from_both_sides_ends_with_the_last_of_them() {
    let world = world().await;
    world.object("ProxmoxGroup", "g", "members: [{user: a@pve}, {userRef: {name: d}}]").await;
    world.object("ProxmoxUser", "d", "realm: pve, groups: [{groupRef: {name: g}}]").await;
    world.ready("ProxmoxGroup", "g").await;
    world.ready("ProxmoxUser", "d").await;
    assert_eq!(members(&world, "g").await, ["a@pve", "d@pve"]);
    let writes = world.pve_writes();
    world.passes(2).await;
    assert_eq!(world.pve_writes(), writes);
    world.object("ProxmoxGroup", "g", "members: [{user: a@pve}]").await;
    world.ready("ProxmoxGroup", "g").await;
    assert_eq!(members(&world, "g").await, ["a@pve", "d@pve"], "the user still says so");
    world.object("ProxmoxUser", "d", "realm: pve").await;
    world.until("d leaves", async || (members(&world, "g").await == ["a@pve"]).then_some(())).await;
}

#[tokio::test]
async fn an_exact_group_has_nobody_else_and_an_exact_user_is_nowhere_else() {
    let world = world().await;
    world.pve_call("POST", "/access/groups", &[("groupid", "other")]).await;
    world.object("ProxmoxGroup", "g", "members: [{user: a@pve}]").await;
    world.ready("ProxmoxGroup", "g").await;
    for user in ["b@pve", "c@pve"] {
        world.pve_call("PUT", &format!("/access/users/{user}"), &[("groups", "g,other")]).await;
    }
    world.passes(2).await;
    assert_eq!(members(&world, "g").await, ["a@pve", "b@pve", "c@pve"], "others stay with Additive");
    // What another object declares counts as declared.
    world.object("ProxmoxUser", "b", "realm: pve, groups: [{group: g}]").await;
    world.ready("ProxmoxUser", "b").await;
    world.object("ProxmoxGroup", "g", "membershipPolicy: Exact, members: [{user: a@pve}]").await;
    world.until("c leaves", async || (members(&world, "g").await == ["a@pve", "b@pve"]).then_some(())).await;
    assert_eq!(members(&world, "other").await, ["b@pve", "c@pve"], "no other group is touched");
    world.object("ProxmoxUser", "c", "realm: pve, membershipPolicy: Exact").await;
    world.until("c is nowhere", async || (members(&world, "other").await == ["b@pve"]).then_some(())).await;
    world.object("ProxmoxGroup", "g", "membershipPolicy: Exact, members: []").await;
    world.until("a leaves", async || (members(&world, "g").await == ["b@pve"]).then_some(())).await;
}

#[tokio::test]
async fn nothing_undeclared_is_removed_while_somebody_may_still_mean_it() {
    let world = world().await;
    world.pve_call("POST", "/access/groups", &[("groupid", "g")]).await;
    world.pve_call("PUT", "/access/users/c@pve", &[("groups", "g")]).await;
    let unresolved = "membershipPolicy: Exact, members: [{user: a@pve}, {userRef: {name: c}}]";
    world.object("ProxmoxGroup", "g", unresolved).await;
    world.reason("ProxmoxGroup", "g", "DependencyNotReady").await;
    world.passes(2).await;
    assert_eq!(members(&world, "g").await, ["a@pve", "c@pve"]);
    world.object("ProxmoxUser", "c", "realm: pve").await;
    world.ready("ProxmoxGroup", "g").await;
    assert_eq!(members(&world, "g").await, ["a@pve", "c@pve"]);
}

#[tokio::test]
async fn a_membership_that_each_login_overwrites_is_a_conflict() {
    let world = world().await;
    let realm = "openid: {issuerUrl: 'https://id.example.com', clientId: c, groups: {claim: groups, overwrite: true}}";
    world.object("ProxmoxRealm", "oid", realm).await;
    world.ready("ProxmoxRealm", "oid").await;
    world.pve_call("POST", "/access/users", &[("userid", "x@oid")]).await;
    world.object("ProxmoxGroup", "g", "members: [{user: x@oid}, {user: a@pve}]").await;
    let message = world.reason("ProxmoxGroup", "g", "Conflict").await;
    assert!(message.contains("groups.overwrite"), "{message}");
    world
        .until("the others of the list are in", async || (members(&world, "g").await == ["a@pve"]).then_some(()))
        .await;
}

#[tokio::test]
async fn an_exact_group_leaves_whom_a_realm_puts_into_it_though_nobody_manages_that_realm() {
    let world = world().await;
    let realm = [
        ("realm", "oid"),
        ("type", "openid"),
        ("issuer-url", "https://id.example.com"),
        ("client-id", "c"),
        ("groups-claim", "groups"),
        ("groups-overwrite", "1"),
    ];
    world.pve_call("POST", "/access/domains", &realm).await;
    world.pve_call("POST", "/access/groups", &[("groupid", "g")]).await;
    world.pve_call("POST", "/access/users", &[("userid", "x@oid"), ("groups", "g")]).await;
    world.pve_call("PUT", "/access/users/b@pve", &[("groups", "g")]).await;
    world.object("ProxmoxGroup", "g", "membershipPolicy: Exact, members: [{user: a@pve}]").await;
    let message = world.reason("ProxmoxGroup", "g", "Conflict").await;
    assert!(message.contains("x@oid") && message.contains("groups.overwrite"), "{message}");
    world.until("only b leaves", async || (members(&world, "g").await == ["a@pve", "x@oid"]).then_some(())).await;
}
