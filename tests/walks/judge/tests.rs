//! The judge finds what is planted.

use serde_json::{Value, json};

use super::*;
use crate::meaning::Specs;
use crate::shown::Fields;

fn object(kind: &str, name: &str, spec: Value, ready: &str, reason: &str) -> Seen {
    let mut spec = spec;
    spec["connectionRef"] = json!({"name": "pve"});
    let mut conditions = vec![json!({
        "type": "Ready", "status": ready, "reason": reason, "message": "so it is", "observedGeneration": 1,
    })];
    let known = Reason::ALL.iter().find(|it| it.as_str() == reason);
    if ready == "False" {
        let kind = if known.is_some_and(|it| it.is_terminal()) { "Stalled" } else { "Reconciling" };
        conditions.push(json!({"type": kind, "status": "True", "observedGeneration": 1}));
    }
    let object = json!({
        "metadata": {"name": name, "generation": 1}, "spec": spec,
        "status": {"observedGeneration": 1, "conditions": conditions},
    });
    Seen { kind: kind.to_owned(), name: name.to_owned(), object }
}

fn shown(claims: &[(&str, &[(&str, &str)])]) -> Shown {
    let fields = |pairs: &[(&str, &str)]| -> Fields {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    claims.iter().map(|(claim, pairs)| ((*claim).to_owned(), fields(pairs))).collect()
}

fn verdict(objects: &[Seen], shown: &Shown) -> Option<String> {
    let specs: Specs = objects.iter().map(|seen| (seen.key(), seen.spec().clone())).collect();
    let around = Around { specs: &specs, secrets: &BTreeSet::new() };
    judge(&Rest { objects, shown, around, suspended: false }).map(|found| found.class)
}

#[test]
fn what_is_as_it_should_be_passes() {
    let group = object("ProxmoxGroup", "g", json!({"comment": " c "}), "True", "Succeeded");
    let entry = json!({"path": "/", "roles": [{"role": "R"}], "subjects": [{"groupRef": {"name": "g"}}]});
    let acl = object("ProxmoxAcl", "a", entry, "True", "Succeeded");
    let stands =
        shown(&[("group g", &[("comment", "c")]), ("acl / group:g R", &[("propagate", "1")]), ("role R", &[])]);
    assert_eq!(verdict(&[group, acl], &stands), None);
}

#[test]
fn what_is_ready_and_does_not_stand_so_is_found() {
    let group = || [object("ProxmoxGroup", "g", json!({"comment": "c"}), "True", "Succeeded")];
    let found = Some("ProxmoxGroup: ready and not so".to_owned());
    assert_eq!(verdict(&group(), &shown(&[])), found);
    assert_eq!(verdict(&group(), &shown(&[("group g", &[("comment", "d")])])), found);
}

#[test]
fn what_is_too_much_is_found() {
    let spec = json!({"membershipPolicy": "Exact", "members": [{"user": "a@pve"}]});
    let group = object("ProxmoxGroup", "g", spec, "True", "Succeeded");
    let stands = shown(&[("group g", &[]), ("member g a@pve", &[]), ("member g b@pve", &[])]);
    assert_eq!(verdict(&[group], &stands), Some("ProxmoxGroup: exact and not so".to_owned()));
}

#[test]
fn excuses_that_are_none_are_found() {
    for reason in ["DependencyNotReady", "Conflict", "AlreadyExists", "SecretNotFound", "UnexpectedAnswer"] {
        let group = object("ProxmoxGroup", "g", json!({"adoptionPolicy": "Always"}), "False", reason);
        let found = verdict(&[group], &shown(&[("group g", &[])]));
        assert_eq!(found, Some(format!("ProxmoxGroup: {reason} without a cause")));
    }
}

#[test]
fn two_who_have_one_thing_are_found() {
    let group = |name| object("ProxmoxGroup", name, json!({"groupId": "g"}), "True", "Succeeded");
    let found = verdict(&[group("a"), group("b")], &shown(&[("group g", &[])]));
    assert_eq!(found, Some("holders of one ProxmoxGroup".to_owned()));
}

#[test]
fn a_status_that_kstatus_would_misread_is_found() {
    let mut group = object("ProxmoxGroup", "g", json!({}), "True", "Succeeded");
    let stalled = json!({"type": "Stalled", "status": "True", "observedGeneration": 1});
    group.object["status"]["conditions"].as_array_mut().expect("a list").push(stalled);
    let found = verdict(&[group], &shown(&[("group g", &[])]));
    assert_eq!(found, Some("status of ProxmoxGroup: ready and not at rest".to_owned()));
}
