//! What is wanted: taken over, made or changed.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::Reason;
use crate::core::claim::{Claim, Content, Entry, Hidden, Origin, PoolItem, Progress, Wanted};
use crate::core::ids::GuestId;
use crate::core::object::{Adoption, Mode, Object, ObjectKey, Refusal};
use crate::core::plan::compare::{self, Standing};
use crate::core::plan::order::{Act, Operation};
use crate::core::plan::stakes::{Stake, Stakes, agree};
use crate::core::plan::{ClaimState, Draft, Input, Purpose, issue};
use crate::core::visibility::{Sight, View, shows};

/// Judges every wanted claim. Claims come in the order realm, role, group, user, token, pool, membership, pool member,
/// ACL entry: what others need is judged before them.
pub(super) fn wanted<'a>(
    input: &'a Input<'a>,
    view: &'a View<'a>,
    stakes: &Stakes<'_>,
    draft: &mut Draft,
) -> Maker<'a> {
    let index: BTreeMap<&ObjectKey, usize> =
        input.objects.iter().enumerate().map(|(index, object)| (&object.key, index)).collect();
    let mut maker = Maker { input, view, index, planned: BTreeSet::new() };
    let firsts = Firsts::new(stakes);
    for (claim, interests) in &stakes.by_claim {
        let winner = stakes.winner(interests);
        let mut operation = None;
        for stake in interests {
            let Some(wanted) = stake.wanted else { continue };
            match input.objects[stake.object].mode {
                Mode::Observe => maker.observe(draft, stake.object, wanted, winner.is_some()),
                Mode::Manage => match firsts.rival(stake, wanted, winner) {
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
    maker
}

/// Who came first with what PVE has once, whoever claims it where.
struct Firsts<'a> {
    /// With the default realm: there is one for the whole cluster.
    default: Option<Stake<'a>>,
    /// With each guest: it is in one pool (FACTS 83).
    guests: BTreeMap<&'a GuestId, Stake<'a>>,
}

impl<'a> Firsts<'a> {
    fn new(stakes: &Stakes<'a>) -> Self {
        let wanting = stakes.by_claim.values().flatten().filter(|stake| stake.wanted.is_some_and(wants_default));
        let default = stakes.winner(&wanting.copied().collect::<Vec<_>>());
        let mut guests: BTreeMap<&GuestId, Vec<Stake<'_>>> = BTreeMap::new();
        for (claim, interests) in &stakes.by_claim {
            if let Claim::PoolMember(_, PoolItem::Guest(guest)) = claim {
                guests.entry(guest).or_default().extend(interests.iter().copied());
            }
        }
        let guests =
            guests.into_iter().filter_map(|(guest, wanting)| Some((guest, stakes.winner(&wanting)?))).collect();
        Self { default, guests }
    }

    /// What another object was first with, and which one.
    fn rival(&self, stake: &Stake<'_>, wanted: &Wanted, winner: Option<Stake<'_>>) -> Option<(String, usize)> {
        if let Some(Stake { object, wanted: Some(theirs), entry: _ }) = winner
            && object != stake.object
            && !agree(wanted, theirs)
        {
            return Some((wanted.claim.to_string(), object));
        }
        if let Some(first) = self.default
            && first.object != stake.object
            && wants_default(wanted)
        {
            return Some(("the default realm".to_owned(), first.object));
        }
        let Claim::PoolMember(pool, PoolItem::Guest(guest)) = &wanted.claim else { return None };
        let first = self.guests.get(guest)?;
        match first.wanted.map(|wanted| &wanted.claim) {
            Some(Claim::PoolMember(other, _)) if other != pool => {
                Some((format!("guest {guest} (for pool {other})"), first.object))
            }
            _ => None,
        }
    }
}

fn contest(what: &str, winner: &ObjectKey) -> String {
    format!("{} claims {what} too and it came first; make both say the same, or delete one of them", winner.short())
}

fn wants_default(wanted: &Wanted) -> bool {
    match &wanted.content {
        Content::Realm(realm) => matches!(realm.options.get("default"), Some(Some(value)) if value.expose() == "1"),
        Content::Fields(_) | Content::Member | Content::PoolMember { .. } | Content::Acl { .. } => false,
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
        let state = match compare::compare(wanted, None, self.input.snapshot, self.view) {
            Standing::Same => ClaimState::Standing,
            Standing::Absent(Sight::Clear | Sight::Uncertain) => ClaimState::Differs(None),
            Standing::Absent(Sight::Blocked) => ClaimState::Refused(unseen(&wanted.claim)),
            Standing::Different { fields, writes: _ } => ClaimState::Differs(Some(fields)),
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
        let Wanted { claim, content, hidden, needs } = wanted;
        let owner = &self.input.objects[stake.object];
        let verdict = &mut draft.verdicts[stake.object];
        let entry =
            stake.entry.filter(|entry| entry.progress == Progress::Applied || !self.input.exists_already(claim));
        let known = entry
            .or(inherited.map(|origin| Entry { origin, progress: Progress::Intended }))
            .or_else(|| claim.is_builtin().then_some(Entry { origin: Origin::Adopted, progress: Progress::Intended }));
        // What another object of ours leaves behind must never be without a holder, whatever comes next.
        match known {
            Some(entry) => verdict.ledger.insert(claim.clone(), entry),
            None => verdict.ledger.remove(claim),
        };
        if let Some(refusal) = self.unfit(wanted) {
            return draft.state(stake.object, claim, ClaimState::Refused(refusal));
        }
        let stands = matches!(compare::presence(claim, self.input.snapshot, self.view), Standing::Same);
        let adopted = known.is_none_or(|entry| entry.origin == Origin::Adopted);
        let mut secrecy = match issue::secrecy(wanted, owner.token.as_ref(), stands, adopted) {
            Ok(secrecy) => secrecy,
            Err(refusal) => return draft.state(stake.object, claim, ClaimState::Refused(refusal)),
        };
        let due = hidden.as_ref().filter(|hidden| known.is_some() && owner.written.as_ref() != Some(&hidden.version));
        let as_it_should_be = secrecy.as_ref().map_or(wanted, |secrecy| &secrecy.wanted).clone();
        let wanted = &as_it_should_be;
        let mut standing = compare::compare(wanted, due, self.input.snapshot, self.view);
        if let (Some(_), Some(secrecy)) = (known, &mut secrecy) {
            standing = self.with_secret(standing, secrecy);
        }
        let issue = secrecy.as_ref().and_then(|secrecy| secrecy.issue);
        let mut intend = |origin, progress| {
            verdict.ledger.insert(claim.clone(), Entry { origin, progress });
        };
        // What a new thing is made with, and what an adopted one is taken to have.
        let current = || hidden.as_ref().map(|hidden| hidden.version.clone());
        let (purpose, writes) = match (known, standing) {
            (_, Standing::Unread(failure)) => return draft.state(stake.object, claim, ClaimState::Failed(failure)),
            (Some(Entry { origin, .. }), Standing::Same) => {
                intend(origin, Progress::Applied);
                let state = secrecy.as_ref().map_or(ClaimState::Standing, issue::Secrecy::arrival);
                verdict.token = secrecy.map(|secrecy| secrecy.issued);
                return draft.state(stake.object, claim, state);
            }
            (None, Standing::Same) if owner.adoption != Adoption::Never => {
                intend(Origin::Adopted, Progress::Applied);
                verdict.written = current().or(verdict.written.take());
                verdict.token = secrecy.map(|secrecy| secrecy.issued);
                return draft.state(stake.object, claim, ClaimState::Standing);
            }
            (None, Standing::Same) => {
                return draft.refuse(stake.object, claim, Reason::AlreadyExists, never_adopt(claim));
            }
            (None, Standing::Different { fields, .. }) if owner.adoption != Adoption::Always => {
                return draft.refuse(stake.object, claim, Reason::AlreadyExists, differs(claim, &fields));
            }
            (_, Standing::Different { fields, writes }) if writes.is_empty() && !matches!(claim, Claim::Acl(_)) => {
                return draft.refuse(stake.object, claim, Reason::Conflict, fixed(claim, &fields));
            }
            (None, Standing::Different { fields, writes }) => {
                intend(Origin::Adopted, Progress::Intended);
                verdict.written = current().or(verdict.written.take());
                (Purpose::Update(fields), writes)
            }
            (Some(_), Standing::Different { fields, writes }) => {
                if let Some(refusal) = self.untold(&writes) {
                    return draft.state(stake.object, claim, ClaimState::Refused(refusal));
                }
                (if issue.is_some() { Purpose::Update(fields) } else { changed(owner, due, fields) }, writes)
            }
            (_, Standing::Absent(Sight::Blocked)) => {
                return draft.state(stake.object, claim, ClaimState::Refused(unseen(claim)));
            }
            (Some(Entry { progress: Progress::Applied, .. }), Standing::Absent(sight)) => {
                // Where we cannot be sure that it is gone, how we came to it must not be forgotten.
                if sight == Sight::Clear {
                    intend(Origin::Created, Progress::Intended);
                }
                verdict.written = current().or(verdict.written.take());
                (Purpose::Restore, self.creation(wanted, secrecy.as_ref()))
            }
            (None, Standing::Absent(Sight::Uncertain)) if self.input.exists_already(claim) => {
                return draft.refuse(stake.object, claim, Reason::AlreadyExists, hidden_from_us(claim));
            }
            (_, Standing::Absent(_)) => {
                intend(Origin::Created, Progress::Intended);
                verdict.written = current().or(verdict.written.take());
                (Purpose::Create, self.creation(wanted, secrecy.as_ref()))
            }
        };
        let after = match self.needs(draft, claim, content, needs) {
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
        if let Some(issue::Secrecy { issued, .. }) = secrecy {
            draft.verdicts[stake.object].token = Some(issued);
        }
        let act = match (claim, content) {
            (Claim::Acl(key), Content::Acl { propagate }) => Act::Grant { key: key.clone(), propagate: *propagate },
            (Claim::Member(membership), _) => Act::Join(membership.clone()),
            (Claim::PoolMember(pool, item), Content::PoolMember { allow_move }) => Act::Enter {
                pool: pool.clone(),
                item: item.clone(),
                allow_move: *allow_move,
                alone: self.may_not_be(item),
            },
            // A named claim that is absent or different always has its requests.
            _ => Act::Write(writes),
        };
        let hidden = due.map(|hidden| hidden.version.clone());
        operation
            .get_or_insert_with(|| Operation {
                act,
                claim: claim.clone(),
                owners: Vec::new(),
                after,
                purpose,
                hidden,
                issue,
            })
            .owners
            .push(stake.object);
    }
}

/// Why something is changed that is ours: a hidden field that is due was changed by its Secret, not behind our back.
fn changed(owner: &Object, due: Option<&Hidden>, fields: Vec<String>) -> Purpose {
    let only_hidden = due.is_some_and(|hidden| fields.iter().all(|field| field == hidden.name));
    if owner.settled && !only_hidden { Purpose::Correct(fields) } else { Purpose::Update(fields) }
}

pub(super) fn unseen(claim: &Claim) -> Refusal {
    Refusal::new(
        Reason::Forbidden,
        format!("whether {claim} exists cannot be seen: the connection's credential needs {}", shows(claim)),
    )
}

fn hidden_from_us(claim: &Claim) -> String {
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
