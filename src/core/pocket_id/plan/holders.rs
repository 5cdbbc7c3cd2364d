//! Who holds what: one object each named thing.

use std::collections::BTreeMap;

use crate::core::object::Mode;
use crate::core::pocket_id::claim::Claim;
use crate::core::pocket_id::object::{Object, Wanted};

/// The winner of each named thing: who holds it already, then the older, then by name.
pub(super) struct Holders(BTreeMap<Claim, usize>);

impl Holders {
    pub(super) fn new(objects: &[Object]) -> Self {
        let mut holders: BTreeMap<Claim, usize> = BTreeMap::new();
        let rank = |index: usize, claim: &Claim| {
            let object = &objects[index];
            // On its way out it holds only what nobody else wants.
            (!object.mode.is_live(), !object.ledger.contains_key(claim), object.created, &object.key)
        };
        for (index, object) in objects.iter().enumerate() {
            let wanted = object.wanted.iter().filter(|_| object.mode == Mode::Manage).map(Wanted::claim);
            let held = object.ledger.keys().filter(|claim| claim.is_thing()).cloned();
            for claim in wanted.chain(held) {
                let holder = holders.entry(claim.clone()).or_insert(index);
                if rank(index, &claim) < rank(*holder, &claim) {
                    *holder = index;
                }
            }
        }
        Self(holders)
    }

    /// The other object that holds a thing, if it is not this one.
    pub(super) fn other(&self, claim: &Claim, index: usize) -> Option<usize> {
        self.0.get(claim).copied().filter(|holder| *holder != index)
    }
}
