//! What stood before, what two objects want, and what stays.

use crate::world::World;

#[tokio::test]
async fn what_stands_is_adopted_only_where_nothing_would_be_written() {
    let world = World::new().await;
    for (id, comment) in [("same", "x"), ("other", "theirs"), ("taken", "theirs"), ("never", "")] {
        world.pve_call("POST", "/access/groups", &[("groupid", id), ("comment", comment)]).await;
    }
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "same", "comment: x").await;
    world.object("ProxmoxGroup", "other", "comment: ours").await;
    world.object("ProxmoxGroup", "taken", "comment: ours, adoptionPolicy: Always").await;
    world.object("ProxmoxGroup", "never", "adoptionPolicy: Never").await;
    world.ready("ProxmoxGroup", "same").await;
    world.ready("ProxmoxGroup", "taken").await;
    let message = world.reason("ProxmoxGroup", "other", "AlreadyExists").await;
    assert!(message.contains("comment") && !message.contains("theirs"), "{message}");
    world.reason("ProxmoxGroup", "never", "AlreadyExists").await;
    assert_eq!(world.pve_get("/access/groups/other").await["comment"], "theirs");
    assert_eq!(world.pve_get("/access/groups/taken").await["comment"], "ours");
    for name in ["same", "other", "taken", "never"] {
        world.delete("ProxmoxGroup", name).await;
        world.gone("ProxmoxGroup", name).await;
    }
    assert_eq!(world.groups().await, ["never", "other", "same", "taken"], "what stood before stays");
    world.told("same", "Left", &[]).await;
}

#[tokio::test]
async fn the_deletion_policy_decides_for_all_of_an_object() {
    let world = World::new().await;
    world.pve_call("POST", "/access/groups", &[("groupid", "adopted")]).await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "adopted", "deletionPolicy: Delete").await;
    world.object("ProxmoxGroup", "created", "deletionPolicy: Orphan").await;
    for name in ["adopted", "created"] {
        world.ready("ProxmoxGroup", name).await;
        world.delete("ProxmoxGroup", name).await;
        world.gone("ProxmoxGroup", name).await;
    }
    assert_eq!(world.groups().await, ["created"]);
}

#[tokio::test]
async fn two_objects_for_one_group_do_not_fight_and_the_loser_takes_over() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "z-first", "groupId: g, comment: first").await;
    world.ready("ProxmoxGroup", "z-first").await;
    world.object("ProxmoxGroup", "a-second", "groupId: g, comment: second").await;
    let message = world.reason("ProxmoxGroup", "a-second", "Conflict").await;
    assert!(message.contains("z-first"), "{message}");
    let before = world.pve_writes();
    world.passes(2).await;
    assert_eq!(world.pve_writes(), before, "nobody fights");
    world.delete("ProxmoxGroup", "z-first").await;
    world.gone("ProxmoxGroup", "z-first").await;
    world.ready("ProxmoxGroup", "a-second").await;
    assert_eq!(world.pve_get("/access/groups/g").await["comment"], "second");
    let deletions = world.pve.requests().counts.iter().filter(|count| count.method == "DELETE").count();
    assert_eq!(deletions, 0, "it was passed on, not made again");
    world.delete("ProxmoxGroup", "a-second").await;
    world.gone("ProxmoxGroup", "a-second").await;
    assert!(world.groups().await.is_empty(), "what one of us made goes with the last of us");
}

#[tokio::test]
async fn an_entry_of_two_objects_goes_with_the_last() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "g", "").await;
    let entry = |roles: &str| format!("path: /vms, roles: [{roles}], subjects: [{{group: g}}]");
    world.object("ProxmoxAcl", "one", &entry("{role: PVEVMUser}, {role: PVEAuditor}")).await;
    world.ready("ProxmoxAcl", "one").await;
    world.object("ProxmoxAcl", "two", &entry("{role: PVEVMUser}")).await;
    world.ready("ProxmoxAcl", "two").await;
    world.object("ProxmoxAcl", "three", &format!("{}, propagate: false", entry("{role: PVEVMUser}"))).await;
    world.reason("ProxmoxAcl", "three", "Conflict").await;
    world.delete("ProxmoxAcl", "one").await;
    world.gone("ProxmoxAcl", "one").await;
    assert_eq!(world.acl().await, ["/vms PVEVMUser group:g 1"]);
    world.delete("ProxmoxAcl", "three").await;
    world.gone("ProxmoxAcl", "three").await;
    world.delete("ProxmoxAcl", "two").await;
    world.gone("ProxmoxAcl", "two").await;
    assert!(world.acl().await.is_empty());
}

#[tokio::test]
async fn an_object_that_others_refer_to_stays_also_where_another_would_take_over() {
    let world = World::new().await;
    world.start_operator().connect().await;
    world.object("ProxmoxGroup", "a", "groupId: g").await;
    world.ready("ProxmoxGroup", "a").await;
    let entry = "path: /vms, roles: [{role: PVEAuditor}], subjects: [{groupRef: {name: a}}]";
    world.object("ProxmoxAcl", "entry", entry).await;
    world.ready("ProxmoxAcl", "entry").await;
    world.object("ProxmoxGroup", "b", "groupId: g").await;
    world.reason("ProxmoxGroup", "b", "Conflict").await;
    world.delete("ProxmoxGroup", "a").await;
    let message = world.reason("ProxmoxGroup", "a", "DeletionBlocked").await;
    assert!(message.contains("ProxmoxAcl entry"), "{message}");
    world.passes(2).await;
    assert_eq!(world.acl().await, ["/vms PVEAuditor group:g 1"], "nobody lost a permission");
    world
        .object("ProxmoxAcl", "entry", "path: /vms, roles: [{role: PVEAuditor}], subjects: [{groupRef: {name: b}}]")
        .await;
    world.gone("ProxmoxGroup", "a").await;
    world.ready("ProxmoxGroup", "b").await;
    world.ready("ProxmoxAcl", "entry").await;
    assert_eq!(world.acl().await, ["/vms PVEAuditor group:g 1"]);
}
