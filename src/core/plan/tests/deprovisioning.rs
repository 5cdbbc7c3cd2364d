//! Users that are gone from the source of their realm.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::fixtures::*;
use crate::api::openid::OnRemoval;
use crate::core::claim::{Content, Entry, Origin, Progress, Scope, Thing, Wanted};
use crate::core::ids::{GroupId, RealmId, TokenId, UserId};
use crate::core::object::Mode;
use crate::core::plan::*;
use crate::core::realm::RealmContent;
use crate::core::roster::{Present, Roster};
use crate::core::snapshot::{Credential, Realm};

/// The realm with these users in its source, and the object that holds it.
fn realm(on_removal: OnRemoval, present: &str) -> Object {
    let id = RealmId::observed("oid");
    let content = Content::Realm(RealmContent { kind: "openid", options: BTreeMap::new(), check_connection: false });
    let claim = Claim::Thing(Thing::Realm(id.clone()));
    let unusable = |error: crate::core::roster::RosterError| Refusal::new(Reason::SourceUnusable, error.to_string());
    let present = Present::parse(present, &id).map_err(unusable);
    Object {
        ledger: [(claim.clone(), Entry { origin: Origin::Created, progress: Progress::Applied })].into(),
        roster: Some(Roster { realm: id, on_removal, present, confirmed: None }),
        wanted: vec![Wanted::new(claim, content)],
        ..object("realm", [])
    }
}

/// A realm with these users, and one of another realm in the same group.
fn pve(users: &[&str]) -> Snapshot {
    let mut snapshot = empty();
    let options = Some(Ok(BTreeMap::new()));
    let oid = Realm { kind: "openid".to_owned(), default: false, options };
    snapshot.realms.as_mut().expect("read").realms.insert(RealmId::observed("oid"), oid);
    let claims = users.iter().flat_map(|user| [member("g", user), member("h", user)]);
    with(snapshot, claims.chain([member("g", "other@pve")]))
}

fn enabled(snapshot: &Snapshot) -> Vec<String> {
    let users = snapshot.users.as_ref().expect("read").iter();
    users.filter(|(_, user)| user.enabled).map(|(id, _)| id.to_string()).collect()
}

fn members(snapshot: &Snapshot, group: &str) -> Vec<String> {
    let users = snapshot.users.as_ref().expect("read").iter();
    let group = GroupId::observed(group);
    users.filter(|(_, user)| user.groups.contains(&group)).map(|(id, _)| id.to_string()).collect()
}

fn warning(plan: &Plan) -> Option<(Reason, String)> {
    let warning = plan.verdicts[0].warning.as_ref()?;
    Some((warning.reason, warning.message.clone()))
}

fn warned(plan: &Plan, reason: Reason, says: &[&str]) {
    let (told, message) = warning(plan).expect("a warning");
    assert_eq!(told, reason, "{message}");
    for words in says {
        assert!(message.contains(words), "{message}\nlacks: {words}");
    }
}

/// An object for one user, as a ProxmoxUser is.
fn own_object(name: &str, claims: impl IntoIterator<Item = Claim>) -> Object {
    let mut object = object(name, claims);
    object.key.kind = "ProxmoxUser";
    object
}

#[test]
fn whoever_is_gone_is_reported_and_nothing_is_written() {
    let objects = [realm(OnRemoval::Report, "a")];
    let snapshot = pve(&["a@oid", "b@oid", "c@oid", "d@oid", "e@oid", "f@oid"]);
    let plan = one(&objects, &snapshot);
    assert!(plan.steps.is_empty());
    warned(&plan, Reason::UsersNotInSource, &["realm oid", "b@oid, c@oid, d@oid and 2 more", "onRemoval"]);
    assert_eq!(plan.verdicts[0].worst(), None, "the realm itself is as it should be");
    let all = [realm(OnRemoval::Report, "a\nb\nc\nd\ne\nf\nnew")];
    assert_eq!(warning(&one(&all, &snapshot)), None);
}

