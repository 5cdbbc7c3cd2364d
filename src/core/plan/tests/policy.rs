//! Ways to more than was written down, each closed by one rule of the policy: without that rule it would be open.

use super::fixtures::*;
use crate::api::policy::{ConnectionPolicy, OnRevoke, PolicyRule};
use crate::api::refs::ConnectionKind;
use crate::core::claim::{Content, Entry, Origin, Progress, Scope, Thing, Wanted};
use crate::core::fields::Wishes;
use crate::core::ids::{AclKey, AclPath, GroupId, RealmId, RoleId, Subject, TokenId, UserId};
use crate::core::object::{Adoption, Deletion, Mode};
use crate::core::plan::{Memory, plan};
use crate::core::policy::Policy;
use crate::core::realm::RealmContent;
use crate::core::snapshot::{Role, Snapshot};

use super::super::*;

/// A PVE with an administrator, a group of such, and a tenant's things.
fn standing() -> Snapshot {
    let claims = [
        group("admins"),
        group("admins-corp"),
        group("team-a"),
        user("boss@corp"),
        user("ann@pve"),
        member("admins", "boss@corp"),
        pool("a"),
        guest("a", "101"),
    ];
    let mut snapshot = with(empty(), claims);
    let roles = snapshot.roles.as_mut().expect("read");
    for (role, privileges) in [("Admin", ["User.Modify", "VM.Audit"].as_slice()), ("Viewer", &["VM.Audit"])] {
        let privileges = privileges.iter().map(|name| (*name).to_owned()).collect();
        roles.insert(RoleId::observed(role), Role { privileges, special: false });
    }
    let entries =
        [acl("/", "Admin", "group admins"), acl("/", "Admin", "group admins-corp"), acl("/", "Admin", "user ops@pve")];
    for entry in entries {
        snapshot.acl.as_mut().expect("read").insert(entry, true);
    }
    snapshot
}

fn acl(path: &str, role: &str, subject: &str) -> AclKey {
    let (kind, id) = subject.split_once(' ').expect("a kind and an id");
    let subject = match kind {
        "group" => Subject::Group(GroupId::observed(id)),
        "user" => Subject::User(UserId::observed(id)),
        _ => Subject::Token(TokenId::observed(id)),
    };
    AclKey { path: AclPath::parse(path).expect("a path"), subject, role: RoleId::observed(role) }
}

fn grant(path: &str, role: &str, subject: &str) -> Wanted {
    wanted(Claim::Acl(acl(path, role, subject)))
}

fn with_field(thing: Thing, name: &'static str, value: &str) -> Wanted {
    let mut wishes = Wishes::default();
    wishes.value(name, value);
    Wanted::new(thing, Content::Fields(wishes))
}

fn token(id: &str, separated: bool) -> Wanted {
    with_field(Thing::Token(TokenId::observed(id)), "privsep", if separated { "1" } else { "0" })
}

fn role_with(id: &str, privileges: &str) -> Wanted {
    with_field(Thing::Role(RoleId::observed(id)), "privs", privileges)
}

fn realm(id: &str) -> Wanted {
    let content = RealmContent { kind: "openid", options: Default::default(), check_connection: false };
    Wanted::new(Thing::Realm(RealmId::observed(id)), Content::Realm(content))
}

fn put(pool: &str, number: &str) -> Wanted {
    Wanted::new(guest(pool, number), Content::PoolMember { allow_move: true })
}

fn texts(texts: &[&str]) -> Option<Vec<String>> {
    Some(texts.iter().map(|text| (*text).to_owned()).collect())
}

/// What a tenant of the cluster is allowed.
fn tenant() -> ConnectionPolicy {
    ConnectionPolicy {
        rules: vec![PolicyRule {
            namespaces: texts(&["default"]),
            kinds: None,
            paths: texts(&["/pool/a", "/vms/100"]),
            roles: texts(&["Viewer", "Team*", "Admin", "NoAccess"]),
            realms: texts(&["pve", "pam", "corp"]),
            group_ids: texts(&["team-*", "admins-corp"]),
            user_ids: texts(&["ann@pve", "ci-*@pve", "root@pam", "boss@corp"]),
        }],
        ..ConnectionPolicy::default()
    }
}

fn parsed(policy: &ConnectionPolicy) -> Policy {
    Policy::parse(Some(policy), ConnectionKind::ClusterProxmoxConnection).expect("a policy")
}

fn planned(object: &Object, snapshot: &Snapshot, policy: &ConnectionPolicy) -> Plan {
    let (objects, policies) = (std::slice::from_ref(object), [parsed(policy)]);
    plan(&Input { objects, snapshot, memory: &Memory::default(), policies: &policies, frozen: None, now: 0 })
}

/// Opens one thing of a policy.
type Open = fn(&mut ConnectionPolicy);

fn no_denied(policy: &mut ConnectionPolicy) {
    policy.denied_privileges = Some(Vec::new());
}

