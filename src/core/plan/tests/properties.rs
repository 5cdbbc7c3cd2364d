//! Whatever is claimed, planning then applying ends where it should.

use proptest::prelude::*;
use std::collections::BTreeSet;

use super::fixtures::*;
use crate::core::claim::{Entry, Ledger, Origin, Progress, Scope};
use crate::core::ids::{AclPath, GroupId, PoolId, UserId};
use crate::core::ledger::{from_rows, to_rows};
use crate::core::object::Mode;
use crate::core::plan::*;

/// A small world in which claims meet often.
fn any_claim() -> impl Strategy<Value = Claim> {
    let path = prop::sample::select(vec!["/", "/vms", "/pool/a/b"]);
    let any_role = prop::sample::select(vec!["A", "R", "NoAccess"]);
    let id = prop::sample::select(vec!["g1", "g2", "g3"]);
    let any_user = prop::sample::select(vec!["u1@pve", "u2@pve"]);
    let any_pool = prop::sample::select(vec!["a", "a/b", "c"]);
    let number = prop::sample::select(vec!["100", "101"]);
    prop_oneof![
        3 => (path, any_role, id.clone()).prop_map(|(path, role, id)| entry(path, role, id)),
        2 => (id.clone(), any_user.clone()).prop_map(|(group, user)| member(group, user)),
        1 => (any_pool.clone(), number).prop_map(|(pool, number)| guest(pool, number)),
        1 => id.prop_map(group),
        1 => any_user.prop_map(user),
        1 => any_pool.prop_map(pool),
        1 => Just(role("R")),
    ]
}

fn any_scope() -> impl Strategy<Value = Scope> {
    prop_oneof![
        Just(Scope::Members(GroupId::observed("g1"))),
        Just(Scope::Groups(UserId::observed("u1@pve"))),
        Just(Scope::Pool(PoolId::observed("a"))),
        Just(Scope::Entries(AclPath::observed("/vms"))),
    ]
}

fn is_in(claim: &Claim, scope: &Scope) -> bool {
    match (claim, scope) {
        (Claim::Member(it), Scope::Members(group)) => it.group == *group,
        (Claim::Member(it), Scope::Groups(user)) => it.user == *user,
        (Claim::PoolMember(it, _), Scope::Pool(pool)) => it == pool,
        (Claim::Acl(it), Scope::Entries(path)) => it.path == *path,
        _ => false,
    }
}

fn any_claims() -> impl Strategy<Value = BTreeSet<Claim>> {
    prop::collection::btree_set(any_claim(), 0..12)
}

proptest! {
    #[test]
    fn planning_then_applying_gives_what_was_wanted_and_nothing_more(
        first in prop::collection::vec(any_claims(), 1..5),
        second in prop::collection::vec(any_claims(), 5),
        foreign in any_claims(),
        deleted in prop::collection::vec(any::<bool>(), 5),
        exact in prop::collection::vec(prop::option::of(any_scope()), 5),
    ) {
        let mut snapshot = with(empty(), foreign);
        let foreign = stands(&snapshot);
        let mut objects: Vec<Object> =
            first.iter().enumerate().map(|(i, claims)| object(&format!("o{i}"), claims.iter().cloned())).collect();
        for (object, scope) in objects.iter_mut().zip(&exact) {
            object.exact.extend(scope.clone());
        }
        settle(&mut objects, &mut snapshot);
        // The specs change, and some objects are deleted.
        for (index, object) in objects.iter_mut().enumerate() {
            object.wanted.clear();
            if deleted[index] {
                object.mode = Mode::Deleting;
            } else {
                object.wanted = second[index].iter().cloned().map(wanted).collect();
            }
        }
        settle(&mut objects, &mut snapshot);
        let plan = one(&objects, &snapshot);
        prop_assert!(plan.steps.is_empty(), "a second plan is empty");
        let now = stands(&snapshot);
        let mut explained: BTreeSet<Claim> = foreign.clone();
        for (object, verdict) in objects.iter().zip(&plan.verdicts) {
            for (claim, state) in &verdict.claims {
                match state {
                    ClaimState::Standing => prop_assert!(now.contains(claim)),
                    ClaimState::Refused(_) => {}
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            explained.extend(object.ledger.keys().cloned());
        }
        prop_assert!(now.is_subset(&explained), "{now:?} {explained:?}");
        for (object, verdict) in objects.iter().zip(&plan.verdicts) {
            let live = object.mode == Mode::Manage;
            for surplus in now.iter().filter(|it| live && object.exact.iter().any(|scope| is_in(it, scope))) {
                let claimed = objects.iter().any(|other| other.wanted.iter().any(|wanted| wanted.claim == *surplus));
                prop_assert!(claimed, "{surplus:?} is claimed by nobody: {:?}", verdict.claims);
            }
        }
    }

    #[test]
    fn a_ledger_reads_back_as_it_was_stored(claims in prop::collection::btree_map(any_claim(), any::<(bool, bool)>(), 0..40)) {
        let ledger: Ledger = claims
            .into_iter()
            .map(|(claim, (created, applied))| {
                let origin = if created { Origin::Created } else { Origin::Adopted };
                let progress = if applied { Progress::Applied } else { Progress::Intended };
                (claim, Entry { origin, progress })
            })
            .collect();
        prop_assert_eq!(from_rows(&to_rows(&ledger)), Ok(ledger));
    }
}
