//! What becomes of a realm's users that are gone from its source: Proxmox VE makes users at login and never removes them.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::openid::OnRemoval;
use crate::api::{Object as _, ProxmoxUser, Reason};
use crate::core::claim::{Claim, Membership, Progress, Scope, Thing};
use crate::core::fields::Fields;
use crate::core::ids::UserId;
use crate::core::object::{Mode, Object, Refusal};
use crate::core::plan::order::{Act, Operation};
use crate::core::plan::release::removal;
use crate::core::plan::stakes::Stakes;
use crate::core::plan::{ClaimState, Draft, Input, Purpose, Verdict};
use crate::core::policy;
use crate::core::roster::{Present, Roster};
use crate::core::snapshot::OptionValue;
use crate::core::text::first_of;
use crate::core::write::Write;

/// So many users of a realm may go at once, unless they are all: in a small one they are soon more than half.
const FEW: usize = 2;

/// So many users are named in a message.
const SHOWN: usize = 3;

/// Judges the users that a realm's source does not have. Nothing of them is ours, so no ledger knows it, and nobody is
/// ever enabled again: a person may have disabled them for another reason.
pub(super) fn departed(input: &Input<'_>, stakes: &Stakes<'_>, policy: &policy::Judge<'_>, draft: &mut Draft) {
    let mut begun: BTreeMap<Claim, usize> =
        draft.operations.iter().enumerate().map(|(index, operation)| (operation.claim.clone(), index)).collect();
    for (index, object) in input.objects.iter().enumerate().filter(|(_, object)| !object.is_foreign()) {
        let Some(roster) = object.roster.as_ref().filter(|it| decides(object, it, &draft.verdicts[index])) else {
            continue;
        };
        let judged = roster.present.as_ref().map_err(Clone::clone).and_then(|present| {
            let judge = Judge { input, stakes, roster, present, namespace: &object.key.namespace };
            judge.removals(object.mode, &mut draft.missed)
        });
        let (removals, warning) = match judged {
            Ok(Removals { claims, warning }) => (claims, warning),
            Err(warning) => (BTreeSet::new(), Some(warning)),
        };
        draft.verdicts[index].warning = warning;
        for claim in removals {
            let denial = policy.denies_removal(object, &claim);
            let state = match (object.mode, input.backing_off(&claim)) {
                (Mode::Observe, _) => difference(&claim),
                _ if denial.is_some() => denial.map_or(ClaimState::Surplus, ClaimState::Refused),
                (_, Some(failure)) => ClaimState::Failed(failure.clone()),
                (_, None) => {
                    let operation = removing(&claim);
                    let state = input.attempt(&claim, &operation.purpose);
                    let at = *begun.entry(claim.clone()).or_insert_with(|| {
                        draft.operations.push(operation);
                        draft.operations.len() - 1
                    });
                    draft.operations[at].owners.push(index);
                    state
                }
            };
            draft.state(index, &claim, state);
        }
    }
}

/// Whether the object has a say in the realm that stands: nobody's users are touched for one that was not first.
fn decides(object: &Object, roster: &Roster, verdict: &Verdict) -> bool {
    let realm = Claim::Thing(Thing::Realm(roster.realm.clone()));
    let state = verdict.claims.get(&realm);
    match object.mode {
        Mode::Manage => {
            let held = verdict.ledger.get(&realm).is_some_and(|entry| entry.progress == Progress::Applied);
            held && !matches!(state, Some(ClaimState::Refused(refusal)) if refusal.reason == Reason::Conflict)
        }
        Mode::Observe => matches!(state, Some(ClaimState::Standing | ClaimState::Differs(Some(_)))),
        Mode::Suspended
        | Mode::Denied
        | Mode::Revoked
        | Mode::Deleting
        | Mode::DeletingSuspended
        | Mode::DeletingObserver => false,
    }
}

/// What is to be done about users, and what is worth knowing of the others.
struct Removals {
    claims: BTreeSet<Claim>,
    warning: Option<Refusal>,
}

/// What goes of one user.
struct Fate {
    going: BTreeSet<Claim>,
    /// The user with why something stays.
    stays: Option<String>,
}

struct Judge<'a> {
    input: &'a Input<'a>,
    stakes: &'a Stakes<'a>,
    roster: &'a Roster,
    present: &'a Present,
    /// Where what is said is read.
    namespace: &'a str,
}

