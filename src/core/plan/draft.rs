//! A plan in the making.

use std::collections::BTreeSet;

use crate::api::Reason;
use crate::core::claim::Claim;
use crate::core::ids::UserId;
use crate::core::object::{Object, Refusal};
use crate::core::plan::order::Operation;
use crate::core::plan::{ClaimState, Input, Verdict};

/// A plan in the making.
pub(super) struct Draft {
    pub(super) verdicts: Vec<Verdict>,
    pub(super) operations: Vec<Operation>,
    pub(super) handing_over: bool,
    /// What stays until something stands in its place.
    pub(super) waiting: BTreeSet<Claim>,
    pub(super) missed: BTreeSet<UserId>,
}

impl Draft {
    pub(super) fn new(input: &Input<'_>) -> Self {
        let verdicts = input
            .objects
            .iter()
            .map(|object| Verdict {
                ledger: object.ledger.clone(),
                refusals: object.refusals.clone(),
                written: object.written.clone(),
                token: object.token.as_ref().and_then(|token| token.issued.clone()),
                ..Verdict::default()
            })
            .collect();
        Self {
            verdicts,
            operations: Vec::new(),
            handing_over: false,
            waiting: BTreeSet::new(),
            missed: BTreeSet::new(),
        }
    }

    pub(super) fn state(&mut self, object: usize, claim: &Claim, state: ClaimState) {
        self.verdicts[object].claims.insert(claim.clone(), state);
    }

    /// Puts an operation into the plan if it is for an object of this connection: what only others want they do
    /// themselves. Whether it is.
    pub(super) fn push(&mut self, operation: Operation, objects: &[Object]) -> bool {
        let Operation { owners, .. } = &operation;
        let ours = owners.iter().any(|owner| !objects[*owner].is_foreign());
        if ours {
            self.operations.push(operation);
        }
        ours
    }

    pub(super) fn refuse(&mut self, object: usize, claim: &Claim, reason: Reason, message: impl Into<String>) {
        self.state(object, claim, ClaimState::Refused(Refusal::new(reason, message)));
    }
}
