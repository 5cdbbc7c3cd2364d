//! An entry stays until one stands that its object wants in its place, so that nobody is without both.

use crate::core::claim::Claim;
use crate::core::ids::{AclKey, RoleId};
use crate::core::object::Mode;
use crate::core::plan::compare::{self, Standing};
use crate::core::plan::stakes::{Stake, Stakes};
use crate::core::plan::{ClaimState, Draft, Input};
use crate::core::visibility::View;

/// What keeps all entries from standing that an object wants in place of this one; nothing where one stands or is to be made
/// in this plan, which comes first.
pub(super) fn hindrance(
    input: &Input<'_>,
    view: &View<'_>,
    stakes: &Stakes<'_>,
    draft: &Draft,
    claim: &Claim,
    leaving: &Stake<'_>,
) -> Option<ClaimState> {
    let Claim::Acl(AclKey { path, subject, role: _ }) = claim else { return None };
    if input.objects[leaving.object].mode != Mode::Manage {
        return None;
    }
    // The roles of one subject on one path stand one after the other.
    let first = Claim::Acl(AclKey { path: path.clone(), subject: subject.clone(), role: RoleId::observed("") });
    let mut why = None;
    for (other, interests) in stakes.by_claim.range::<&Claim, _>(&first..) {
        if !matches!(other, Claim::Acl(key) if key.path == *path && key.subject == *subject) {
            break;
        }
        if !interests.iter().any(|stake| stake.object == leaving.object && stake.wanted.is_some()) {
            continue;
        }
        let stands = matches!(compare::presence(other, input.snapshot, view), Standing::Same);
        match draft.verdicts[leaving.object].claims.get(*other) {
            Some(state @ (ClaimState::Failed(_) | ClaimState::Refused(_))) if !stands => {
                why.get_or_insert_with(|| state.clone());
            }
            _ => return None,
        }
    }
    why
}
