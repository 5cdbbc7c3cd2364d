//! What the policy of the connection does not allow is not done.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::api::Reason;
use crate::api::policy::OnRevoke;
use crate::core::claim::Origin;
use crate::core::object::{Deletion, Mode, Object, Refusal};
use crate::core::policy::Policy;

/// Why an object is denied, with what becomes of what it has made.
pub(super) fn told(denial: Refusal, object: &Object) -> Refusal {
    let stays = object.mode == Mode::Denied && !object.ledger.is_empty();
    let message = if stays {
        format!("{}; what it has made stays in Proxmox VE until it is deleted (policy.onRevoke)", denial.message)
    } else {
        denial.message
    };
    Refusal { message, ..denial }
}

/// The objects as they count: what is denied wants nothing. What the operator has made for it goes with it all the
/// same; what it took over does not.
pub(super) fn without_denied<'a>(
    objects: &'a [Object],
    denials: &BTreeMap<usize, Refusal>,
    policies: &[Policy],
) -> Cow<'a, [Object]> {
    if denials.is_empty() {
        return Cow::Borrowed(objects);
    }
    let mut objects = objects.to_vec();
    for (index, denial) in denials {
        let object = &mut objects[*index];
        // What cannot be judged now is not done, and stays. Whether another connection's object loses anything is its own
        // pass to say: it may see more than this one.
        let is_revoked = denial.reason == Reason::PolicyDenied && !object.is_foreign();
        // What it took over waits until somebody can say whether it may go.
        let waits = denial.reason != Reason::PolicyDenied
            && object.deletion == Some(Deletion::Delete)
            && object.ledger.values().any(|entry| entry.origin == Origin::Adopted);
        object.mode = match (object.mode, policies[object.connection].on_revoke) {
            (Mode::Deleting, _) if waits => Mode::DeletingSuspended,
            (Mode::Manage, OnRevoke::Remove) if is_revoked => Mode::Revoked,
            (Mode::Manage, _) => Mode::Denied,
            // Who only observes claims nothing either way.
            (mode, _) => mode,
        };
        object.deletion = object.deletion.filter(|deletion| *deletion == Deletion::Orphan);
        if object.mode.is_live() {
            object.wanted = Vec::new();
            object.refusals = Vec::new();
            (object.exact, object.open) = (BTreeSet::new(), BTreeSet::new());
            object.unsure = false;
            object.roster = None;
        }
    }
    Cow::Owned(objects)
}