impl Judge<'_> {
    /// `Err` tells why nothing is done at all.
    fn removals(&self, mode: Mode, missed: &mut BTreeSet<UserId>) -> Result<Removals, Refusal> {
        let users = self.input.snapshot.users.iter().flatten();
        let enabled: Vec<&UserId> =
            users.filter(|(id, user)| user.enabled && id.realm() == self.roster.realm).map(|(id, _)| id).collect();
        let mut gone: Vec<&UserId> = enabled.iter().copied().filter(|user| !self.present.has(user)).collect();
        missed.extend(gone.iter().copied().cloned());
        gone.retain(|user| self.is_known_to_be_gone(user));
        if gone.is_empty() {
            return Ok(Removals { claims: BTreeSet::new(), warning: None });
        }
        if let Some(why) = self.roster.writes().then(|| self.hold()).flatten() {
            return Err(self.left(&gone, &format!("nothing is done about them now: {why}")));
        }
        let (mut claims, mut people, mut left) = (BTreeSet::new(), Vec::new(), Vec::new());
        for user in gone {
            let Fate { going, stays } = self.fate(user);
            if !going.is_empty() {
                people.push(user);
            }
            claims.extend(going);
            left.extend(stays);
        }
        let many = people.len() > FEW && people.len() * 2 > enabled.len();
        let too_many = many || (!people.is_empty() && people.len() == enabled.len());
        if too_many && mode != Mode::Observe && self.roster.confirmed.as_ref() != Some(&self.present.id()) {
            return Err(self.too_many(&people, enabled.len()));
        }
        let to_do = match self.roster.on_removal {
            OnRemoval::Report => "disable or remove them, add them to it, or set openid.users.onRemoval",
            OnRemoval::Disable | OnRemoval::RemoveGroups => {
                "they stay as they are; add them to it, or change what decides"
            }
        };
        let warning = (!left.is_empty()).then(|| self.left(&left, to_do));
        Ok(Removals { claims, warning })
    }

    /// What was asked for before somebody was seen does not speak about them: they may have been let in, and have signed in,
    /// since.
    fn is_known_to_be_gone(&self, user: &UserId) -> bool {
        let since = self.input.memory.missed.get(user);
        self.roster.asked_in.is_none_or(|asked| since.is_some_and(|since| *since < asked))
    }

    /// Why nobody can be said to be gone now.
    fn hold(&self) -> Option<String> {
        if let Some(why) = self.input.frozen {
            return Some(why.to_owned());
        }
        // A user's object that cannot say which user it is may be about any of them.
        let untold = self.input.objects.iter().find(|object| {
            let about_somebody = object.wanted.iter().map(|wanted| &wanted.claim).chain(object.ledger.keys());
            let mut users = about_somebody.filter(|claim| matches!(claim, Claim::Thing(Thing::User(_))));
            // What is denied will say nothing, and what somebody else's object may say keeps nobody here.
            let may_say = matches!(object.mode, Mode::Manage | Mode::Observe | Mode::Suspended);
            let is_near = !object.is_foreign() && object.key.namespace == self.namespace;
            object.key.kind == ProxmoxUser::KIND && may_say && is_near && users.next().is_none()
        });
        untold
            .map(|object| format!("{} cannot say yet what it wants; correct it", object.key.as_told_to(self.namespace)))
    }

    fn fate(&self, user: &UserId) -> Fate {
        let stays = |stays: String| Fate { going: BTreeSet::new(), stays: Some(stays) };
        let thing = Claim::Thing(Thing::User(user.clone()));
        if *user == self.input.snapshot.credential.user() {
            return stays(format!("{user} (the operator's own user)"));
        }
        if let Some(stake) = self.stakes.by_claim.get(&thing).and_then(|stakes| stakes.first()) {
            return stays(format!(
                "{user} ({} decides)",
                self.input.objects[stake.object].key.as_told_to(self.namespace)
            ));
        }
        match self.roster.on_removal {
            OnRemoval::Report => stays(user.to_string()),
            OnRemoval::Disable => Fate { going: BTreeSet::from([thing]), stays: None },
            OnRemoval::RemoveGroups => self.memberships(user),
        }
    }

    fn memberships(&self, user: &UserId) -> Fate {
        let (mut going, mut stays) = (BTreeSet::new(), None);
        let scope = Scope::Groups(user.clone());
        for group in self.input.snapshot.groups_of(user) {
            let claim = Claim::Member(Membership { group: group.clone(), user: user.clone() });
            let claimed = self.stakes.is_claimed(&claim).then(|| self.stakes.by_claim[&claim][0].object);
            let open = |object: &Object| object.mode.is_live() && object.open.iter().any(|open| open.meets(&scope));
            match claimed.or_else(|| self.input.objects.iter().position(open)) {
                Some(object) => {
                    let object = self.input.objects[object].key.as_told_to(self.namespace);
                    stays.get_or_insert_with(|| format!("{user} ({object} decides about group {group})"));
                }
                None => drop(going.insert(claim)),
            }
        }
        Fate { going, stays }
    }

    fn left(&self, users: &[impl std::fmt::Display], to_do: &str) -> Refusal {
        let message = format!(
            "enabled users of realm {} are not in its source: {}; {to_do}",
            self.roster.realm,
            first_of(users, SHOWN, ", ")
        );
        Refusal::new(Reason::UsersNotInSource, message)
    }

    fn too_many(&self, people: &[&UserId], enabled: usize) -> Refusal {
        let message = format!(
            "{} of {enabled} enabled users of realm {} are not in its source, and nothing is done about so many at once: \
             {}; add them to the source, or if it is right set the annotation {}: \"{}\" on this object",
            people.len(),
            self.roster.realm,
            first_of(people, SHOWN, ", "),
            crate::api::CONFIRM_REMOVALS,
            self.present.id()
        );
        Refusal::new(Reason::RemovalsHeld, message)
    }
}

/// How an observed realm differs from what it would do.
fn difference(claim: &Claim) -> ClaimState {
    match claim {
        Claim::Thing(_) => ClaimState::Differs(Some(vec!["enable".to_owned()])),
        Claim::Member(_) | Claim::PoolMember(..) | Claim::Acl(_) => ClaimState::Surplus,
    }
}

fn removing(claim: &Claim) -> Operation {
    let (act, purpose) = match claim {
        Claim::Thing(thing) => (disabling(thing), Purpose::Disable),
        Claim::Member(_) | Claim::PoolMember(..) | Claim::Acl(_) => (removal(claim), Purpose::Remove),
    };
    Operation {
        act,
        claim: claim.clone(),
        owners: Vec::new(),
        after: BTreeSet::new(),
        purpose,
        hidden: None,
        issue: None,
    }
}

fn disabling(user: &Thing) -> Act {
    let set = Fields::from([("enable".to_owned(), OptionValue::Plain("0".to_owned()))]);
    Act::Write(vec![Write::Update { thing: user.clone(), set, unset: BTreeSet::new(), digest: None }])
}
