//! Who is left alone.

use super::super::fixtures::*;
use super::*;
use crate::api::policy::{ConnectionPolicy, PolicyRule};
use crate::api::refs::ConnectionKind;
use crate::core::claim::Ledger;

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
fn who_was_seen_after_the_source_was_asked_is_not_gone_yet() {
    let snapshot = pve(&["a@oid", "b@oid"]);
    let gone = UserId::observed("b@oid");
    for (asked_in, missed, departs) in
        [(None, None, true), (Some(5), None, false), (Some(5), Some(5), false), (Some(5), Some(4), true)]
    {
        let mut object = realm(OnRemoval::Disable, "a");
        object.roster.as_mut().expect("a roster").asked_in = asked_in;
        let missed = missed.map(|pass| (gone.clone(), pass)).into_iter().collect();
        let memory = Memory { missed, ..Memory::default() };
        let objects = [object];
        let plan = plan(&input(&objects, &snapshot, &memory));
        assert_eq!(!plan.steps.is_empty(), departs, "asked in {asked_in:?}");
        assert_eq!(plan.missed, BTreeSet::from([gone.clone()]), "it is remembered");
        assert!(departs || warning(&plan).is_none(), "nothing is told that may be wrong");
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
    let plan = plan(&Input { frozen, ..input(&objects, &snapshot, &memory) });
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
fn who_fits_no_rule_is_left_and_told() {
    let rule = PolicyRule { user_ids: Some(vec!["a*@oid".to_owned()]), ..PolicyRule::default() };
    let policy = ConnectionPolicy { rules: vec![rule], ..ConnectionPolicy::default() };
    let policy = Policy::parse(Some(&policy), ConnectionKind::ProxmoxConnection).expect("a policy");
    let snapshot = pve(&["ann@oid", "bob@oid", "carl@oid", "al@oid"]);
    let objects = [realm(OnRemoval::Disable, "ann\ncarl")];
    let memory = Memory::default();
    let policies = [policy];
    let plan = plan(&Input { policies: &policies, ..input(&objects, &snapshot, &memory) });
    let claims: Vec<String> = plan.steps.iter().flat_map(|step| &step.claims).map(ToString::to_string).collect();
    assert_eq!(claims, ["user al@oid"]);
    assert!(refusal(&plan, 0).1.contains("user bob@oid is not among a*@oid"));
}
