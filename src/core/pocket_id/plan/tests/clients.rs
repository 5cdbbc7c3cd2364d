//! Clients: what is sent, what is sent back as it was, and who may sign in.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::*;
use super::fixtures::*;
use super::model::Model;
use crate::api::PocketIdClient;
use crate::core::pocket_id::ids::{ClientId, GroupId};
use crate::core::pocket_id::wants::{References, Wants, of_client};
use crate::core::token::Kept;

/// The body of the PUT in a plan, if there is one.
fn put(plan: &Plan) -> Option<Value> {
    plan.steps.iter().find_map(|step| match &step.write {
        Write::UpdateClient { fields, .. } => Some(Value::Object(fields.clone())),
        _ => None,
    })
}

fn allows(plan: &Plan) -> Option<BTreeSet<GroupId>> {
    plan.steps.iter().find_map(|step| match &step.write {
        Write::AllowGroups { groups, .. } => Some(groups.clone()),
        _ => None,
    })
}

fn ours(allowed: &[&str]) -> Object {
    let mut object = client("pve", allowed).holding(&[(client_claim("pve"), CREATED)]);
    // Its secret is no matter here.
    object.secret = None;
    object
}

#[test]
fn a_client_is_made_closed_then_gets_its_groups_and_then_its_secret() {
    let snapshot = with_group(with_group(empty(), "team", &[]), "other", &[]);
    let object = client("pve", &["team"]);
    let plan = planned(&[object], &snapshot);
    let [Write::CreateClient { client, fields }, Write::AllowGroups { groups: allowed, .. }, Write::IssueSecret(_)] =
        writes(&plan)[..]
    else {
        panic!("{:?}", plan.steps)
    };
    assert_eq!(client.as_str(), "pve");
    assert_eq!(
        Value::Object(fields.clone()),
        json!({"name": "pve", "callbackURLs": ["https://pve.example.com:8006"], "pkceEnabled": true,
               "isGroupRestricted": true, "isPublic": false})
    );
    assert_eq!(*allowed, groups(&["team"]));
    assert_eq!(plan.verdicts[0].ledger[&client_claim("pve")], INTENDED);
    let issued = plan.secrets[0].as_ref().expect("a secret").issued.clone();
    assert_eq!(
        (issued.state, issued.issue, plan.steps[2].issue),
        (crate::api::status::SecretState::Pending, 1, Some(1))
    );
}

#[test]
fn a_new_client_is_shown_by_its_name_or_as_much_of_its_id_as_fits() {
    let long = "x".repeat(128);
    for (object, shown) in [
        (client("pve", &[]).with_client(|it| it.display_name = Some("Proxmox".to_owned())), "Proxmox"),
        (client(&long, &[]), &long[..50]),
    ] {
        let plan = planned(&[object], &empty());
        let Write::CreateClient { fields, .. } = &plan.steps[0].write else { panic!("{:?}", plan.steps) };
        assert_eq!(fields["name"], shown);
    }
}

#[test]
fn a_client_whose_secret_has_nowhere_to_go_is_not_made() {
    let mut object = client("pve", &[]);
    object.secret.as_mut().expect("a secret").token.kept = Kept::Foreign { of_namesake: false };
    let plan = planned(&[object], &empty());
    assert_eq!((plan.steps.len(), refused(&plan, 0)), (0, Some(Reason::SecretConflict)));
    assert!(plan.verdicts[0].ledger.is_empty());
}

#[test]
fn each_managed_field_is_compared_and_all_others_are_sent_back() {
    for (what, stands, field) in [
        ("as wanted", json!({}), None),
        ("in another order", json!({"callbackURLs": ["https://pve.example.com:8006"], "launchURL": "https://x"}), None),
        ("another name, which is not managed", json!({"name": "x"}), None),
        ("another address", json!({"callbackURLs": ["https://evil.example"]}), Some("callbackUrls")),
        (
            "one more address",
            json!({"callbackURLs": ["https://pve.example.com:8006", "https://b"]}),
            Some("callbackUrls"),
        ),
        ("no address", json!({"callbackURLs": null}), Some("callbackUrls")),
        ("without PKCE", json!({"pkceEnabled": false}), Some("pkce")),
        ("public", json!({"isPublic": true}), Some("isPublic")),
        ("open to everybody", json!({"isGroupRestricted": false}), Some("isGroupRestricted")),
    ] {
        let beside = json!({
            "description": "a text", "launchURL": "https://a.example", "logoutCallbackURLs": ["https://b.example"],
            "requiresReauthentication": true, "credentials": {"federatedIdentities": [{"issuer": "https://c"}]},
            "accessTokenDurationMinutes": 5, "aFieldOfLater": {"a": [1, null]},
        });
        let shown =
            json!({"hasLogo": true, "hasDarkLogo": false, "allowedUserGroupsCount": 0, "allowedUserGroups": []});
        let mut snapshot = with_client(empty(), "pve", beside.clone(), &[]);
        let standing = snapshot.clients.get_mut(&ClientId::observed("pve")).expect("a client");
        for more in [shown.clone(), stands.clone()] {
            standing.fields.extend(more.as_object().expect("fields").clone());
        }
        let plan = planned(&[ours(&[])], &snapshot);
        let Some(field) = field else {
            assert!(plan.steps.is_empty(), "{what}: {:?}", plan.steps);
            continue;
        };
        let body = put(&plan).expect("a PUT");
        assert!(matches!(&plan.steps[0].purpose, Purpose::Update(fields) if *fields == [field]), "{what}");
        for (name, value) in beside.as_object().expect("fields") {
            assert_eq!(&body[name], value, "{what}: {name} is sent back");
        }
        for name in shown.as_object().expect("fields").keys().chain([&"id".to_owned()]) {
            assert_eq!(body.get(name), None, "{what}: {name} is only shown");
        }
        let managed = ["callbackURLs", "isGroupRestricted", "isPublic", "name", "pkceEnabled"].map(|name| &body[name]);
        let expected = json!([["https://pve.example.com:8006"], true, false, "By hand", true]);
        assert_eq!(json!(managed), expected, "{what}");
    }
}

