//! What people may do.

use std::collections::BTreeSet;

use proxmox_identity::api::crd;
use proxmox_identity::sim::control_plane::ControlPlane;
use serde_json::Value;

use crate::helm::{RELEASE, done, helm_on, installable, of_kind, rendered, texts};

/// The plurals of all kinds, and of those that are not in a namespace.
fn plurals() -> (BTreeSet<String>, BTreeSet<String>) {
    let all = crd::all();
    let of_cluster = all.iter().filter(|crd| crd.spec.scope == "Cluster").map(|crd| crd.spec.names.plural.clone());
    (all.iter().map(|crd| crd.spec.names.plural.clone()).collect(), of_cluster.collect())
}

fn role<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let roles = of_kind(objects, kind);
    roles.into_iter().find(|role| role["metadata"]["name"] == name).unwrap_or_else(|| panic!("no {kind} {name}"))
}

/// The resources of our group in the rules that have a verb.
fn resources(role: &Value, verb: &str) -> BTreeSet<String> {
    let rules = role["rules"].as_array().expect("rules").iter();
    let ours = rules.filter(|rule| texts(&rule["apiGroups"]) == ["proxmox-identity.dev"]);
    let ours = ours.filter(|rule| texts(&rule["verbs"]).contains(&verb));
    ours.flat_map(|rule| texts(&rule["resources"])).map(str::to_owned).collect()
}

#[test]
fn the_operator_may_work_on_every_kind() {
    let (all, of_cluster) = plurals();
    let statuses = |kinds: &BTreeSet<String>| kinds.iter().map(|kind| format!("{kind}/status")).collect::<Vec<_>>();
    let objects = rendered(&[]);
    let everywhere = role(&objects, "ClusterRole", RELEASE);
    let objects = rendered(&["--set", "watchNamespace=here"]);
    let here = role(&objects, "Role", RELEASE);
    let namespaced: BTreeSet<String> = all.difference(&of_cluster).cloned().collect();
    for (role, kinds) in [(everywhere, &all), (here, &namespaced)] {
        assert_eq!(&resources(role, "list"), kinds);
        assert_eq!(&resources(role, "watch"), kinds);
        assert!(resources(role, "patch").is_superset(&statuses(kinds).into_iter().collect()));
    }
}

#[test]
fn secrets_are_read_by_name_and_written_and_nothing_else() {
    for set in ["watchNamespace=", "watchNamespace=here"] {
        let objects = rendered(&["--set", set]);
        let roles = of_kind(&objects, "ClusterRole").into_iter().chain(of_kind(&objects, "Role"));
        let granted = roles.flat_map(|role| role["rules"].as_array().expect("rules"));
        let about: Vec<_> = granted.filter(|rule| texts(&rule["resources"]).contains(&"secrets")).collect();
        assert_eq!(about.len(), 1, "{set}");
        assert_eq!(texts(&about[0]["verbs"]), ["get", "create", "patch"]);
    }
}

#[test]
fn every_kind_is_for_everyday_or_for_the_powerful_and_no_status_is() {
    let objects = rendered(&[]);
    let [view, edit, admin] =
        ["view", "edit", "identity-admin"].map(|name| role(&objects, "ClusterRole", &format!("{RELEASE}-{name}")));
    let everyday = resources(view, "get");
    assert_eq!(everyday, resources(edit, "update"));
    let powerful = resources(admin, "update");
    assert!(everyday.is_disjoint(&powerful));
    assert_eq!(everyday.union(&powerful).cloned().collect::<BTreeSet<_>>(), plurals().0);
    for people in [view, edit, admin] {
        let all = people["rules"].as_array().expect("rules").iter().flat_map(|rule| texts(&rule["resources"]));
        assert!(all.into_iter().all(|resource| !resource.contains(['/', '*'])));
    }
    let label = |role: &Value, to: &str| {
        role["metadata"]["labels"].get(format!("rbac.authorization.k8s.io/aggregate-to-{to}")).is_some()
    };
    assert_eq!(["view", "edit", "admin"].map(|to| label(view, to)), [true, true, true]);
    assert_eq!(["view", "edit", "admin"].map(|to| label(edit, to)), [false, true, true]);
    assert_eq!(["view", "edit", "admin"].map(|to| label(admin, to)), [false, false, false]);
}

#[tokio::test]
async fn editors_of_a_namespace_write_groups_and_no_permissions() {
    let plane = ControlPlane::start().await.unwrap_or_else(|error| panic!("no control plane: {error}"));
    let chart = installable();
    let _controllers = plane.controller_manager().expect("controllers");
    done(helm_on(&plane).args(["install", RELEASE]).arg(chart.path()));
    for (user, role) in
        [("vera", "view"), ("eddy", "edit"), ("ada", "admin"), ("ida", "proxmox-identity-identity-admin")]
    {
        let role = format!("--clusterrole={role}");
        done(plane.kubectl().args(["create", "rolebinding", user, &role, &format!("--user={user}")]));
    }
    let may = |user: &str, verb: &str, resource: &str| {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let (what, sub) = (format!("{resource}.proxmox-identity.dev"), format!("--subresource={subresource}"));
        let mut kubectl = plane.kubectl();
        let answer = kubectl.args(["auth", "can-i", verb, &what, &sub, "--as", user]).output().expect("it runs");
        String::from_utf8_lossy(&answer.stdout).trim() == "yes"
    };
    let patience = std::time::Instant::now();
    while !(may("ada", "create", "proxmoxgroups")
        && may("eddy", "create", "proxmoxgroups")
        && may("vera", "get", "proxmoxgroups"))
    {
        assert!(patience.elapsed().as_secs() < 60, "the roles are not aggregated");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    for (user, verb, resource, allowed) in [
        ("vera", "create", "proxmoxgroups", false),
        ("vera", "get", "proxmoxacls", false),
        ("eddy", "get", "proxmoxtokens", true),
        ("eddy", "delete", "proxmoxtokens", true),
        ("eddy", "create", "proxmoxacls", false),
        ("ada", "create", "proxmoxconnections", false),
        ("ada", "patch", "proxmoxgroups/status", false),
        ("ida", "create", "proxmoxacls", true),
        ("ida", "patch", "proxmoxacls/status", false),
    ] {
        assert_eq!(may(user, verb, resource), allowed, "{user} {verb} {resource}");
    }
}
