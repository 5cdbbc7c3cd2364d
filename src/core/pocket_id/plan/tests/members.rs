//! Who is in a group.

use super::super::*;
use super::fixtures::*;
use super::model::Model;
use crate::api::membership::MembershipPolicy;
use crate::core::pocket_id::ids::{GroupId, UserId};

/// Who is put into the group `team`, if anybody is.
fn set(plan: &Plan) -> Option<Vec<&str>> {
    plan.steps.iter().find_map(|step| match &step.write {
        Write::SetMembers { users, .. } => Some(users.iter().map(UserId::as_str).collect()),
        _ => None,
    })
}

#[test]
fn members_follow_the_policy() {
    use MembershipPolicy::{Additive, Exact, Ignore};
    for (policy, wanted, ours, present, expected) in [
        (Additive, &["alice"][..], &[][..], &["bob"][..], Some(&["alice", "bob"][..])),
        (Additive, &["alice"], &[], &["alice", "bob"], None),
        (Additive, &["alice"], &["alice", "bob"], &["alice", "bob", "carol"], Some(&["alice", "carol"])),
        (Additive, &[], &[], &["bob"], None),
        (Exact, &["alice"], &[], &["alice", "bob"], Some(&["alice"])),
        (Exact, &[], &[], &["bob"], Some(&[])),
        (Exact, &["alice"], &["alice"], &["alice"], None),
        (Ignore, &[], &[], &["bob"], None),
        (Ignore, &[], &["bob"], &["alice", "bob"], Some(&["alice"])),
        // Who is not there waits, and the others do not wait for him.
        (Additive, &["alice", "zoe"], &[], &[], Some(&["alice"])),
        (Exact, &["zoe"], &[], &["bob"], Some(&[])),
    ] {
        let mut entries = vec![(group_claim("team"), CREATED)];
        entries.extend(ours.iter().map(|user| (member_claim("team", user), CREATED)));
        let object = group("team", wanted).with(|it| it.policy = policy).holding(&entries);
        let plan = planned(&[object], &with_group(empty(), "team", present));
        assert_eq!(set(&plan).as_deref(), expected, "{policy:?} {wanted:?}, of us {ours:?}, present {present:?}");
        let lacks = wanted.contains(&"zoe");
        assert_eq!(plan.verdicts[0].refusals.iter().any(|it| it.reason == Reason::DependencyNotReady), lacks);
    }
}

#[test]
fn who_only_observes_has_a_say_in_nobody_whom_it_once_added() {
    let held = [(group_claim("team"), CREATED), (member_claim("team", "alice"), CREATED)];
    for policy in [MembershipPolicy::Additive, MembershipPolicy::Ignore] {
        let object = group("team", &[]).with(|it| it.policy = policy).holding(&held);
        let observes = Object { mode: Mode::Observe, ..object };
        let plan = planned(&[observes], &with_group(empty(), "team", &["alice"]));
        assert_eq!(plan.verdicts[0].claims[&group_claim("team")], ClaimState::Standing, "{policy:?}");
    }
}

#[test]
fn the_ledger_says_who_was_put_there_and_who_was_there() {
    let object = group("team", &["alice", "bob", "zoe"]).holding(&[(group_claim("team"), CREATED)]);
    let plan = planned(&[object], &with_group(empty(), "team", &["alice", "carol"]));
    let ledger = &plan.verdicts[0].ledger;
    let entry = |user| ledger.get(&member_claim("team", user)).copied();
    assert_eq!(
        ["alice", "bob", "carol", "zoe"].map(entry),
        [Some(ADOPTED), Some(INTENDED), None, None],
        "there before, to be put there, not named, not a user"
    );
}

#[test]
fn who_has_gone_stays_in_the_ledger_until_he_is_out_of_the_group() {
    let object = group("team", &[]).holding(&[(group_claim("team"), CREATED), (member_claim("team", "bob"), CREATED)]);
    let plan = planned(std::slice::from_ref(&object), &with_group(empty(), "team", &["bob"]));
    assert_eq!(set(&plan).as_deref(), Some(&[][..]));
    assert!(plan.verdicts[0].ledger.contains_key(&member_claim("team", "bob")));
    let plan = planned(&[object], &with_group(empty(), "team", &[]));
    assert_eq!((plan.steps.len(), plan.verdicts[0].ledger.len()), (0, 1));
}

#[test]
fn without_a_look_at_the_users_no_member_is_touched() {
    let snapshot = Snapshot { users: None, ..with_group(empty(), "team", &[]) };
    let object =
        group("team", &["alice"]).holding(&[(group_claim("team"), CREATED), (member_claim("team", "bob"), CREATED)]);
    let plan = planned(&[object], &snapshot);
    assert_eq!((plan.steps.len(), plan.verdicts[0].ledger.len()), (0, 2));
}

#[test]
fn users_are_asked_for_only_where_members_matter() {
    use MembershipPolicy::{Exact, Ignore};
    for (what, object, needs) in [
        ("a group without members", group("team", &[]), false),
        ("with members", group("team", &["alice"]), true),
        ("that nobody else may be in", group("team", &[]).with(|it| it.policy = Exact), true),
        ("that is not managed", group("team", &[]).with(|it| it.policy = Ignore), false),
        ("with members of ours", group("team", &[]).holding(&[(member_claim("team", "bob"), CREATED)]), true),
        ("a client", client("pve", &["team"]), false),
    ] {
        assert_eq!(object.needs_users(), needs, "{what}");
    }
}

#[test]
fn a_group_that_stays_keeps_those_who_were_there() {
    let entries = [
        (group_claim("team"), ADOPTED),
        (member_claim("team", "alice"), ADOPTED),
        (member_claim("team", "bob"), CREATED),
    ];
    for (what, deletion, expected) in
        [("as it came", None, Some(&["alice", "carol"][..])), ("with all who are in it", Some(Deletion::Orphan), None)]
    {
        let object = Object { deletion, ..group("team", &["alice", "bob"]).holding(&entries).deleted() };
        let mut model = Model::new(with_group(empty(), "team", &["alice", "bob", "carol"]));
        let plan = planned(std::slice::from_ref(&object), &model.snapshot);
        assert_eq!(set(&plan).as_deref(), expected, "{what}");
        let mut objects = vec![object];
        model.settle(&mut objects);
        assert!(objects.is_empty(), "{what}: it may go");
        let stays = model.snapshot.members(&GroupId::observed("team")).expect("users");
        let all = ["alice", "bob", "carol"];
        assert_eq!(stays, users(expected.unwrap_or(&all)), "{what}");
    }
}
