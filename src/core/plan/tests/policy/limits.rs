//! What a policy allows, and whom it tells what.

use super::super::fixtures::*;
use super::*;

#[test]
fn one_rule_must_fit_all_of_an_object() {
    let rule = |path: &str, role: &str| PolicyRule {
        paths: Some(texts(&[path])),
        roles: Some(texts(&[role])),
        ..PolicyRule::default()
    };
    let policy =
        ConnectionPolicy { rules: vec![rule("/vms/100", "A"), rule("/pool/a", "B")], ..ConnectionPolicy::default() };
    let snapshot = with(empty(), [group("team-a")]);
    for (path, role, fits) in [("/vms/100", "A", true), ("/pool/a", "B", true), ("/vms/100", "B", false)] {
        let plan = planned(&object("o", [entry(path, role, "team-a")]), &snapshot, &policy);
        assert_eq!(!plan.verdicts[0].denied, fits, "{path} {role}");
    }
    let both = object("o", [entry("/vms/100", "A", "team-a"), entry("/pool/a", "B", "team-a")]);
    assert!(planned(&both, &snapshot, &policy).verdicts[0].denied, "no rule fits both");
}

#[test]
fn a_cluster_connection_without_rules_allows_nothing_and_another_one_everything() {
    let (object, snapshot) = (object("o", [entry("/", "A", "team-a")]), with(empty(), [group("team-a")]));
    let (reason, message) = refusal(&planned(&object, &snapshot, &ConnectionPolicy::default()), 0);
    assert_eq!(reason, Reason::PolicyDenied);
    assert!(message.contains("no rule is for"), "{message}");
    let policy = Policy::parse(None, ConnectionKind::ProxmoxConnection).expect("a policy");
    let objects = std::slice::from_ref(&object);
    let plan = plan(&Input { policies: &[policy], ..input(objects, &snapshot, &Memory::default()) });
    assert!(!plan.verdicts[0].denied && plan.steps.len() == 1);
}

#[test]
fn what_cannot_be_seen_is_not_allowed() {
    let mut snapshot = with(empty(), [group("team-a")]);
    snapshot.permissions = permissions(&[("/access/groups", &["Group.Allocate", "User.Modify"])]);
    let rules = vec![PolicyRule::default()];
    let plan =
        planned(&object("o", [group("team-a")]), &snapshot, &ConnectionPolicy { rules, ..ConnectionPolicy::default() });
    let (reason, message) = refusal(&plan, 0);
    assert_eq!(reason, Reason::Forbidden);
    assert!(message.contains("Sys.Audit on /access"), "{message}");
}

#[test]
fn a_denial_is_the_same_in_every_pass() {
    let mut snapshot = standing();
    for group in ["admins-corp", "team-a", "team-ann"] {
        snapshot = with(snapshot, [member(group, "boss@corp")]);
        snapshot.acl.as_mut().expect("read").insert(acl("/", "Admin", &format!("group {group}")), true);
    }
    let object = object("o", [user("boss@corp")]);
    let said: BTreeSet<String> = (0..20).map(|_| refusal(&planned(&object, &snapshot, &tenant()), 0).1).collect();
    assert_eq!(said.len(), 1, "{said:?}");
}
