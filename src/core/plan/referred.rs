//! Who only observes and is referred to: what its referrers have through it would go with it, though it has made nothing.

use crate::api::Reason;
use crate::core::object::{Mode, Object, ObjectKey, Refusal};
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
            let message = still_used(&object.key, &referrer.key);
            verdict.refusals.push(Refusal::new(Reason::DeletionBlocked, message));
        }
    }
}

/// Why an object stays that another one refers to.
pub fn still_used(key: &ObjectKey, referrer: &ObjectKey) -> String {
    format!("{} is still used by {}; it goes when that is gone", key.short(), referrer.as_told_to(&key.namespace))
}
