//! What is wanted: taken over, made or changed.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::Reason;
use crate::core::claim::{Claim, Content, Entry, Origin, Progress, Wanted};
use crate::core::object::{Adoption, Mode, ObjectKey, Refusal};
use crate::core::plan::compare::{self, Standing};
use crate::core::plan::order::{Act, Operation};
use crate::core::plan::stakes::{Stake, Stakes, agree};
use crate::core::plan::{ClaimState, Draft, Input, Purpose};
use crate::core::visibility::{Sight, View, shows};

/// Judges every wanted claim. Claims come in the order realm, group, pool, ACL entry: what others need is judged
/// before them.
pub(super) fn wanted(input: &Input<'_>, view: &View<'_>, stakes: &Stakes<'_>, draft: &mut Draft) {
    let index: BTreeMap<&ObjectKey, usize> =
        input.objects.iter().enumerate().map(|(index, object)| (&object.key, index)).collect();
    let mut maker = Maker { input, view, index, planned: BTreeSet::new() };
    let default = default_realm(stakes);
    for (claim, interests) in &stakes.by_claim {
        let winner = stakes.winner(interests);
        let mut operation = None;
        for stake in interests {
            let Some(wanted) = stake.wanted else { continue };
            match input.objects[stake.object].mode {
                Mode::Observe => maker.observe(draft, stake.object, wanted, winner.is_some()),
                Mode::Manage => match rival(stake, wanted, winner, default) {
                    Some((what, rival)) => {
                        let message = contest(&what, &input.objects[rival].key);
                        draft.refuse(stake.object, claim, Reason::Conflict, message);
                    }
                    None => {
                        maker.manage(draft, *stake, wanted, Stakes::inherited(interests, stake.object), &mut operation);
                    }
                },
                Mode::Suspended | Mode::Deleting | Mode::DeletingSuspended | Mode::DeletingObserver => {}
            }
        }
        if let Some(operation) = operation {
            maker.planned.insert((*claim).clone());
            draft.operations.push(operation);
        }
    }
}

/// What another object was first with, and which one.
fn rival(
    stake: &Stake<'_>,
    wanted: &Wanted,
    winner: Option<Stake<'_>>,
    default: Option<Stake<'_>>,
) -> Option<(String, usize)> {
    match (winner, default) {
        (Some(Stake { object, wanted: Some(theirs), .. }), _) if object != stake.object && !agree(wanted, theirs) => {
            Some((wanted.claim.to_string(), object))
        }
        (_, Some(first)) if first.object != stake.object && wants_default(wanted) => {
            Some(("the default realm".to_owned(), first.object))
        }
        _ => None,
    }
}

fn contest(what: &str, winner: &ObjectKey) -> String {
    format!("{} claims {what} too and it came first; make both say the same, or delete one of them", winner.short())
}

/// Who of those that want their realm to be the default one may have it: PVE has one for the whole cluster.
fn default_realm<'a>(stakes: &Stakes<'a>) -> Option<Stake<'a>> {
    let wanting = stakes.by_claim.values().flatten().filter(|stake| stake.wanted.is_some_and(wants_default));
    stakes.winner(&wanting.copied().collect::<Vec<_>>())
}

fn wants_default(wanted: &Wanted) -> bool {
    match &wanted.content {
        Content::Realm(realm) => matches!(realm.options.get("default"), Some(Some(value)) if value.expose() == "1"),
        Content::Group { .. } | Content::Pool { .. } | Content::Acl { .. } => false,
    }
}

pub(super) struct Maker<'a> {
    pub input: &'a Input<'a>,
    pub view: &'a View<'a>,
    pub index: BTreeMap<&'a ObjectKey, usize>,
    /// Claims that a step of this plan makes or changes.
    pub planned: BTreeSet<Claim>,
}

