//! Ways to more than was written down, each closed by one rule of the policy: without that rule it would be open.

use super::super::fixtures::*;
use super::*;
use crate::core::object::Adoption;

/// A way to more than was written down.
struct Attack {
    name: &'static str,
    /// Entries that stand beside, of the role Admin on `/`.
    privileged: &'static [&'static str],
    claim: Wanted,
    /// What the refusal says.
    words: &'static str,
    /// Takes the rule against it out of the policy.
    open: fn(&mut ConnectionPolicy),
}

fn paths(policy: &mut ConnectionPolicy) {
    policy.rules[0].paths = None;
}

fn roles(policy: &mut ConnectionPolicy) {
    policy.rules[0].roles = None;
}

fn realms(policy: &mut ConnectionPolicy) {
    policy.rules[0].realms = None;
    policy.rules[0].user_ids = None;
}

fn groups(policy: &mut ConnectionPolicy) {
    policy.rules[0].group_ids = None;
}

fn users(policy: &mut ConnectionPolicy) {
    policy.rules[0].user_ids = None;
}

fn denied(policy: &mut ConnectionPolicy) {
    policy.denied_privileges = Some(Vec::new());
}

fn full_tokens(policy: &mut ConnectionPolicy) {
    policy.allow_tokens_without_privsep = Some(true);
}

fn attack(name: &'static str, claim: Wanted, words: &'static str, open: fn(&mut ConnectionPolicy)) -> Attack {
    Attack { name, privileged: &[], claim, words, open }
}

/// Past the rules, whatever stands.
fn past_the_rules() -> Vec<Attack> {
    let viewer = |path| grant(path, "Viewer", "group team-a");
    vec![
        attack("an entry from above", viewer("/vms"), "path /vms is not within", paths),
        attack("an entry at the root", viewer("/"), "path / is not within", paths),
        attack("a path that begins alike", viewer("/vms/1001"), "path /vms/1001 is not", paths),
        attack("a pool that begins alike", viewer("/pool/ab"), "path /pool/ab is not", paths),
        attack("a pool with guests of others in it", viewer("/pool/a"), "path /vms/101 is not", paths),
        attack("a guest that is not one's own", put("a", "102"), "path /vms/102 is not", paths),
        attack("a role that is used elsewhere", role_with("TeamUsed", "VM.Audit"), "path /vms is not within", paths),
        attack("another role", grant("/pool/a/x", "A", "group team-a"), "role A is not among", roles),
        attack("a role by case", grant("/pool/a/x", "viewer", "group team-a"), "role viewer is not", roles),
        attack("a group of others", wanted(group("others")), "group others is not among", groups),
        attack("a group by case", wanted(group("Team-a")), "group Team-a is not", groups),
        attack("a group by its ending", wanted(group("my-team-a")), "group my-team-a is not", groups),
        attack("a user that looks alike", wanted(user("\u{430}nn@pve")), "is not among ann@pve", users),
        attack("a user of another realm", wanted(user("ann@other")), "realm other is not", realms),
        attack("a guest out of a pool of others", put("a", "100"), "path /pool/other is not within", paths),
        attack(
            "a realm whose claim fills groups of others",
            realm_with("own", [("groups-claim", "groups")]),
            "group finance-own is not among",
            groups,
        ),
        attack(
            "the default flag of others",
            realm_with("own", [("default", "1")]),
            "realm others is not among",
            realms,
        ),
        attack("a realm of others", realm("other"), "realm other is not among", realms),
        attack("a token with all of its user", token("ann@pve!all", false), "privilegeSeparation", full_tokens),
    ]
}

/// To what somebody has who has more.
fn to_a_denied_privilege() -> Vec<Attack> {
    let of = |name, privileged, claim, words| Attack { name, privileged, claim, words, open: denied };
    let boss = "a login of this realm could become";
    vec![
        of("a role with a denied privilege", &[], role_with("Team", "VM.Audit,Sys.Modify"), "would have Sys.Modify"),
        of("a role that has one", &[], grant("/pool/a/x", "Admin", "group team-a"), "role Admin has User.Modify"),
        of(
            "into a group that was made privileged",
            &["group team-a"],
            wanted(member("team-a", "ann@pve")),
            "group team-a has User.Modify by Admin on /",
        ),
        of("a group that was made privileged", &["group team-a"], wanted(group("team-a")), "group team-a has"),
        of("a group whose name an entry waits for", &["group team-new"], wanted(group("team-new")), "team-new has"),
        of("a user whose name an entry waits for", &["user ci-1@pve"], wanted(user("ci-1@pve")), "ci-1@pve has"),
        of("an administrator as one's own user", &[], wanted(user("boss@corp")), "is in a group: group admins"),
        of("root as one's own user", &[], wanted(user("root@pam")), "root@pam may do everything"),
        of("a token of root", &[], token("root@pam!mine", true), "root@pam may do everything"),
        of("a token whose name an entry waits for", &["token ann@pve!ci"], token("ann@pve!ci", true), "!ci has"),
        of("a full token of an administrator", &["user ann@pve"], token("ann@pve!full", true), "user ann@pve has"),
        of(
            "an administrator cut off through a group",
            &["user ann@pve"],
            grant("/pool/a/x", "Viewer", "group team-ann"),
            "ann@pve is in team-ann and would have less there",
        ),
        of("a realm with an administrator in it", &[], realm("corp"), boss),
        of("a realm whose claim fills a privileged group", &["group x-pve"], realm("pve"), boss),
        of("the realm of root", &[], realm("pam"), "root@pam is in it"),
        of(
            "an administrator cut off on a path",
            &["user ann@pve"],
            grant("/pool/a/x", "NoAccess", "user ann@pve"),
            "user ann@pve has User.Modify",
        ),
    ]
}

#[test]
fn every_way_to_more_is_closed_by_the_rule_against_it() {
    for Attack { name, privileged, claim, words, open } in past_the_rules().into_iter().chain(to_a_denied_privilege()) {
        let mut snapshot = standing();
        for subject in privileged {
            snapshot.acl.as_mut().expect("read").insert(acl("/", "Admin", subject), true);
        }
        let object = Object { wanted: vec![claim], adoption: Adoption::Always, ..object("tenant", []) };
        let mut policy = tenant();
        let closed = planned(&object, &snapshot, &policy);
        let (reason, message) = refusal(&closed, 0);
        assert_eq!(reason, Reason::PolicyDenied, "{name}: {message}");
        assert!(message.contains(words), "{name}: {message}");
        assert!(closed.steps.is_empty(), "{name}");
        open(&mut policy);
        let opened = planned(&object, &snapshot, &policy);
        assert!(!opened.verdicts[0].denied, "{name} is denied by something else: {opened:?}");
    }
}

#[test]
fn a_role_that_is_edited_after_the_grant_takes_it_from_the_object() {
    let entry = grant("/pool/a/x", "Viewer", "group team-a");
    let object = Object { wanted: vec![entry], ..object("tenant", []) };
    let mut snapshot = standing();
    assert!(!planned(&object, &snapshot, &tenant()).verdicts[0].denied);
    let roles = snapshot.roles.as_mut().expect("read");
    let viewer = roles.get_mut(&RoleId::observed("Viewer")).expect("a role");
    viewer.privileges.insert("Permissions.Modify".to_owned());
    assert!(refusal(&planned(&object, &snapshot, &tenant()), 0).1.contains("role Viewer has Permissions.Modify"));
}