#[test]
fn every_way_to_more_is_closed_by_the_rule_against_it() {
    let paths: Open = |policy| policy.rules[0].paths = None;
    let roles: Open = |policy| policy.rules[0].roles = None;
    let groups: Open = |policy| policy.rules[0].group_ids = None;
    let users: Open = |policy| policy.rules[0].user_ids = None;
    let realms: Open = |policy| policy.rules[0].realms = None;
    let nothing: fn(&mut Snapshot) = |_| {};
    type Attack = (&'static str, fn(&mut Snapshot), Wanted, &'static str, Open);
    let attacks: Vec<Attack> = vec![
        ("an entry from above", nothing, grant("/vms", "Viewer", "group team-a"), "path /vms is not within", paths),
        ("an entry at the root", nothing, grant("/", "Viewer", "group team-a"), "path / is not within", paths),
        ("a path that begins alike", nothing, grant("/vms/1001", "Viewer", "group team-a"), "/vms/1001", paths),
        ("a pool that begins alike", nothing, grant("/pool/ab", "Viewer", "group team-a"), "/pool/ab", paths),
        ("another role", nothing, grant("/pool/a/x", "A", "group team-a"), "role A is not among", roles),
        ("a role by case", nothing, grant("/pool/a/x", "viewer", "group team-a"), "role viewer", roles),
        ("a group of others", nothing, wanted(group("admins")), "group admins is not among", |policy| {
            policy.rules[0].group_ids = None;
            no_denied(policy);
        }),
        ("a group by case", nothing, wanted(group("Team-a")), "group Team-a", groups),
        ("a group by its ending", nothing, wanted(group("my-team-a")), "group my-team-a", groups),
        ("a user that looks alike", nothing, wanted(user("\u{430}nn@pve")), "is not among ann@pve", users),
        ("a user of another realm", nothing, wanted(user("ann@other")), "realm other", |policy| {
            policy.rules[0].realms = None;
            policy.rules[0].user_ids = None;
        }),
        ("a realm of others", nothing, realm("other"), "realm other is not among", realms),
        ("a guest that is not one's own", nothing, put("a", "102"), "/vms/102", paths),
        ("a pool with guests of others in it", nothing, grant("/pool/a", "Viewer", "group team-a"), "/vms/101", paths),
        (
            "a role that is used elsewhere",
            |pve| {
                pve.acl.as_mut().expect("read").insert(acl("/vms", "Team", "group team-a"), true);
            },
            role_with("Team", "VM.Audit"),
            "path /vms is not within",
            paths,
        ),
        ("a role with a denied privilege", nothing, role_with("Team", "VM.Audit,Sys.Modify"), "Sys.Modify", no_denied),
        (
            "a role that was edited after the grant",
            |pve| {
                let roles = pve.roles.as_mut().expect("read");
                roles
                    .get_mut(&RoleId::observed("Viewer"))
                    .expect("a role")
                    .privileges
                    .insert("Permissions.Modify".to_owned());
            },
            grant("/pool/a/x", "Viewer", "group team-a"),
            "Permissions.Modify",
            no_denied,
        ),
        ("a role with everything", nothing, grant("/pool/a/x", "Admin", "group team-a"), "User.Modify", no_denied),
        (
            "into a group that was made privileged",
            |pve| {
                pve.acl.as_mut().expect("read").insert(acl("/", "Admin", "group team-a"), true);
            },
            wanted(member("team-a", "ann@pve")),
            "group team-a has User.Modify by Admin on /",
            no_denied,
        ),
        (
            "a group whose name entries wait for",
            |pve| {
                pve.acl.as_mut().expect("read").insert(acl("/", "Admin", "group team-new"), true);
            },
            wanted(group("team-new")),
            "group team-new has User.Modify",
            no_denied,
        ),
        (
            "an administrator as one's own user",
            nothing,
            wanted(user("boss@corp")),
            "in a group: group admins",
            no_denied,
        ),
        ("root as one's own user", nothing, wanted(user("root@pam")), "root@pam may do everything", no_denied),
        ("a token of root", nothing, token("root@pam!mine", true), "root@pam may do everything", no_denied),
        ("a token with all of its user", nothing, token("ann@pve!all", false), "privilegeSeparation", |policy| {
            policy.allow_tokens_without_privsep = Some(true);
        }),
        (
            "a token whose name an entry waits for",
            |pve| {
                pve.acl.as_mut().expect("read").insert(acl("/", "Admin", "token ann@pve!ci"), true);
            },
            token("ann@pve!ci", true),
            "token ann@pve!ci has User.Modify",
            no_denied,
        ),
        (
            "a realm whose groups are administrators",
            nothing,
            realm("corp"),
            "a login of this realm could become",
            no_denied,
        ),
        ("the realm of root", nothing, realm("pam"), "root@pam is in it", no_denied),
        (
            "an administrator cut off on a path",
            |pve| {
                pve.acl.as_mut().expect("read").insert(acl("/", "Admin", "user ann@pve"), true);
            },
            grant("/pool/a/x", "NoAccess", "user ann@pve"),
            "user ann@pve has User.Modify",
            no_denied,
        ),
    ];
    for (name, damage, claim, words, open) in attacks {
        let mut snapshot = standing();
        damage(&mut snapshot);
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
fn one_rule_must_fit_all_of_an_object() {
    let rule =
        |path: &str, role: &str| PolicyRule { paths: texts(&[path]), roles: texts(&[role]), ..PolicyRule::default() };
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
    let plan = plan(&Input {
        objects,
        snapshot: &snapshot,
        memory: &Memory::default(),
        policies: &[policy],
        frozen: None,
        now: 0,
    });
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

fn held(claim: Claim, origin: Origin) -> (Claim, Entry) {
    (claim, Entry { origin, progress: Progress::Applied })
}

/// An object with two entries, one made and one taken over, for a group that no rule allows any more.
fn revoked(mode: Mode, deletion: Option<Deletion>) -> (Object, Snapshot) {
    let (made, adopted) = (entry("/vms/100", "A", "team-a"), entry("/vms/100", "B", "team-a"));
    let snapshot = with(empty(), [group("team-a"), made.clone(), adopted.clone()]);
    let ledger = [held(made.clone(), Origin::Created), held(adopted.clone(), Origin::Adopted)].into();
    (Object { mode, deletion, ledger, ..object("o", [made, adopted]) }, snapshot)
}

#[test]
fn what_is_no_longer_allowed_stays_or_goes_as_the_policy_says() {
    let (object, snapshot) = revoked(Mode::Manage, None);
    let keep = planned(&object, &snapshot, &ConnectionPolicy::default());
    assert!(keep.steps.is_empty());
    assert_eq!(keep.verdicts[0].ledger, object.ledger, "it stays in the object's hands");
    let remove = ConnectionPolicy { on_revoke: Some(OnRevoke::Remove), ..ConnectionPolicy::default() };
    let removed = planned(&object, &snapshot, &remove);
    let claims: Vec<String> = removed.steps.iter().flat_map(|step| &step.claims).map(ToString::to_string).collect();
    assert_eq!(claims, ["ACL entry A for group team-a on /vms/100"], "only what was made for it");
    assert_eq!(refusal(&removed, 0).0, Reason::PolicyDenied);
}

#[test]
fn what_was_made_can_always_be_deleted_and_what_was_taken_over_stays() {
    for deletion in [None, Some(Deletion::Delete)] {
        let (object, snapshot) = revoked(Mode::Deleting, deletion);
        let plan = planned(&object, &snapshot, &ConnectionPolicy::default());
        let claims: Vec<String> = plan.steps.iter().flat_map(|step| &step.claims).map(ToString::to_string).collect();
        assert_eq!(claims, ["ACL entry A for group team-a on /vms/100"], "{deletion:?}");
        assert_eq!(plan.verdicts[0].left, [entry("/vms/100", "B", "team-a")]);
    }
}

#[test]
fn an_exact_set_removes_nothing_that_its_object_may_not_touch() {
    let policy = ConnectionPolicy {
        rules: vec![PolicyRule { group_ids: texts(&["team-*"]), ..PolicyRule::default() }],
        ..ConnectionPolicy::default()
    };
    let foreign = [entry("/pool/a", "A", "others"), entry("/pool/a", "A", "team-b")];
    let snapshot =
        with(empty(), [group("team-a"), group("team-b"), group("others"), pool("a")].into_iter().chain(foreign));
    let exact = [Scope::Entries(AclPath::parse("/pool/a").expect("a path"))].into();
    let object = Object { exact, ..object("o", [entry("/pool/a", "A", "team-a")]) };
    let plan = planned(&object, &snapshot, &policy);
    let removed: Vec<String> = plan
        .steps
        .iter()
        .filter(|it| it.purpose == Purpose::Remove)
        .flat_map(|it| &it.claims)
        .map(ToString::to_string)
        .collect();
    assert_eq!(removed, ["ACL entry A for group team-b on /pool/a"]);
    assert_eq!(refusal(&plan, 0).0, Reason::PolicyDenied, "and it is told");
}

#[test]
fn another_namespace_learns_nothing_of_whom_it_loses_to() {
    let of = |namespace: &str, created| {
        let key = ObjectKey { kind: "Test", namespace: namespace.to_owned(), name: format!("of-{namespace}") };
        Object { key, created, ..object("o", [group("g")]) }
    };
    let plan = one(&[of("a", 1), of("b", 2)], &empty());
    let (reason, message) = refusal(&plan, 1);
    assert_eq!(reason, Reason::Conflict);
    assert!(message.contains("an object of another namespace") && !message.contains("of-a"), "{message}");
    let plan = one(
        &[of("a", 1), Object { key: ObjectKey { name: "second".into(), ..of("a", 2).key }, ..of("a", 2) }],
        &empty(),
    );
    assert!(refusal(&plan, 1).1.contains("Test of-a"));
}

#[test]
fn a_namespace_that_may_not_use_the_connection_gets_nothing() {
    let object = Object { admitted: false, ..object("o", [group("g")]) };
    let plan = one(std::slice::from_ref(&object), &empty());
    assert!(plan.steps.is_empty());
    assert!(refusal(&plan, 0).1.contains("allowedNamespaces"));
}
