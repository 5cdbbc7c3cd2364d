//! From claims and a snapshot to ordered steps: a pure function, the same for the operator, a dry run and the tests.
//!
//! 0. [`deny`]: what the policy does not allow wants nothing;
//! 1. [`stakes`]: who wants and who holds each claim, and who wins where they contradict;
//! 2. [`make`]: what is wanted, compared with what stands;
//! 3. [`yielding`]: what an observer once made and another one has now; [`release`]: what is held and no longer wanted, an
//!    entry only once what [`replace`]s it stands;
//! 4. [`prune`]: what nobody claims in a set that an object owns exactly;
//! 5. [`provision`] and [`deprovision`]: what becomes of users that a realm's source has, and of those that are gone;
//! 6. [`guard`]: what would lock the operator out is refused;
//! 7. [`restore`]: what a token that is made anew gets back is left to others where they see to it;
//! 8. [`warn`]: what is worth knowing of the rest;
//! 9. [`order`]: what is left becomes requests in a safe order.

pub mod bury;
mod compare;
mod deny;
mod deprovision;
mod draft;
mod fit;
mod fold;
mod guard;
mod issue;
mod make;
mod manage;
mod needs;
mod order;
mod provision;
mod prune;
mod referred;
mod release;
mod replace;
mod restore;
mod stakes;
#[cfg(test)]
pub(in crate::core) mod tests;
mod verdict;
mod warn;
mod yielding;

use std::collections::{BTreeMap, BTreeSet};

use crate::api::Reason;
use crate::core::claim::{Claim, SecretVersion};
use crate::core::failure::{Failure, FailureKind};
use crate::core::ids::{RealmId, UserId};
use crate::core::object::{Mode, Object, Refusal};
use crate::core::policy::{Judge, Policy};
use crate::core::snapshot::Snapshot;
use crate::core::visibility::View;
use crate::core::write::Write;

use draft::Draft;
pub use referred::still_used;
use stakes::Stakes;
pub use verdict::{ClaimState, Trouble, Verdict};

/// All that a plan is made from.
pub struct Input<'a> {
    /// The objects of the connection, and after them those of others to the same cluster.
    pub objects: &'a [Object],
    /// What PVE shows.
    pub snapshot: &'a Snapshot,
    /// What earlier attempts taught.
    pub memory: &'a Memory,
    /// What objects may do, by their connection; the first is the one whose pass this is.
    pub policies: &'a [Policy],
    /// Why nothing may be removed now: an object that cannot be read might want it.
    pub frozen: Option<&'a str>,
    /// Milliseconds on a monotonic clock of the caller.
    pub now: u64,
}

/// What earlier attempts taught; it lives as long as the process, since all that must survive is in the ledgers.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// Claims whose last step failed.
    pub failures: BTreeMap<Claim, FailedClaim>,
    /// Claims that PVE answered to be gone where its lists cannot tell.
    pub confirmed_gone: BTreeSet<Claim>,
    /// Members that were put into their pools without an error, and are not shown there: PVE stores also what does not
    /// exist (FACTS 84). They are not sent again.
    pub unshown: BTreeSet<Claim>,
    /// Claims that were to be made and that nothing was sent for yet: what stands of them then somebody else has made.
    pub unsent: BTreeSet<Claim>,
    /// Why the issuers of these realms do not work, as Proxmox VE last said.
    pub issuers: BTreeMap<RealmId, String>,
    /// In which pass somebody was first seen who is not in the source of their realm, as that was known then.
    pub missed: BTreeMap<UserId, u64>,
    /// What keeps people from signing in with these realms, or from getting their groups, by what Pocket ID shows.
    pub sign_ins: BTreeMap<RealmId, String>,
}

/// A claim whose last step failed: it backs off by itself, and the others go on.
#[derive(Debug, Clone)]
pub struct FailedClaim {
    /// What happened.
    pub failure: Failure,
    /// When it is tried again, in milliseconds of [`Input::now`].
    pub retry_at: u64,
    /// How often it failed in a row.
    pub tries: u32,
    /// Which version of a Secret it was tried with: another one is tried at once.
    pub hidden: Option<SecretVersion>,
}

/// What is to be done, and what became of every object.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Requests in order.
    pub steps: Vec<Step>,
    /// By object of this connection, in the order of the input.
    pub verdicts: Vec<Verdict>,
    /// Whether something is to pass to an object of another connection, which has not taken it yet.
    pub handing_over: bool,
    /// Who is not in the source of their realm.
    pub missed: BTreeSet<UserId>,
}

