//! What must stand before a claim can be made.

use std::collections::BTreeSet;

use crate::api::Reason;
use crate::core::claim::Claim;
use crate::core::ids::{AclKey, Subject};
use crate::core::object::{ObjectKey, Refusal};
use crate::core::plan::compare::{self, Standing};
use crate::core::plan::make::Maker;
use crate::core::plan::{ClaimState, Draft};
use crate::core::visibility::Sight;

impl Maker<'_> {
    /// What must be done before, or why it cannot be done.
    pub(super) fn needs(
        &self,
        draft: &Draft,
        claim: &Claim,
        objects: &[ObjectKey],
    ) -> Result<BTreeSet<Claim>, Refusal> {
        let mut after = BTreeSet::new();
        for key in objects {
            let Some(index) = self.index.get(key) else {
                return Err(not_ready(key, "it is not there"));
            };
            let verdict = &draft.verdicts[*index];
            if let Some(refusal) = verdict.refusals.first() {
                return Err(not_ready(key, refusal.reason.as_str()));
            }
            match verdict.worst() {
                Some(ClaimState::Refused(refusal)) => return Err(not_ready(key, refusal.reason.as_str())),
                Some(ClaimState::Failed(failure)) => return Err(not_ready(key, failure.kind.reason().as_str())),
                _ => after.extend(verdict.claims.keys().filter(|claim| self.planned.contains(claim)).cloned()),
            }
        }
        match claim {
            Claim::Realm(_) | Claim::Group(_) => {}
            Claim::Pool(id) => {
                if let Some(parent) = id.parent() {
                    let parent = Claim::Pool(parent);
                    if self.stands_or_comes(&parent, &mut after) == Some(false) {
                        return Err(missing(&parent, "create it with a ProxmoxPool"));
                    }
                }
            }
            Claim::Acl(AclKey { subject, role, .. }) => {
                if self.input.snapshot.roles.as_ref().is_ok_and(|roles| !roles.contains_key(role)) {
                    return Err(Refusal::new(
                        Reason::DependencyNotReady,
                        format!("role {role} does not exist in PVE; check its spelling (case counts) or create it"),
                    ));
                }
                match subject {
                    Subject::Group(group) => {
                        let group = Claim::Group(group.clone());
                        if self.stands_or_comes(&group, &mut after) == Some(false) {
                            return Err(missing(&group, "create it with a ProxmoxGroup"));
                        }
                    }
                    Subject::User(user) => {
                        let stands = self.input.snapshot.users.as_ref().map(|users| users.contains_key(user));
                        let own = *user == self.input.snapshot.credential.user();
                        if stands == Ok(false) && !own && self.view.sight_of_users() == Sight::Clear {
                            return Err(Refusal::new(
                                Reason::DependencyNotReady,
                                format!(
                                    "user {user} does not exist in PVE yet; it appears when it first signs in or is created"
                                ),
                            ));
                        }
                    }
                    Subject::Token(_) => {}
                }
            }
        }
        Ok(after)
    }

    /// Whether a claim stands or is made by this plan; `None` when it cannot be seen.
    fn stands_or_comes(&self, claim: &Claim, after: &mut BTreeSet<Claim>) -> Option<bool> {
        if self.planned.contains(claim) {
            after.insert(claim.clone());
            return Some(true);
        }
        match compare::presence(claim, self.input.snapshot, self.view) {
            Standing::Same | Standing::Different { .. } => Some(true),
            Standing::Absent(Sight::Clear) => Some(false),
            Standing::Absent(Sight::Uncertain | Sight::Blocked) | Standing::Unread(_) => None,
        }
    }
}

fn missing(claim: &Claim, hint: &str) -> Refusal {
    Refusal::new(Reason::DependencyNotReady, format!("{claim} does not exist in PVE; {hint}, or wait until it appears"))
}

fn not_ready(key: &ObjectKey, why: &str) -> Refusal {
    Refusal::new(Reason::DependencyNotReady, format!("{} is not ready: {why}", key.short()))
}