#[test]
fn whoever_is_gone_is_disabled_once_and_stays_so() {
    let mut objects = [realm(OnRemoval::Disable, "a\nb")];
    let mut snapshot = pve(&["a@oid", "b@oid", "c@oid"]);
    let plan = one(&objects, &snapshot);
    assert_eq!(plan.steps.len(), 1);
    assert_eq!((&plan.steps[0].purpose, warning(&plan)), (&Purpose::Disable, None));
    assert_eq!(settle(&mut objects, &mut snapshot).len(), 1);
    assert_eq!(enabled(&snapshot), ["a@oid", "b@oid", "other@pve"]);
    assert_eq!(members(&snapshot, "g"), ["a@oid", "b@oid", "c@oid", "other@pve"]);
    // Who comes back may have been disabled by a person meanwhile.
    objects[0] = realm(OnRemoval::Disable, "a\nb\nc");
    assert!(settle(&mut objects, &mut snapshot).is_empty());
    assert_eq!(enabled(&snapshot), ["a@oid", "b@oid", "other@pve"]);
}

#[test]
fn whoever_is_gone_does_not_wait_for_the_options_of_the_realm() {
    let refusals = vec![Refusal::new(Reason::SecretNotFound, "Secret client does not exist")];
    let held = realm(OnRemoval::Disable, "a");
    let mut objects = [Object { wanted: Vec::new(), refusals, unsure: true, ..held }];
    let mut snapshot = pve(&["a@oid", "b@oid"]);
    assert_eq!(settle(&mut objects, &mut snapshot).len(), 1);
    assert_eq!(enabled(&snapshot), ["a@oid", "other@pve"]);
    assert_eq!(refusal(&one(&objects, &snapshot), 0).0, Reason::SecretNotFound);
}

#[test]
fn whoever_is_gone_leaves_all_groups_in_one_request() {
    let mut objects = [realm(OnRemoval::RemoveGroups, "a\nb")];
    let mut snapshot = pve(&["a@oid", "b@oid", "c@oid"]);
    let writes = settle(&mut objects, &mut snapshot);
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_eq!(members(&snapshot, "g"), ["a@oid", "b@oid", "other@pve"]);
    assert_eq!(members(&snapshot, "h"), ["a@oid", "b@oid"]);
    assert!(enabled(&snapshot).contains(&"c@oid".to_owned()));
    assert_eq!(warning(&one(&objects, &snapshot)), None, "nothing is left to do");
}

#[test]
fn a_source_that_says_nothing_changes_nothing() {
    let snapshot = pve(&["a@oid", "b@oid", "c@oid"]);
    for on_removal in [OnRemoval::Report, OnRemoval::Disable, OnRemoval::RemoveGroups] {
        for source in ["", "# nobody", "a\nb c"] {
            let plan = one(&[realm(on_removal, source)], &snapshot);
            assert!(plan.steps.is_empty());
            warned(&plan, Reason::SourceUnusable, &["put in one user a line"]);
            assert_eq!(plan.verdicts[0].worst(), None);
        }
    }
}

#[test]
fn who_is_disabled_already_is_left_and_not_told() {
    let mut snapshot = pve(&["a@oid", "b@oid"]);
    snapshot.users.as_mut().expect("read").get_mut(&UserId::observed("b@oid")).expect("b").enabled = false;
    for on_removal in [OnRemoval::Report, OnRemoval::Disable, OnRemoval::RemoveGroups] {
        let plan = one(&[realm(on_removal, "a")], &snapshot);
        assert!(plan.steps.is_empty());
        assert_eq!(warning(&plan), None);
    }
}

#[test]
fn the_operators_own_user_is_never_touched() {
    for credential in
        [Credential::Token(TokenId::observed("ops@oid!token")), Credential::User(UserId::observed("ops@oid"))]
    {
        let snapshot = Snapshot { credential, ..pve(&["a@oid", "ops@oid"]) };
        for on_removal in [OnRemoval::Disable, OnRemoval::RemoveGroups] {
            let plan = one(&[realm(on_removal, "a")], &snapshot);
            assert!(plan.steps.is_empty());
            warned(&plan, Reason::UsersNotInSource, &["ops@oid (the operator's own user)"]);
        }
    }
}

