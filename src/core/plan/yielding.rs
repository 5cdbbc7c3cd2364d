//! What an object once made that only observes now: it is another one's as soon as that has it, and stays so.

use crate::core::object::{Mode, Object};
use crate::core::plan::Draft;
use crate::core::plan::stakes::{Stake, Stakes};

/// Takes from observers what others have, and hands over to those that have yet to store it.
pub(super) fn observed(objects: &[Object], stakes: &Stakes<'_>, draft: &mut Draft) {
    if objects.iter().all(|object| object.mode != Mode::Observe) {
        return;
    }
    for (claim, interests) in &stakes.by_claim {
        let holds_still = |stake: &&Stake<'_>| stake.entry.is_some() && objects[stake.object].mode == Mode::Observe;
        let givers: Vec<_> = interests.iter().filter(holds_still).collect();
        if givers.is_empty() {
            continue;
        }
        if interests.iter().any(|stake| stakes.counts(stake) && stake.entry.is_some()) {
            for giver in givers {
                draft.verdicts[giver.object].ledger.remove(*claim);
            }
        } else if claim.thing().is_some() {
            let heir = stakes.winner(interests);
            draft.handing_over |= heir.is_some_and(|heir| !objects[heir.object].is_foreign());
        }
    }
}
