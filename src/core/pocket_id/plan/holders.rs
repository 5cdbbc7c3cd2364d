//! Who holds what: one object each named thing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::core::claim::{Entry, Origin};
use crate::core::object::Mode;
use crate::core::pocket_id::claim::Claim;
use crate::core::pocket_id::ids::GroupId;
use crate::core::pocket_id::object::{Object, Wanted};
use crate::core::token::{Former, Issued};

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
            let held = object.ledger.keys().filter(|claim| claims(object) && claim.is_thing()).cloned();
            for claim in wanted.chain(held) {
                let rank = |index: usize| rank(&objects[index], objects[index].ledger.contains_key(&claim));
                let holder = things.entry(claim.clone()).or_insert(index);
                if rank(index) < rank(*holder) {
                    *holder = index;
                }
            }
            for id in object.known.iter().filter(|_| claims(object) && object.ledger.keys().any(is_group)) {
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

    /// What a deleted object holds, or one that only observes now, and another one wants passes to that with its origin: to
    /// its heir it is not a stranger's.
    pub(super) fn bequeath<'a>(&self, objects: &'a [Object]) -> Cow<'a, [Object]> {
        let mut after = Cow::Borrowed(objects);
        let gives = |object: &Object| matches!(object.mode, Mode::Deleting | Mode::Observe);
        for (index, object) in objects.iter().enumerate().filter(|(_, object)| gives(object)) {
            for (thing, entry) in object.ledger.iter().filter(|(claim, _)| claim.is_thing()) {
                let Some(heir) = self.other(thing, index) else { continue };
                if objects[heir].ledger.contains_key(thing) {
                    continue;
                }
                let heir = &mut after.to_mut()[heir];
                heir.ledger.insert(thing.clone(), *entry);
                if let Some(secret) = &mut heir.secret {
                    let from = Former::of(object.mode == Mode::Observe, entry.origin);
                    secret.token.issued = secret.token.taken_over(from).or_else(|| {
                        // Somebody has had one before: it counts as the second.
                        (from == Former::Leaver).then(|| Issued { issue: 2, ..secret.token.fresh() })
                    });
                }
                // Who was in the group before stays, and who only observes has a say in nobody.
                let members = object.ledger.iter().filter(|it| object.mode == Mode::Deleting && is_own_member(it));
                heir.ledger.extend(members.map(|(it, entry)| (it.clone(), *entry)));
                heir.known = heir.known.take().or_else(|| object.known.clone());
            }
        }
        after
    }
}

/// Who only observes claims nothing, also not what it once made.
fn claims(object: &Object) -> bool {
    !matches!(object.mode, Mode::Observe | Mode::DeletingObserver)
}

fn is_group(claim: &Claim) -> bool {
    matches!(claim, Claim::Group(_))
}

/// On its way out an object holds only what nobody else wants. While it is suspended it keeps what it has, and so it does
/// while somebody refers to it.
fn rank(object: &Object, holds: bool) -> impl Ord {
    let goes = matches!(object.mode, Mode::Deleting | Mode::DeletingObserver) && object.users.is_empty();
    (goes, !holds, object.created, &object.key)
}

fn is_own_member((claim, entry): &(&Claim, &Entry)) -> bool {
    matches!(claim, Claim::Member { .. }) && entry.origin == Origin::Created
}