impl Maker<'_> {
    fn observe(&self, draft: &mut Draft, object: usize, wanted: &Wanted, managed_by_another: bool) {
        let state = match compare::compare(&wanted.claim, &wanted.content, self.input.snapshot, self.view) {
            Standing::Same => ClaimState::Standing,
            Standing::Absent(Sight::Clear | Sight::Uncertain) => ClaimState::Differs(None),
            Standing::Absent(Sight::Blocked) => ClaimState::Refused(unseen(&wanted.claim)),
            Standing::Different { fields, .. } => ClaimState::Differs(Some(fields)),
            Standing::Unread(failure) => ClaimState::Failed(failure),
        };
        draft.state(object, &wanted.claim, state);
        if managed_by_another {
            draft.verdicts[object].ledger.remove(&wanted.claim);
        }
    }

    fn manage(
        &self,
        draft: &mut Draft,
        stake: Stake<'_>,
        wanted: &Wanted,
        inherited: Option<Origin>,
        operation: &mut Option<Operation>,
    ) {
        let Wanted { claim, content, needs } = wanted;
        let owner = &self.input.objects[stake.object];
        let ledger = &mut draft.verdicts[stake.object].ledger;
        let entry =
            stake.entry.filter(|entry| entry.progress == Progress::Applied || !self.input.exists_already(claim));
        let known = entry
            .or(inherited.map(|origin| Entry { origin, progress: Progress::Intended }))
            .or_else(|| claim.is_builtin().then_some(Entry { origin: Origin::Adopted, progress: Progress::Intended }));
        // What another object of ours leaves behind must never be without a holder, whatever comes next.
        match known {
            Some(entry) => ledger.insert(claim.clone(), entry),
            None => ledger.remove(claim),
        };
        let standing = compare::compare(claim, content, self.input.snapshot, self.view);
        let mut intend = |origin, progress| {
            ledger.insert(claim.clone(), Entry { origin, progress });
        };
        let (purpose, write) = match (known, standing) {
            (_, Standing::Unread(failure)) => return draft.state(stake.object, claim, ClaimState::Failed(failure)),
            (Some(Entry { origin, .. }), Standing::Same) => {
                intend(origin, Progress::Applied);
                return draft.state(stake.object, claim, ClaimState::Standing);
            }
            (None, Standing::Same) if owner.adoption != Adoption::Never => {
                intend(Origin::Adopted, Progress::Applied);
                return draft.state(stake.object, claim, ClaimState::Standing);
            }
            (None, Standing::Same) => {
                return draft.refuse(stake.object, claim, Reason::AlreadyExists, never_adopt(claim));
            }
            (None, Standing::Different { fields, .. }) if owner.adoption != Adoption::Always => {
                return draft.refuse(stake.object, claim, Reason::AlreadyExists, differs(claim, &fields));
            }
            (_, Standing::Different { fields, write: None }) if !matches!(claim, Claim::Acl(_)) => {
                return draft.refuse(stake.object, claim, Reason::Conflict, fixed(claim, &fields));
            }
            (None, Standing::Different { fields, write }) => {
                intend(Origin::Adopted, Progress::Intended);
                (Purpose::Update(fields), write)
            }
            (Some(_), Standing::Different { fields, write }) => {
                (if owner.settled { Purpose::Correct(fields) } else { Purpose::Update(fields) }, write)
            }
            (_, Standing::Absent(Sight::Blocked)) => {
                return draft.state(stake.object, claim, ClaimState::Refused(unseen(claim)));
            }
            (Some(Entry { progress: Progress::Applied, .. }), Standing::Absent(sight)) => {
                // Where we cannot be sure that it is gone, how we came to it must not be forgotten.
                if sight == Sight::Clear {
                    intend(Origin::Created, Progress::Intended);
                }
                (Purpose::Restore, compare::creation(claim, content).map(Box::new))
            }
            (None, Standing::Absent(Sight::Uncertain)) if self.input.exists_already(claim) => {
                return draft.refuse(stake.object, claim, Reason::AlreadyExists, hidden(claim));
            }
            (_, Standing::Absent(_)) => {
                intend(Origin::Created, Progress::Intended);
                (Purpose::Create, compare::creation(claim, content).map(Box::new))
            }
        };
        let after = match self.needs(draft, claim, needs) {
            Ok(after) => after,
            Err(refusal) => {
                // Nothing was written for it, so nothing is intended.
                if known.is_none() {
                    draft.verdicts[stake.object].ledger.remove(claim);
                }
                return draft.state(stake.object, claim, ClaimState::Refused(refusal));
            }
        };
        if let Some(failure) = self.input.backing_off(claim) {
            return draft.state(stake.object, claim, ClaimState::Failed(failure.clone()));
        }
        let becomes = self.input.attempt(claim, &purpose);
        draft.state(stake.object, claim, becomes);
        let act = match (claim, &content, write) {
            (Claim::Acl(key), Content::Acl { propagate }, _) => Act::Grant { key: key.clone(), propagate: *propagate },
            (_, _, Some(write)) => Act::Write(*write),
            // A named claim that is absent or different always has its request.
            (_, _, None) => return,
        };
        operation
            .get_or_insert_with(|| Operation { act, claim: claim.clone(), owners: Vec::new(), after, purpose })
            .owners
            .push(stake.object);
    }
}

pub(super) fn unseen(claim: &Claim) -> Refusal {
    Refusal::new(
        Reason::Forbidden,
        format!("whether {claim} exists cannot be seen: the connection's credential needs {}", shows(claim)),
    )
}

fn hidden(claim: &Claim) -> String {
    format!(
        "PVE says that {claim} exists already, and does not show it: the connection's credential needs {}",
        shows(claim)
    )
}

fn never_adopt(claim: &Claim) -> String {
    format!(
        "{claim} exists already and adoptionPolicy is Never; delete it in PVE, or set adoptionPolicy to IfIdentical"
    )
}

fn differs(claim: &Claim, fields: &[String]) -> String {
    format!(
        "{claim} exists already with another {}; make the spec equal to it, or set adoptionPolicy to Always to overwrite",
        fields.join(", ")
    )
}

fn fixed(claim: &Claim, fields: &[String]) -> String {
    format!(
        "{claim} stands with another {}, which PVE cannot change; make the spec equal to it, or delete it in PVE to have it made again",
        fields.join(", ")
    )
}