/// One request, and the claims it is for.
#[derive(Debug, Clone)]
pub struct Step {
    /// What is sent.
    pub write: Write,
    /// The claims that fail with it.
    pub claims: BTreeSet<Claim>,
    /// Objects it is for, as indices of the input, each with the claim.
    pub owners: Vec<(usize, Claim)>,
    /// It is not sent when a step for one of these failed.
    pub after: BTreeSet<Claim>,
    /// Why.
    pub purpose: Purpose,
    /// The version of the Secret whose content is written to a hidden field.
    pub hidden: Option<SecretVersion>,
    /// The number of the token's secret that its answer shows.
    pub issue: Option<i64>,
    /// What nobody manages and PVE drops along with it.
    pub falls: Vec<Claim>,
}

impl Step {
    /// The objects that it is for, each with its claims.
    pub fn by_owner(&self) -> BTreeMap<usize, Vec<Claim>> {
        let mut by_owner: BTreeMap<usize, Vec<Claim>> = BTreeMap::new();
        for (owner, claim) in &self.owners {
            by_owner.entry(*owner).or_default().push(claim.clone());
        }
        by_owner
    }
}

/// Why a step is taken: decides which Event tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// Something that was never there.
    Create,
    /// Something that should stand and does not any more.
    Restore,
    /// A difference between the spec and what stands: the names of the fields.
    Update(Vec<String>),
    /// Something changed behind our back: the names of the fields.
    Correct(Vec<String>),
    /// Something that is no longer wanted.
    Remove,
    /// A user that is gone from the source of its realm is disabled.
    Disable,
}

/// Makes a plan.
pub fn plan(input: &Input<'_>) -> Plan {
    let view = View::new(input.snapshot);
    let judge = Judge::new(input.policies, input.snapshot, &view);
    let denials = judge.denials(input.objects);
    let objects = deny::without_denied(input.objects, &denials, input.policies);
    let input = &Input { objects: &objects, ..*input };
    let stakes = Stakes::new(input.objects);
    let mut draft = Draft::new(input);
    let maker = make::wanted(input, &view, &stakes, &mut draft);
    yielding::observed(input.objects, &stakes, &mut draft);
    release::unwanted(input, &view, &stakes, &mut draft);
    prune::unclaimed(input, &maker, &stakes, &judge, &mut draft);
    provision::newcomers(input, &view, &stakes, &mut draft);
    deprovision::departed(input, &stakes, &judge, &mut draft);
    guard::refuse_lockout(input, &view, &mut draft);
    restore::leave_to_others(input, &stakes, &mut draft);
    referred::observed(input.objects, &stakes, &mut draft);
    warn::warn(input, &view, &mut draft);
    for (index, denial) in denials {
        let mode = input.objects[index].mode;
        if mode == Mode::DeletingSuspended {
            draft.verdicts[index].refusals.push(Refusal::new(Reason::DeletionBlocked, denial.message));
            continue;
        }
        if !mode.is_live() {
            continue;
        }
        draft.verdicts[index].denied = true;
        draft.verdicts[index].refusals.push(deny::told(denial, &input.objects[index]));
    }
    let mut steps = order::steps(
        draft.operations,
        input.snapshot,
        |object| input.objects[object].changed,
        |claim| input.memory.failures.contains_key(claim),
    );
    for step in &mut steps {
        step.owners.retain(|(owner, _)| !input.objects[*owner].is_foreign());
    }
    draft.verdicts.truncate(input.objects.iter().filter(|object| !object.is_foreign()).count());
    Plan { steps, verdicts: draft.verdicts, handing_over: draft.handing_over, missed: draft.missed }
}

impl Input<'_> {
    /// The failure of a claim that is not due again yet.
    fn backing_off(&self, claim: &Claim) -> Option<&Failure> {
        let failed = self.memory.failures.get(claim)?;
        (self.now < failed.retry_at).then_some(&failed.failure)
    }

    /// What a claim is while a step is taken for it. What is tried again still is what it was: a status must not flap
    /// with each attempt.
    fn attempt(&self, claim: &Claim, purpose: &Purpose) -> ClaimState {
        match self.memory.failures.get(claim) {
            Some(failed) => ClaimState::Failed(failed.failure.clone()),
            None => ClaimState::Planned(purpose.clone()),
        }
    }

    /// True when an intention to make the thing does not make it ours.
    fn is_in_vain(&self, claim: &Claim) -> bool {
        self.exists_already(claim) || self.memory.unsent.contains(claim)
    }

    /// True when PVE said that the thing is there already.
    fn exists_already(&self, claim: &Claim) -> bool {
        self.memory.failures.get(claim).is_some_and(|failed| failed.failure.kind == FailureKind::AlreadyExists)
    }
}