#[test]
fn a_user_with_an_object_of_its_own_is_left_to_it() {
    let snapshot = pve(&["a@oid", "b@oid", "c@oid"]);
    for mode in [Mode::Manage, Mode::Observe, Mode::Suspended] {
        let own = Object { mode, ..own_object("b", [user("b@oid")]) };
        for on_removal in [OnRemoval::Disable, OnRemoval::RemoveGroups] {
            let plan = one(&[realm(on_removal, "a\nc"), own.clone()], &snapshot);
            assert!(plan.steps.is_empty(), "{mode:?}");
            warned(&plan, Reason::UsersNotInSource, &["b@oid (ProxmoxUser b decides)"]);
        }
    }
}

#[test]
fn nobody_is_gone_while_an_object_may_still_be_about_them() {
    let snapshot = pve(&["a@oid", "b@oid"]);
    let realm = realm(OnRemoval::Disable, "a");
    let refusals = vec![Refusal::new(Reason::DependencyNotReady, "ProxmoxRealm x does not exist")];
    let untold = Object { refusals, unsure: true, ..own_object("someone", []) };
    let held = one(&[realm.clone(), untold], &snapshot);
    assert!(held.steps.is_empty());
    warned(&held, Reason::UsersNotInSource, &["b@oid", "ProxmoxUser someone cannot say yet"]);
    let (memory, frozen) = (Memory::default(), Some("ProxmoxUser x cannot be read"));
    let objects = [realm];
    let plan = plan(&Input { objects: &objects, snapshot: &snapshot, memory: &memory, frozen, now: 0 });
    assert!(plan.steps.is_empty());
    warned(&plan, Reason::UsersNotInSource, &["b@oid", "ProxmoxUser x cannot be read"]);
}

#[test]
fn a_membership_that_an_object_claims_or_may_claim_stays() {
    let mut objects = [realm(OnRemoval::RemoveGroups, "a"), object("members", [member("g", "b@oid")])];
    let mut snapshot = pve(&["a@oid", "b@oid"]);
    settle(&mut objects, &mut snapshot);
    assert_eq!((members(&snapshot, "g"), members(&snapshot, "h")), {
        let text = |users: &[&str]| users.iter().map(|user| (*user).to_owned()).collect();
        (text(&["a@oid", "b@oid", "other@pve"]), text(&["a@oid"]))
    });
    warned(&one(&objects, &snapshot), Reason::UsersNotInSource, &["b@oid (Test members decides about group g)"]);
    let open = Object { open: [Scope::Members(GroupId::observed("h"))].into(), ..object("open", []) };
    let plan = one(&[realm(OnRemoval::RemoveGroups, "a"), open], &pve(&["a@oid", "b@oid"]));
    assert!(plan.steps.is_empty());
    warned(&plan, Reason::UsersNotInSource, &["Test open decides"]);
}

#[test]
fn more_than_half_of_the_users_go_only_when_a_person_confirms_it() {
    let mut snapshot = pve(&["a@oid", "b@oid", "c@oid", "d@oid", "e@oid"]);
    for (on_removal, source) in [(OnRemoval::Disable, "a\nb"), (OnRemoval::RemoveGroups, "a\nb")] {
        let mut objects = [realm(on_removal, source)];
        let plan = one(&objects, &snapshot);
        assert!(plan.steps.is_empty());
        let id = Present::parse(source, &RealmId::observed("oid")).expect("users").id();
        let confirm = format!("proxmox-identity.dev/confirm-removals: \"{id}\"");
        warned(&plan, Reason::RemovalsHeld, &["3 of 5", "c@oid, d@oid, e@oid", &confirm]);
        for (confirmed, steps) in [("3", 0), (id.as_str(), 3)] {
            let mut snapshot = snapshot.clone();
            objects[0].roster.as_mut().expect("a roster").confirmed = Some(confirmed.to_owned());
            assert_eq!(one(&objects, &snapshot).steps.len(), steps);
            // A pass that was cut short is no reason to ask again.
            if let Some(step) = one(&objects, &snapshot).steps.first() {
                snapshot.apply(&step.write);
                assert_eq!(one(&objects, &snapshot).steps.len(), steps - 1);
            }
        }
    }
    // Half is not more than half, and two are few.
    assert_eq!(one(&[realm(OnRemoval::Disable, "a\nb\nc")], &snapshot).steps.len(), 2);
    snapshot = pve(&["a@oid", "b@oid", "c@oid"]);
    assert_eq!(one(&[realm(OnRemoval::Disable, "a")], &snapshot).steps.len(), 2);
}

