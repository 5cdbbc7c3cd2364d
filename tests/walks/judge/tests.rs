//! The judge finds what is planted.

use serde_json::{Value, json};

use super::*;
use crate::meaning::Specs;
use crate::shown::Fields;

fn object(kind: &str, name: &str, spec: Value, ready: &str, reason: &str) -> Seen {
    let mut spec = spec;
    spec["connectionRef"] = json!({"name": connection_of(kind)});
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
    verdict_by(&json!({}), objects, shown)
}

fn verdict_by(connection: &Value, objects: &[Seen], shown: &Shown) -> Option<String> {
    let specs: Specs = objects.iter().map(|seen| (seen.key(), seen.spec().clone())).collect();
    let around = Around { specs: &specs, secrets: &BTreeSet::new(), endpoint: "", issuer: "" };
    judge(&Rest { objects, shown, around, secrets: &BTreeMap::new(), connection }).map(|found| found.class)
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
fn what_is_held_by_who_cannot_say_what_it_wants_is_not_too_much() {
    let spec = json!({"membershipPolicy": "Exact"});
    let group = object("ProxmoxGroup", "g", spec, "True", "Succeeded");
    let stands = shown(&[("group g", &[]), ("user b@pve", &[]), ("member g b@pve", &[])]);
    for (secret, found) in [(json!({"name": "missing", "key": "key"}), false), (Value::Null, true)] {
        let mut user = object("ProxmoxUser", "b", json!({"userId": "b@pve"}), "False", "SecretNotFound");
        if !secret.is_null() {
            user.object["spec"]["keysSecretRef"] = secret;
        }
        user.object["status"]["ledger"] = json!([{"claim": "member g b@pve"}]);
        let verdict = verdict(&[group.clone(), user], &stands);
        assert_eq!(verdict == Some("ProxmoxGroup: exact and not so".to_owned()), found, "{verdict:?}");
    }
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

#[test]
fn a_client_that_lets_in_others_is_found() {
    let spec = json!({"callbackUrls": ["https://a"], "allowedGroups": [{"group": "team"}]});
    let client = || [object("PocketIdClient", "web", spec.clone(), "True", "Succeeded")];
    let stands = |groups: &str, restricted: &str| {
        let fields = [
            ("callbackUrls", "https://a"),
            ("pkce", "1"),
            ("public", "0"),
            ("restricted", restricted),
            ("allowedGroups", groups),
        ];
        shown(&[("id-client web", &fields), ("id-group team", &[])])
    };
    assert_eq!(verdict(&client(), &stands("team", "1")), None);
    let found = Some("PocketIdClient: ready and not so".to_owned());
    for (groups, restricted) in [("team", "0"), ("", "1"), ("others team", "1")] {
        assert_eq!(verdict(&client(), &stands(groups, restricted)), found, "{groups} {restricted}");
    }
}

#[test]
fn what_is_ready_against_the_policy_is_found_and_what_is_denied_by_none() {
    let policy = json!({"policy": {"rules": [{"groupIds": ["team-*"]}]}});
    let group = |name: &str, ready, reason| [object("ProxmoxGroup", name, json!({}), ready, reason)];
    let stands = shown(&[("group g", &[]), ("group team-a", &[])]);
    assert_eq!(verdict_by(&policy, &group("team-a", "True", "Succeeded"), &stands), None);
    assert_eq!(verdict_by(&policy, &group("g", "False", "PolicyDenied"), &stands), None);
    let ready = verdict_by(&policy, &group("g", "True", "Succeeded"), &stands);
    assert_eq!(ready, Some("ProxmoxGroup: ready against the policy".to_owned()));
    let denied = verdict_by(&policy, &group("team-a", "False", "PolicyDenied"), &stands);
    assert_eq!(denied, Some("ProxmoxGroup: PolicyDenied without a cause".to_owned()));
}