#[test]
fn who_may_sign_in_is_set_exactly() {
    let mut snapshot = with_group(with_group(empty(), "team", &[]), "other", &[]);
    for (what, stands, restricted, wanted, expected) in [
        ("the same", Some(&["team"][..]), true, &["team"][..], None),
        ("one more", Some(&["other", "team"]), true, &["team"], Some(&["team"][..])),
        ("none of them", Some(&[]), true, &["team"], Some(&["team"])),
        ("nobody is wanted", Some(&["team"]), true, &[], Some(&[])),
        ("not known now", None, true, &["team"], None),
        ("a list that is about to be forgotten", Some(&["team"]), false, &["team"], Some(&["team"])),
        ("nobody, and open", Some(&[]), false, &[], None),
        ("one that does not exist yet", Some(&["team"]), true, &["team", "later"], None),
    ] {
        snapshot = with_client(snapshot, "pve", json!({"isGroupRestricted": restricted}), &[]);
        let standing = snapshot.clients.get_mut(&ClientId::observed("pve")).expect("a client");
        standing.allowed = stands.map(groups);
        let plan = planned(&[ours(wanted)], &snapshot);
        assert_eq!(allows(&plan), expected.map(groups), "{what}");
        assert_eq!(put(&plan).is_some(), !restricted, "{what}");
        let lacks = plan.verdicts[0].refusals.iter().any(|it| it.reason == Reason::DependencyNotReady);
        assert_eq!(lacks, wanted.contains(&"later"), "{what}");
    }
}

#[test]
fn a_client_that_stands_is_taken_over_only_if_it_lets_in_the_same_people() {
    let snapshot = with_group(with_group(empty(), "team", &[]), "other", &[]);
    for (what, more, allowed, identical) in [
        ("the same", json!({}), &["team"][..], true),
        ("another name, which is not managed", json!({"name": "x"}), &["team"], true),
        ("other groups", json!({}), &["other", "team"], false),
        ("open", json!({"isGroupRestricted": false}), &[], false),
        ("public", json!({"isPublic": true}), &["team"], false),
        ("other addresses", json!({"callbackURLs": []}), &["team"], false),
    ] {
        let snapshot = with_client(snapshot.clone(), "pve", more, allowed);
        for (adoption, taken) in
            [(Adoption::IfIdentical, identical), (Adoption::Never, false), (Adoption::Always, true)]
        {
            let plan = planned(&[Object { adoption, ..client("pve", &["team"]) }], &snapshot);
            assert_eq!(
                plan.verdicts[0].ledger.get(&client_claim("pve")),
                taken.then_some(&ADOPTED),
                "{what} {adoption:?}"
            );
            assert_eq!(refused(&plan, 0), (!taken).then_some(Reason::AlreadyExists), "{what} {adoption:?}");
            assert!(
                !plan.steps.iter().any(|step| matches!(step.write, Write::IssueSecret(_))),
                "its secret stays: {what}"
            );
        }
    }
}

/// It gets its name back in the same plan, and its members may sign in meanwhile.
#[test]
fn a_group_of_ours_that_somebody_has_renamed_is_let_in_all_the_while() {
    let mut snapshot = with_group(empty(), "team", &["alice"]);
    snapshot.groups.get_mut(&GroupId::observed("team")).expect("a group").name = "renamed".to_owned();
    let snapshot = with_client(snapshot, "pve", json!({}), &["team"]);
    let known = Some(GroupId::observed("team"));
    let team = Object { known, ..group("team", &[]).holding(&[(group_claim("team"), CREATED)]) };
    let mut objects = vec![team, ours(&["team"])];
    let mut model = Model::new(snapshot);
    let written = model.settle(&mut objects);
    assert!(matches!(&written[..], [Write::UpdateGroup { name, .. }] if name == "team"), "{written:?}");
}

/// An object for our client whose spec says this of who may sign in; no reference leads anywhere.
fn letting_in(allowed: &Value) -> Object {
    let spec = json!({"connectionRef": {"name": "id"}, "callbackUrls": ["https://pve.example.com:8006"],
                      "allowedGroups": allowed});
    let client = PocketIdClient::new("pve", serde_json::from_value(spec).expect("a spec"));
    let Wants { wanted, refusals } = of_client(&client, &References::default());
    Object { wanted, refusals, ..ours(&[]) }
}

/// As it does while the object of a group is made anew.
#[test]
fn nobody_is_shut_out_while_a_group_reference_leads_nowhere() {
    let snapshot = with_client(with_group(with_group(empty(), "team", &[]), "more", &[]), "pve", json!({}), &["team"]);
    let (nowhere, more) = (json!({"groupRef": {"name": "team"}}), json!({"group": "more"}));
    for (what, allowed, expected) in [
        ("a reference leads nowhere", json!([nowhere]), None),
        ("and another group is let in", json!([nowhere, more]), Some(&["more", "team"][..])),
        ("the reference is gone from the spec", json!([]), Some(&[])),
        ("and another group is let in then", json!([more]), Some(&["more"])),
    ] {
        assert_eq!(allows(&planned(&[letting_in(&allowed)], &snapshot)), expected.map(groups), "{what}");
    }
}
