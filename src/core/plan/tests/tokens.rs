//! Entries of a token that is made anew: before 9.2 PVE drops them with its former self.

use std::collections::{BTreeMap, BTreeSet};

use super::fixtures::*;
use crate::api::object::System;
use crate::api::status::SecretState;
use crate::core::claim::{Content, Entry, Origin, Progress, Scope, Thing, Wanted};
use crate::core::fields::Wishes;
use crate::core::ids::{AclKey, AclPath, RoleId, Subject, TokenId};
use crate::core::object::{Adoption, Deletion, Mode};
use crate::core::plan::*;
use crate::core::snapshot::{Credential, HeldPermissions};
use crate::core::token::{Issued, Kept, Token, Wish};
use crate::core::version::PveVersion;
use crate::core::write::{AclBatch, AclChange};

/// The path of an entry that no object of ours has.
const STRANGERS: &str = "/strangers";
/// The path of an entry that one has.
const OURS: &str = "/ours";

fn token() -> TokenId {
    TokenId::observed("u@pve!t")
}

fn on(path: &str) -> Claim {
    let path = AclPath::parse(path).expect("a path");
    Claim::Acl(AclKey { path, subject: Subject::Token(token()), role: RoleId::observed("A") })
}

/// A token with a delivered secret, for which another one is asked.
fn rotated() -> Object {
    let mut rotated = object("token", []);
    let claim = Claim::from(Thing::Token(token()));
    rotated.ledger.insert(claim.clone(), Entry { origin: Origin::Created, progress: Progress::Applied });
    rotated.wanted = vec![Wanted::new(claim, Content::Fields(Wishes::default()))];
    let wish = Wish {
        lifetime: None,
        replace_after: None,
        rotate_lost: true,
        requested: Some("again".to_owned()),
        secret_name: "token".to_owned(),
        system: System::ProxmoxVe,
    };
    let issued = Issued { state: SecretState::Delivered, issue: 1, at: Some(0), handled: None, restoring: Vec::new() };
    let kept = Kept::Ours { issue: 1, holds: true };
    rotated.token = Some(Token { wish, issued: Some(issued), kept, in_hand: false, now: 1 });
    rotated
}

/// An object that made the entry on [`OURS`].
fn holder() -> Object {
    let mut holder = object("entries", [on(OURS)]);
    holder.ledger.insert(on(OURS), Entry { origin: Origin::Created, progress: Progress::Applied });
    holder
}

/// These privileges, as they are shown: on each path that has entries too.
fn everywhere(names: &[&str]) -> HeldPermissions {
    permissions(&["/", "/access", "/access/groups", STRANGERS, OURS].map(|path| (path, names)))
}

/// What stands before the secret is asked for.
fn before() -> Snapshot {
    let mut snapshot = with(empty(), [user("u@pve"), on(STRANGERS), on(OURS)]);
    snapshot.version = PveVersion::observed("9.1.4");
    snapshot.permissions = everywhere(ALL);
    snapshot.apply(&Write::create(Thing::Token(token()), BTreeMap::new()));
    snapshot
}

/// Plans and stores what is intended, and does so many of the steps; the paths on which entries were made.
fn pass(objects: &mut [Object], snapshot: &mut Snapshot, steps: usize) -> Vec<String> {
    let plan = one(objects, snapshot);
    let mut granted = Vec::new();
    let paths = |change: fn(AclChange) -> bool| -> BTreeSet<AclPath> {
        let batches = plan.steps.iter().filter_map(|step| match &step.write {
            Write::Acl(batch) if change(batch.change) => Some(batch.path.clone()),
            _ => None,
        });
        batches.collect()
    };
    let (grants, revokes) = (paths(|it| it != AclChange::Revoke), paths(|it| it == AclChange::Revoke));
    assert!(grants.is_disjoint(&revokes), "granted and revoked in one plan: {:?}", plan.steps);
    for (object, verdict) in objects.iter_mut().zip(&plan.verdicts) {
        object.ledger.clone_from(&verdict.ledger);
        if let Some(token) = &mut object.token {
            token.issued.clone_from(&verdict.token);
        }
    }
    for step in plan.steps.into_iter().take(steps) {
        snapshot.apply(&step.write);
        match step.write {
            Write::Acl(batch) if batch.change != AclChange::Revoke => granted.push(batch.path.as_str().to_owned()),
            Write::Create { thing: Thing::Token(_), .. } => {
                let token = objects[0].token.as_mut().expect("a token");
                token.kept = Kept::Ours { issue: step.issue.expect("its answer shows the secret"), holds: true };
            }
            _ => {}
        }
    }
    granted
}

/// The token is given a new secret and the operator is killed after so many steps; then `change` is done to the holder.
/// Which entries stand at the end, and which were made after the kill.
fn interrupted(after: usize, holder: Object, change: impl Fn(&mut Object)) -> (BTreeSet<Claim>, Vec<String>) {
    let (mut objects, mut snapshot) = ([rotated(), holder], before());
    pass(&mut objects, &mut snapshot, after);
    change(&mut objects[1]);
    let mut granted = Vec::new();
    for _ in 0..4 {
        granted.extend(pass(&mut objects, &mut snapshot, usize::MAX));
    }
    let issued = objects[0].token.as_ref().and_then(|token| token.issued.as_ref()).expect("a secret was issued");
    let expected = (SecretState::Delivered, 2, &Vec::new());
    let plan = one(&objects, &snapshot);
    assert!(plan.steps.is_empty(), "it has come to rest");
    assert_eq!((issued.state, issued.issue, &issued.restoring), expected, "after {after}: {:?}", plan.verdicts[0]);
    granted.sort();
    (stands(&snapshot).into_iter().filter(|claim| matches!(claim, Claim::Acl(_))).collect(), granted)
}

