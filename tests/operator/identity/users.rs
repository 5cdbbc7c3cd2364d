//! Users, their fields and passwords.

use crate::world::World;

async fn user(world: &World, id: &str) -> serde_json::Value {
    world.pve_get(&format!("/access/users/{id}")).await
}

#[tokio::test]
async fn a_user_is_made_changed_and_removed_with_its_groups() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "dev", "").await;
    let spec = "realm: pve, firstName: Ann, lastName: Bee, email: a@example.com, comment: hi, enabled: false, \
                expiresAt: '2030-01-01T00:00:00Z', groups: [{groupRef: {name: dev}}, {group: ops}]";
    world.object("ProxmoxUser", "ann", spec).await;
    let message = world.reason("ProxmoxUser", "ann", "DependencyNotReady").await;
    assert!(message.contains("group ops"), "{message}");
    world.pve_call("POST", "/access/groups", &[("groupid", "ops")]).await;
    world.ready("ProxmoxUser", "ann").await;
    let ann = user(&world, "ann@pve").await;
    assert_eq!(
        (&ann["firstname"], &ann["lastname"], &ann["email"]),
        (&"Ann".into(), &"Bee".into(), &"a@example.com".into())
    );
    assert_eq!((&ann["enable"], &ann["expire"], &ann["comment"]), (&0.into(), &1_893_456_000.into(), &"hi".into()));
    let mut groups: Vec<&str> = ann["groups"].as_array().expect("groups").iter().filter_map(|it| it.as_str()).collect();
    groups.sort_unstable();
    assert_eq!(groups, ["dev", "ops"]);

    // Unset is left as it is, empty clears.
    world.object("ProxmoxUser", "ann", "realm: pve, lastName: '', expiresAt: '', enabled: true").await;
    world.ready("ProxmoxUser", "ann").await;
    let ann = user(&world, "ann@pve").await;
    assert_eq!((&ann["firstname"], ann.get("lastname"), &ann["expire"]), (&"Ann".into(), None, &0.into()));
    assert_eq!((&ann["enable"], &ann["groups"]), (&1.into(), &serde_json::json!([])), "dropped memberships end");
    world.delete("ProxmoxUser", "ann").await;
    world.gone("ProxmoxUser", "ann").await;
    assert_eq!(world.pve_get("/access/users").await.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_password_is_set_with_the_user_and_changed_with_a_ticket_only() {
    let world = World::new().await;
    let secret = |password: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: pw}}\nstringData: {{password: {password}}}\n")
    };
    world.apply(&secret("first-password")).await.start_operator().connect().await;
    world.object("ProxmoxUser", "ann", "realm: pve, passwordSecretRef: {name: pw, key: password}").await;
    world.ready("ProxmoxUser", "ann").await;
    assert!(world.logs_in("ann@pve", "first-password").await);
    world.apply(&secret("second-password")).await;
    let message = world.reason("ProxmoxUser", "ann", "TicketRequired").await;
    assert!(message.contains("auth.ticket"), "{message}");
    assert!(world.logs_in("ann@pve", "first-password").await);

    // The same connection with a password instead of the token.
    let (url, fingerprint) = (world.pve.url(), world.pve.fingerprint());
    world
        .apply(&format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: root}}\nstringData: {{password: pve-test-password}}\n---\n\
             apiVersion: proxmox-identity.dev/v1alpha1\nkind: ProxmoxConnection\nmetadata: {{name: pve}}\nspec:\n  \
             endpoints: [\"{url}\"]\n  auth: {{ticket: {{userName: root@pam, passwordSecretRef: {{name: root, key: \
             password}}}}}}\n  tls: {{fingerprints: [\"{fingerprint}\"]}}\n  resyncInterval: 1s\n"
        ))
        .await;
    world.ready("ProxmoxUser", "ann").await;
    assert!(world.logs_in("ann@pve", "second-password").await && !world.logs_in("ann@pve", "first-password").await);
    let writes = world.pve_writes();
    world.passes(3).await;
    assert_eq!(world.pve.requests().count("PUT", "/access/password"), 1);
    assert_eq!(world.pve_writes(), writes, "nothing is written again");
}

#[tokio::test]
async fn a_password_for_a_realm_that_keeps_none_is_refused() {
    let world = World::new().await;
    world
        .apply("apiVersion: v1\nkind: Secret\nmetadata: {name: pw}\nstringData: {password: long-enough}\n")
        .await
        .start_operator()
        .connect()
        .await;
    world.object("ProxmoxRealm", "oid", "openid: {issuerUrl: 'https://id.example.com', clientId: c}").await;
    world.object("ProxmoxUser", "ann", "realmRef: {name: oid}, passwordSecretRef: {name: pw, key: password}").await;
    let message = world.reason("ProxmoxUser", "ann", "InvalidSpec").await;
    assert!(message.contains("openid"), "{message}");
    assert_eq!(world.pve_get("/access/users").await.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn the_operators_own_user_is_not_disabled() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxUser", "root", "userId: root@pam, enabled: false, adoptionPolicy: Always").await;
    let message = world.reason("ProxmoxUser", "root", "WouldLockOut").await;
    assert!(message.contains("root@pam"), "{message}");
    assert_eq!(user(&world, "root@pam").await["enable"], 1);
    world.object("ProxmoxUser", "root", "userId: root@pam, comment: managed").await;
    world.reason("ProxmoxUser", "root", "AlreadyExists").await;
    world.object("ProxmoxUser", "root", "userId: root@pam, comment: managed, adoptionPolicy: Always").await;
    world.ready("ProxmoxUser", "root").await;
    world.delete("ProxmoxUser", "root").await;
    world.gone("ProxmoxUser", "root").await;
    assert_eq!(user(&world, "root@pam").await["comment"], "managed", "it is always there and left as it is");
}
