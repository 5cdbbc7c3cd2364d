//! Whatever is claimed, planning then applying ends where it should.

use proptest::prelude::*;
use std::collections::BTreeSet;

use super::fixtures::*;
use crate::core::claim::{Entry, Origin, Progress, from_rows, to_rows};
use crate::core::object::Mode;
use crate::core::plan::*;

/// A small world in which claims meet often.
fn any_claim() -> impl Strategy<Value = Claim> {
    let path = prop::sample::select(vec!["/", "/vms", "/pool/a/b"]);
    let role = prop::sample::select(vec!["A", "B", "NoAccess"]);
    let id = prop::sample::select(vec!["g1", "g2", "g3"]);
    prop_oneof![
        3 => (path, role, id.clone()).prop_map(|(path, role, id)| entry(path, role, id)),
        1 => id.prop_map(group),
        1 => prop::sample::select(vec!["a", "a/b", "c"]).prop_map(pool),
    ]
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
    ) {
        let mut snapshot = with(empty(), foreign.iter().cloned());
        let mut objects: Vec<Object> =
            first.iter().enumerate().map(|(i, claims)| object(&format!("o{i}"), claims.iter().cloned())).collect();
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
