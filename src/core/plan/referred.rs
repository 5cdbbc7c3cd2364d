//! Who only observes and is referred to: what its referrers have through it would go with it, though it has made nothing.

use std::fmt::Display;

use crate::api::Reason;
use crate::core::object::{Mode, Object, Refusal};
use crate::core::plan::Draft;
use crate::core::plan::stakes::Stakes;

/// Marks observers that must not go unnoticed, and holds back those that are to go now.
pub(super) fn observed(objects: &[Object], stakes: &Stakes<'_>, draft: &mut Draft) {
    for (index, object) in objects.iter().enumerate() {
        if !matches!(object.mode, Mode::Observe | Mode::DeletingObserver) {
            continue;
        }
        let Some(referrer) = stakes.referrer_of(&object.key) else { continue };
        let verdict = &mut draft.verdicts[index];
        verdict.referred = true;
        if object.mode == Mode::DeletingObserver {
            let message = still_used(&object.key.short(), &referrer.key.as_told_to(&object.key.namespace));
            verdict.refusals.push(Refusal::new(Reason::DeletionBlocked, message));
        }
    }
}

/// Why something stays that an object refers to.
pub fn still_used(what: &impl Display, user: &str) -> String {
    format!("{what} is still used by {user}; it goes when that is gone")
}
