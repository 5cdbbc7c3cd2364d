//! What must be in Kubernetes before anything is written to Proxmox VE: finalizers and ledgers.

use std::collections::{BTreeSet, HashSet};

use crate::controller::connection::Worker;
use crate::controller::gather::Subject;
use crate::controller::managed::Managed;
use crate::controller::outdated::Blocked;
use crate::controller::pass::gives_up;
use crate::controller::status;
use crate::core::ledger;
use crate::core::object::{Mode, Object};
use crate::core::plan::Plan;

impl Worker {
    /// Stores finalizers and ledgers before anything is written; answers with the objects for which that failed, and those
    /// that are about to be corrected by what is not so any more.
    pub(super) async fn store(&mut self, subjects: &[Subject<'_>], inputs: &[Object], plan: &Plan) -> Blocked {
        let mut blocked = Blocked { unwritten: self.finalize(subjects, inputs, plan).await, ..Blocked::default() };
        let owners: BTreeSet<usize> =
            plan.steps.iter().flat_map(|step| &step.owners).map(|(owner, _)| *owner).collect();
        let settled = owners.iter().map(|index| (*index, &subjects[*index]));
        let settled = settled.filter(|(_, it)| status::is_ready(&it.previous, it.any.generation()));
        blocked.outdated = self.reporter.outdated(settled.map(|(index, it)| (index, it.any))).await;
        // What a leaving object passes on must be in the heir's ledger before the former is let go.
        let somebody_leaves = inputs.iter().zip(&plan.verdicts).any(|(object, verdict)| gives_up(object, verdict));
        let mut writes = Vec::new();
        for (index, (subject, verdict)) in subjects.iter().zip(&plan.verdicts).enumerate() {
            let changed = inputs[index].ledger != verdict.ledger
                || inputs[index].written != verdict.written
                || inputs[index].token.as_ref().is_some_and(|token| token.issued != verdict.token);
            let fresh = subject.previous.observed_generation != Some(subject.any.generation());
            let gains = ledger::gains(&inputs[index].ledger, &verdict.ledger);
            // Also what is made only to remove something else.
            let due = if subject.any.is_being_deleted() { gains } else { changed || fresh };
            let first = owners.contains(&index) && due;
            let heir = somebody_leaves && gains && inputs[index].mode.is_live();
            if blocked.contains(index) || !(first || heir) {
                continue;
            }
            // What is given up stays in the ledger until its heir's is stored, which the next pass sees.
            let mut kept = verdict.clone();
            for (claim, entry) in &inputs[index].ledger {
                kept.ledger.entry(claim.clone()).or_insert(*entry);
            }
            let status = self.compose(subject, &inputs[index], &kept);
            let target = subject.any.target();
            let (outbox, permit) = (self.context.outbox.clone(), self.permit.clone());
            writes.push(async move { (index, outbox.store(&permit, target, &status).await) });
        }
        let stored = futures::future::join_all(writes).await;
        blocked.unwritten.extend(stored.into_iter().filter(|(_, stored)| !stored).map(|(index, _)| index));
        blocked
    }

    async fn finalize(&mut self, subjects: &[Subject<'_>], inputs: &[Object], plan: &Plan) -> HashSet<usize> {
        let missing = subjects.iter().zip(inputs).enumerate().filter_map(|(index, (subject, object))| {
            let needs = object.mode == Mode::Manage || object.mode == Mode::Observe && plan.verdicts[index].referred;
            let lacks = needs && self.reporter.lacks_finalizer(subject.any);
            lacks.then_some((index, subject.any))
        });
        let missing: Vec<_> = missing.collect();
        self.reporter.add_finalizers(missing.into_iter()).await
    }
}