#[test]
fn an_observer_tells_what_would_be_done_and_whoever_was_not_first_says_nothing() {
    let snapshot = pve(&["a@oid", "b@oid"]);
    for (on_removal, differs) in [
        (OnRemoval::Disable, vec![(user("b@oid"), ClaimState::Differs(Some(vec!["enable".to_owned()])))]),
        (
            OnRemoval::RemoveGroups,
            vec![(member("g", "b@oid"), ClaimState::Surplus), (member("h", "b@oid"), ClaimState::Surplus)],
        ),
    ] {
        let observer = Object { mode: Mode::Observe, ..realm(on_removal, "a") };
        let plan = one(&[observer], &snapshot);
        assert!(plan.steps.is_empty());
        for (claim, state) in differs {
            assert_eq!(plan.verdicts[0].claims.get(&claim), Some(&state));
        }
        let younger = Object { created: 1, ledger: Ledger::new(), ..realm(on_removal, "a\nc") };
        let plan = one(
            &[younger, Object { wanted: realm(on_removal, "").wanted, roster: None, ..realm(on_removal, "a") }],
            &snapshot,
        );
        assert_eq!(refusal(&plan, 0).0, Reason::Conflict);
        assert!(plan.steps.is_empty());
        for mode in [Mode::Suspended, Mode::Deleting, Mode::DeletingSuspended, Mode::DeletingObserver] {
            let plan = one(&[Object { mode, ..realm(on_removal, "a") }], &snapshot);
            assert!(!plan.steps.iter().any(|step| step.claims.contains(&user("b@oid"))), "{mode:?}");
            assert_eq!(warning(&plan), None, "{mode:?}");
        }
    }
}

#[test]
fn a_user_that_cannot_be_disabled_backs_off_alone() {
    let snapshot = pve(&["a@oid", "x@oid", "b@oid", "c@oid"]);
    let objects = [realm(OnRemoval::Disable, "a\nx")];
    let failure = Failure { kind: FailureKind::Forbidden, message: "no User.Modify".to_owned() };
    let mut memory = Memory::default();
    memory.failures.insert(user("b@oid"), FailedClaim { failure, retry_at: 10, tries: 1, hidden: None });
    for (now, steps) in [(1, 1), (11, 2)] {
        let plan = plan(&Input { objects: &objects, snapshot: &snapshot, memory: &memory, frozen: None, now });
        assert_eq!(plan.steps.len(), steps);
        assert!(matches!(plan.verdicts[0].claims[&user("b@oid")], ClaimState::Failed(_)));
    }
}

proptest! {
    #[test]
    fn a_second_plan_is_empty_and_only_those_who_are_gone_are_changed(
        standing in prop::collection::btree_set(prop::sample::select(vec!["a", "b", "c", "d", "e", "f"]), 0..6),
        present in prop::collection::btree_set(prop::sample::select(vec!["a", "b", "c", "d", "e", "f"]), 0..6),
        claimed in prop::sample::select(vec!["a", "b", "c"]),
        disable in any::<bool>(),
    ) {
        let ids: Vec<String> = standing.iter().map(|name| format!("{name}@oid")).collect();
        let mut snapshot = pve(&ids.iter().map(String::as_str).collect::<Vec<_>>());
        let before = enabled(&snapshot);
        let on_removal = if disable { OnRemoval::Disable } else { OnRemoval::RemoveGroups };
        let source: Vec<&str> = present.iter().copied().collect();
        let own = own_object("own", [user(&format!("{claimed}@oid"))]);
        let mut objects = [realm(on_removal, &source.join("\n")), own];
        settle(&mut objects, &mut snapshot);
        prop_assert!(one(&objects, &snapshot).steps.is_empty());
        let kept: BTreeSet<&str> = present.iter().copied().chain([claimed]).collect();
        for name in before.iter().filter_map(|id| id.strip_suffix("@oid")) {
            let id = format!("{name}@oid");
            let whole = enabled(&snapshot).contains(&id) && members(&snapshot, "h").contains(&id);
            prop_assert!(whole || !kept.contains(name), "{id}");
        }
        prop_assert!(members(&snapshot, "g").contains(&"other@pve".to_owned()));
    }
}
