//! The audit trail: who had what written, field by field, in the log.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::rights::{LEAST, operator_token, without};
use crate::world::World;

/// The lines of the audit trail.
fn trail(world: &World) -> Vec<Value> {
    let log = world.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["target"] == "audit").collect()
}

/// Waits for the line of an object with this action and result.
async fn told(world: &World, object: &str, action: &str, result: &str) -> Value {
    let object = format!("{}/{object}", world.namespace);
    world
        .until(&format!("{action} for {object} is told as {result}"), async || {
            let fits = |line: &&Value| line["object"] == object && line["action"] == action && line["result"] == result;
            trail(world).iter().find(fits).cloned()
        })
        .await
}

#[tokio::test]
async fn every_write_is_told_with_whom_it_is_for_and_what_became_of_it() {
    let world = World::new().await;
    let token = operator_token(&world, LEAST).await;
    let by_hand = world.pve_writes();
    world.start_operator().connect_with(&token, "").await;
    world.object("ProxmoxGroup", "g", "comment: ours").await;
    world.ready("ProxmoxGroup", "g").await;
    let group = world.get_object("ProxmoxGroup", "g").await.expect("a group");
    let line = told(&world, "g", "create", "ok").await;
    assert_eq!((&line["kind"], &line["claims"]), (&"ProxmoxGroup".into(), &"group g".into()));
    assert_eq!((&line["uid"], &line["generation"]), (&group["metadata"]["uid"], &1.into()));
    assert_eq!(line["connection"], format!("{}/pve", world.namespace));

    // One write for two objects is a line for each.
    let grant = "path: /vms, roles: [{role: PVEVMUser}], subjects: [{group: g}]";
    world.object("ProxmoxAcl", "a", grant).await.object("ProxmoxAcl", "b", grant).await;
    world.ready("ProxmoxAcl", "a").await;
    world.ready("ProxmoxAcl", "b").await;
    told(&world, "a", "create", "ok").await;

    world.pve_call("PUT", "/access/groups/g", &[("comment", "theirs")]).await;
    let line = told(&world, "g", "correct", "ok").await;
    assert_eq!(line["fields"], "comment", "fields are named, never values");

    world.pve_call("PUT", "/access/roles/Ops", &[("privs", &without(&["Group.Allocate"]))]).await;
    world.object("ProxmoxGroup", "h", "").await;
    world.reason("ProxmoxGroup", "h", "Forbidden").await;
    told(&world, "h", "create", "Forbidden").await;
    world.pve_call("PUT", "/access/roles/Ops", &[("privs", LEAST)]).await;
    world.ready("ProxmoxGroup", "h").await;
    world.delete("ProxmoxGroup", "h").await;
    told(&world, "h", "remove", "ok").await;

    let mutations: BTreeSet<String> = trail(&world).iter().map(|line| line["mutation"].to_string()).collect();
    let ours = world.pve_writes() - by_hand - 3;
    assert_eq!(mutations.len() as u64, ours, "no write without a line: {:#?}", trail(&world));
}

#[tokio::test]
async fn each_pass_and_each_step_in_it_has_a_span_with_its_duration() {
    let world = World::new().await;
    world.start_operator_with(&["RUST_LOG=warn,trace=debug"], &[]).connect().await;
    world.object("ProxmoxGroup", "g", "comment: ours").await;
    world.ready("ProxmoxGroup", "g").await;
    let closed = |name: &str| {
        let log = world.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["message"] == "close" && line["span"]["name"] == name).collect::<Vec<_>>()
    };
    let steps = closed("step");
    let [step] = steps.as_slice() else { panic!("one write is one step: {steps:#?}") };
    assert_eq!((&step["span"]["action"], &step["span"]["result"]), (&"create".into(), &"ok".into()));
    assert_eq!(step["spans"][0]["name"], "pass", "it is part of a pass");
    let pass = world
        .until("the pass is closed", async || closed("pass").into_iter().find(|pass| pass["span"]["done"] == 1))
        .await;
    assert_eq!(pass["span"]["connection"], format!("{}/pve", world.namespace));
    assert_eq!((&pass["span"]["planned"], &pass["span"]["objects"]), (&1.into(), &1.into()));
    for span in [step, &pass] {
        assert!(span["time.busy"].is_string() && span["time.idle"].is_string(), "{span}");
    }
}
