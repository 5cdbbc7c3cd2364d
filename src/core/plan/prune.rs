//! What stands in a set that an object owns exactly, and that no object claims, goes.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::Reason;
use crate::core::claim::{Claim, Membership, Scope};
use crate::core::ids::UserId;
use crate::core::object::{Mode, Object, Refusal};
use crate::core::plan::bury;
use crate::core::plan::make::{Maker, unseen};
use crate::core::plan::order::Operation;
use crate::core::plan::release::removal;
use crate::core::plan::stakes::Stakes;
use crate::core::plan::{ClaimState, Draft, Input, Purpose};
use crate::core::policy::Judge;
use crate::core::snapshot::Snapshot;
use crate::core::visibility::Sight;

/// Judges what is in exact sets beside what is claimed. Nothing of it is ours, so no ledger knows it: after a crash it
/// is found again.
pub(super) fn unclaimed(
    input: &Input<'_>,
    maker: &Maker<'_>,
    stakes: &Stakes<'_>,
    judge: &Judge<'_>,
    draft: &mut Draft,
) {
    let mut begun: BTreeMap<Claim, usize> =
        draft.operations.iter().enumerate().map(|(index, operation)| (operation.claim.clone(), index)).collect();
    for (index, object) in input.objects.iter().enumerate().filter(|(_, object)| !object.is_foreign()) {
        for scope in &object.exact {
            for claim in standing_in(scope, input.snapshot) {
                let is_kept = stakes.is_claimed(&claim) || draft.waiting.contains(&claim);
                if is_kept || draft.verdicts[index].claims.contains_key(&claim) {
                    continue;
                }
                let state = match object.mode {
                    Mode::Observe => ClaimState::Surplus,
                    Mode::Manage => obstacle(input, maker, judge, object, scope, &claim).unwrap_or_else(|| {
                        if let Claim::Acl(key) = &claim
                            && let Some(thing) = bury::dangles(key, input.snapshot, maker.view)
                        {
                            bury::bury(draft, &thing, key, index);
                        }
                        let at = *begun.entry(claim.clone()).or_insert_with(|| {
                            draft.operations.push(removing(&claim));
                            draft.operations.len() - 1
                        });
                        draft.operations[at].owners.push(index);
                        input.attempt(&claim, &Purpose::Remove)
                    }),
                    Mode::Suspended
                    | Mode::Denied
                    | Mode::Revoked
                    | Mode::Deleting
                    | Mode::DeletingSuspended
                    | Mode::DeletingObserver => continue,
                };
                draft.state(index, &claim, state);
            }
        }
    }
}

fn removing(claim: &Claim) -> Operation {
    Operation {
        act: removal(claim),
        claim: claim.clone(),
        owners: Vec::new(),
        after: BTreeSet::new(),
        purpose: Purpose::Remove,
        hidden: None,
        issue: None,
    }
}

/// Why something unclaimed is not removed now.
fn obstacle(
    input: &Input<'_>,
    maker: &Maker<'_>,
    judge: &Judge<'_>,
    owner: &Object,
    scope: &Scope,
    claim: &Claim,
) -> Option<ClaimState> {
    let held = |reason, why: String| {
        Some(ClaimState::Refused(Refusal::new(
            reason,
            format!("{claim} is claimed by nobody and not removed now: {why}"),
        )))
    };
    if let Some(refusal) = judge.denies_removal(owner, claim) {
        return held(refusal.reason, refusal.message);
    }
    if let Some(why) = input.frozen {
        return held(Reason::DependencyNotReady, why.to_owned());
    }
    // An object that cannot say all that it claims may claim just this.
    if let Some(other) = input.objects.iter().find(|other| other.open.iter().any(|open| open.meets(scope))) {
        let who =
            if other.key == owner.key { "this object".to_owned() } else { other.key.as_told_to(&owner.key.namespace) };
        return held(Reason::DependencyNotReady, format!("{who} refers to something that does not exist yet"));
    }
    if matches!(claim, Claim::Member(_)) && maker.view.sight_of_users() != Sight::Clear {
        return Some(ClaimState::Refused(unseen(claim)));
    }
    if let Claim::Member(membership) = claim {
        if let Some(why) = maker.overwritten(membership) {
            return held(Reason::Conflict, why);
        }
        if let Some(failure) = maker.unread(membership) {
            return Some(ClaimState::Failed(failure.clone()));
        }
    }
    input.backing_off(claim).map(|failure| ClaimState::Failed(failure.clone()))
}

fn standing_in(scope: &Scope, snapshot: &Snapshot) -> Vec<Claim> {
    match scope {
        Scope::Members(group) => {
            let member = |user: &UserId| Membership { group: group.clone(), user: user.clone() };
            snapshot.members_of(group).into_iter().map(|user| Claim::Member(member(user))).collect()
        }
        Scope::AnyMembers => Vec::new(),
        Scope::Groups(user) => snapshot
            .groups_of(user)
            .into_iter()
            .map(|group| Claim::Member(Membership { group, user: user.clone() }))
            .collect(),
        Scope::Pool(pool) => {
            let pool_now = snapshot.pools.as_ref().ok().and_then(|pools| pools.get(pool));
            let members = pool_now.and_then(|pool| pool.members.as_ref()?.as_ref().ok());
            members.into_iter().flatten().map(|item| Claim::PoolMember(pool.clone(), item.clone())).collect()
        }
        Scope::Entries(path) => {
            let acl = snapshot.acl.iter().flat_map(BTreeMap::keys);
            acl.filter(|key| key.path == *path).map(|key| Claim::Acl(key.clone())).collect()
        }
    }
}
