//! The users of a realm before they first sign in: made as Proxmox VE would make them then, with the groups that it would put
//! them into. They are nobody's, as users that are made at a login, so no ledger knows them; [`deprovision`](super::deprovision)
//! says what becomes of those that are gone.

use std::collections::BTreeSet;

use crate::core::claim::{Claim, Membership, Scope, Thing};
use crate::core::object::{Mode, Object};
use crate::core::plan::compare::{Standing, presence};
use crate::core::plan::order::{Act, Operation};
use crate::core::plan::release::removal;
use crate::core::plan::stakes::Stakes;
use crate::core::plan::{ClaimState, Draft, Input, Purpose};
use crate::core::roster::{Newcomer, Provision, Roster};
use crate::core::visibility::{Sight, View};
use crate::core::write::Write;

/// Makes those whom a realm's source lets in, where the realm stands as it should and nothing is known to hide them.
pub(super) fn newcomers(input: &Input<'_>, view: &View<'_>, stakes: &Stakes<'_>, draft: &mut Draft) {
    for (index, object) in input.objects.iter().enumerate().filter(|(_, object)| !object.is_foreign()) {
        let Some(Roster { realm, provision: Some(provision), .. }) = &object.roster else { continue };
        let claim = Claim::Thing(Thing::Realm(realm.clone()));
        let stands = draft.verdicts[index].claims.get(&claim) == Some(&ClaimState::Standing);
        if !stands || !matches!(object.mode, Mode::Manage | Mode::Observe) {
            continue;
        }
        for operation in (Source { input, view, stakes, roster: provision, realm: realm.as_str() }).operations() {
            add(input, draft, index, object, operation);
        }
    }
}

fn add(input: &Input<'_>, draft: &mut Draft, index: usize, object: &Object, mut operation: Operation) {
    let claim = operation.claim.clone();
    let state = match (object.mode, input.backing_off(&claim)) {
        (Mode::Observe, _) if operation.purpose == Purpose::Remove => ClaimState::Surplus,
        (Mode::Observe, _) => ClaimState::Differs(None),
        (_, Some(failure)) => ClaimState::Failed(failure.clone()),
        (_, None) => {
            let state = input.attempt(&claim, &operation.purpose);
            operation.owners.push(index);
            draft.push(operation, input.objects);
            state
        }
    };
    draft.state(index, &claim, state);
}

struct Source<'a> {
    input: &'a Input<'a>,
    view: &'a View<'a>,
    stakes: &'a Stakes<'a>,
    roster: &'a Provision,
    realm: &'a str,
}

impl Source<'_> {
    fn operations(&self) -> Vec<Operation> {
        let mut operations = Vec::new();
        for newcomer in &self.roster.people {
            let user = Claim::Thing(Thing::User(newcomer.user.clone()));
            // A user's own object decides.
            if self.stakes.by_claim.get(&user).is_some_and(|stakes| !stakes.is_empty()) {
                continue;
            }
            match presence(&user, self.input.snapshot, self.view) {
                Standing::Absent(Sight::Clear) => {
                    operations.push(operation(making(newcomer), user.clone(), Purpose::Create, None));
                    operations.extend(self.joins(newcomer, Some(&user)));
                }
                Standing::Same => {
                    operations.extend(self.joins(newcomer, None));
                    operations.extend(self.leaves(newcomer));
                }
                Standing::Absent(Sight::Blocked | Sight::Uncertain)
                | Standing::Different { .. }
                | Standing::Unread(_) => {}
            }
        }
        operations
    }

    /// The groups that exist and that the newcomer is not in.
    fn joins(&self, newcomer: &Newcomer, after: Option<&Claim>) -> Vec<Operation> {
        let groups = newcomer
            .groups
            .iter()
            .filter(|group| self.input.snapshot.groups.as_ref().is_ok_and(|groups| groups.contains_key(*group)));
        let joins = groups.map(|group| Membership { group: group.clone(), user: newcomer.user.clone() });
        let missing = joins.filter(|it| {
            let claim = Claim::Member(it.clone());
            !self.stakes.is_claimed(&claim)
                && !self.is_kept_out(it)
                && matches!(presence(&claim, self.input.snapshot, self.view), Standing::Absent(Sight::Clear))
        });
        missing.map(|it| operation(Act::Join(it.clone()), Claim::Member(it), Purpose::Create, after)).collect()
    }

    /// Whether an object owns the group's members, or the user's groups, exactly.
    fn is_kept_out(&self, Membership { group, user }: &Membership) -> bool {
        let scopes = [Scope::Members(group.clone()), Scope::Groups(user.clone())];
        let exact = |object: &Object| object.mode == Mode::Manage && scopes.iter().any(|it| object.exact.contains(it));
        self.input.objects.iter().any(exact)
    }

    /// The groups of the realm that the claim does not list any more, where a login would take them away too.
    fn leaves(&self, newcomer: &Newcomer) -> Vec<Operation> {
        if !self.roster.overwrite {
            return Vec::new();
        }
        let suffix = format!("-{}", self.realm);
        let groups = self.input.snapshot.groups_of(&newcomer.user).into_iter();
        let left = groups.filter(|group| group.as_str().ends_with(&suffix) && !newcomer.groups.contains(group));
        left.map(|group| Claim::Member(Membership { group, user: newcomer.user.clone() }))
            .filter(|claim| !self.stakes.is_claimed(claim))
            .map(|claim| operation(removal(&claim), claim, Purpose::Remove, None))
            .collect()
    }
}

fn making(newcomer: &Newcomer) -> Act {
    let thing = Thing::User(newcomer.user.clone());
    Act::Write(vec![Write::create(thing, newcomer.fields.clone())])
}

fn operation(act: Act, claim: Claim, purpose: Purpose, after: Option<&Claim>) -> Operation {
    let after: BTreeSet<Claim> = after.cloned().into_iter().collect();
    Operation { act, claim, owners: Vec::new(), after, purpose, hidden: None, issue: None }
}
