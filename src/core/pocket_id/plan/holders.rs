//! Who holds what: one object each named thing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::core::claim::{Entry, Origin};
use crate::core::object::Mode;
use crate::core::pocket_id::claim::Claim;
use crate::core::pocket_id::ids::GroupId;
use crate::core::pocket_id::object::{Object, Wanted};

/// The winner of each named thing: who holds it already, then the older, then by name.
pub(super) struct Holders {
    things: BTreeMap<Claim, usize>,
    /// By what stands, whatever it is called now.
    groups: BTreeMap<GroupId, usize>,
}

impl Holders {
    pub(super) fn new(objects: &[Object]) -> Self {
        let (mut things, mut groups) = (BTreeMap::new(), BTreeMap::new());
        for (index, object) in objects.iter().enumerate() {
            let wanted = object.wanted.iter().filter(|_| object.mode == Mode::Manage).map(Wanted::claim);
            // Who only observes claims nothing, also not what it once made.
            let claims = !matches!(object.mode, Mode::Observe | Mode::DeletingObserver);
            let held = object.ledger.keys().filter(|claim| claims && claim.is_thing()).cloned();
            for claim in wanted.chain(held) {
                let rank = |index: usize| rank(&objects[index], objects[index].ledger.contains_key(&claim));
                let holder = things.entry(claim.clone()).or_insert(index);
                if rank(index) < rank(*holder) {
                    *holder = index;
                }
            }
            for id in object.known.iter().filter(|_| object.ledger.keys().any(|it| matches!(it, Claim::Group(_)))) {
                let holder = groups.entry(id.clone()).or_insert(index);
                if rank(object, true) < rank(&objects[*holder], true) {
                    *holder = index;
                }
            }
        }
        Self { things, groups }
    }

    /// The other object that holds a thing, if it is not this one.
    pub(super) fn other(&self, claim: &Claim, index: usize) -> Option<usize> {
        self.things.get(claim).copied().filter(|holder| *holder != index)
    }

    /// The other object that stands for a group, if it is not this one.
    pub(super) fn other_of(&self, group: &GroupId, index: usize) -> Option<usize> {
        self.groups.get(group).copied().filter(|holder| *holder != index)
    }

    /// What a deleted object holds and another one wants passes to that with its origin: to its heir it is not a
    /// stranger's.
    pub(super) fn bequeath<'a>(&self, objects: &'a [Object]) -> Cow<'a, [Object]> {
        let mut after = Cow::Borrowed(objects);
        for (index, object) in objects.iter().enumerate().filter(|(_, object)| object.mode == Mode::Deleting) {
            for (thing, entry) in object.ledger.iter().filter(|(claim, _)| claim.is_thing()) {
                let Some(heir) = self.other(thing, index) else { continue };
                if objects[heir].ledger.contains_key(thing) {
                    continue;
                }
                let heir = &mut after.to_mut()[heir];
                heir.ledger.insert(thing.clone(), *entry);
                // Who was in the group before stays.
                heir.ledger.extend(object.ledger.iter().filter(is_own_member).map(|(it, entry)| (it.clone(), *entry)));
                heir.known = heir.known.take().or_else(|| object.known.clone());
            }
        }
        after
    }
}

/// On its way out an object holds only what nobody else wants. While it is suspended it keeps what it has.
fn rank(object: &Object, holds: bool) -> impl Ord {
    let goes = matches!(object.mode, Mode::Deleting | Mode::DeletingObserver);
    (goes, !holds, object.created, &object.key)
}

fn is_own_member((claim, entry): &(&Claim, &Entry)) -> bool {
    matches!(claim, Claim::Member { .. }) && entry.origin == Origin::Created
}