/// A change of an object.
type Change = fn(&mut Object);

#[test]
fn entries_of_a_token_that_is_made_anew_come_back_once_but_for_those_that_are_given_up() {
    let both = [on(OURS), on(STRANGERS)];
    let strangers = [on(STRANGERS)];
    let cases: [(&str, Change, Change, &[Claim]); 11] = [
        ("nothing else happens", |_| {}, |_| {}, &both),
        ("given up while the secret is asked for", |object| object.wanted.clear(), |_| {}, &strangers),
        ("given up after the kill", |_| {}, |object| object.wanted.clear(), &strangers),
        ("its object is deleted", |_| {}, |object| object.mode = Mode::Deleting, &strangers),
        (
            "its object is deleted and leaves it",
            |_| {},
            |object| (object.mode, object.deletion) = (Mode::Deleting, Some(Deletion::Orphan)),
            &both,
        ),
        ("its object is suspended after the kill", |_| {}, |object| object.mode = Mode::Suspended, &both),
        ("its object only observes after the kill", |_| {}, |object| object.mode = Mode::Observe, &both),
        ("its object is suspended", |object| object.mode = Mode::Suspended, |_| {}, &both),
        ("and goes on", |object| object.mode = Mode::Suspended, |object| object.mode = Mode::Manage, &both),
        (
            "and gives it up then",
            |object| object.mode = Mode::Suspended,
            |object| {
                object.mode = Mode::Manage;
                object.wanted.clear();
            },
            &strangers,
        ),
        (
            "the path is owned exactly",
            |object| {
                object.exact.insert(Scope::Entries(AclPath::observed(STRANGERS)));
            },
            |_| {},
            &[on(OURS)],
        ),
    ];
    for (case, at_first, after_the_kill, expected) in cases {
        for steps in 0..=5 {
            let mut holder = holder();
            at_first(&mut holder);
            let (stands, granted) = interrupted(steps, holder, |object| {
                after_the_kill(object);
                if object.mode == Mode::Deleting {
                    object.wanted.clear();
                }
            });
            assert_eq!(stands, expected.iter().cloned().collect(), "{case}, killed after {steps} steps");
            let once: BTreeSet<&String> = granted.iter().collect();
            assert_eq!(once.len(), granted.len(), "{case}, killed after {steps} steps: {granted:?}");
        }
    }
}

#[test]
fn a_token_whose_entries_would_not_come_back_keeps_its_secret() {
    let without = |name: &'static str| -> Vec<&str> { ALL.iter().copied().filter(|it| *it != name).collect() };
    for (lacking, needs) in [("Permissions.Modify", "Permissions.Modify on /ours"), ("Sys.Audit", "Sys.Audit")] {
        let mut snapshot = before();
        let rights = without(lacking);
        snapshot.permissions = everywhere(&rights);
        let objects = [rotated(), holder()];
        let plan = one(&objects, &snapshot);
        assert!(plan.steps.is_empty(), "{:?}", plan.steps);
        let (reason, message) = refusal(&plan, 0);
        assert!(reason == Reason::Forbidden && message.contains(needs), "{message}");
        assert_eq!(plan.verdicts[0].token, objects[0].token.as_ref().and_then(|token| token.issued.clone()));
    }
}

#[test]
fn what_others_do_for_a_token_that_is_made_anew_comes_after_that() {
    let mut newcomer = object("entries", [on("/new")]);
    newcomer.adoption = Adoption::Always;
    let plan = one(&[rotated(), newcomer], &before());
    let at = |is: &dyn Fn(&Write) -> bool| {
        plan.steps
            .iter()
            .position(|step| is(&step.write))
            .unwrap_or_else(|| panic!("no such step: {:?}", plan.verdicts))
    };
    let made = at(&|write| matches!(write, Write::Create { thing: Thing::Token(_), .. }));
    let granted = at(&|write| matches!(write, Write::Acl(batch) if batch.path.as_str() == "/new"));
    assert!(made < granted, "{:?}", plan.steps);
    assert!(plan.steps.iter().all(|step| step.falls.is_empty()), "nothing is said to fall: it comes back");
}

#[test]
fn what_comes_back_is_the_tokens_also_where_its_request_is_split() {
    let mut snapshot = before();
    let roles = ["A", "B"].map(RoleId::observed).into();
    let subjects = [Subject::Token(token())].into();
    let path = AclPath::observed(OURS);
    snapshot.apply(&Write::Acl(AclBatch { path, roles, subjects, change: AclChange::Grant { propagate: true } }));
    let plan = one(&[rotated()], &snapshot);
    let both = |step: &&Step| matches!(&step.write, Write::Acl(batch) if batch.roles.len() == 2);
    let step = plan.steps.iter().find(both).expect("one request for both roles");
    let (left, right) = step.split(FailureKind::Forbidden).expect("a role may be refused");
    for part in [left, right] {
        assert_eq!((part.claims, part.owners), (step.claims.clone(), step.owners.clone()));
    }
}

#[test]
fn a_new_secret_that_would_lock_the_operator_out_is_not_asked_for() {
    let mut snapshot = before();
    snapshot.credential = Credential::Token(token());
    let objects = [rotated()];
    let plan = one(&objects, &snapshot);
    assert!(plan.steps.is_empty() && refusal(&plan, 0).0 == Reason::WouldLockOut, "{:?}", plan.verdicts[0]);
    assert_eq!(plan.verdicts[0].token, objects[0].token.as_ref().and_then(|token| token.issued.clone()));
}
