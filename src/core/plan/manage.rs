//! One wanted claim of a managed object: what stands decides what is done.

use crate::api::Reason;
use crate::core::claim::{Claim, Content, Entry, Hidden, Origin, Progress, Wanted};
use crate::core::object::{Adoption, Object, Refusal};
use crate::core::plan::compare::{self, Standing};
use crate::core::plan::issue::{self, Secrecy};
use crate::core::plan::make::{Maker, unseen};
use crate::core::plan::order::{Act, Operation};
use crate::core::plan::stakes::Stake;
use crate::core::plan::{ClaimState, Draft, Purpose};
use crate::core::token::{Former, Token};
use crate::core::visibility::{Sight, shows};
use crate::core::write::Write;

/// What is to be done about a claim.
enum Decision {
    /// Nothing can or need be done, and what the ledger says of it stays.
    Leave(ClaimState),
    /// It stands as wanted, and is held by this origin.
    Hold(Origin),
    /// It is made or changed.
    Change {
        /// What the ledger is to say before; `None` leaves it.
        origin: Option<Origin>,
        /// It is made or taken over: what PVE never shows is as the spec says then.
        fresh: bool,
        purpose: Purpose,
        writes: Vec<Write>,
    },
}

/// How we came to what no ledger of the object says.
fn acquired(claim: &Claim, inherited: Option<(Origin, Former)>) -> Option<Entry> {
    let origin = inherited.map(|(origin, _)| origin).or_else(|| claim.is_unowned().then_some(Origin::Adopted))?;
    Some(Entry { origin, progress: Progress::Intended })
}

impl Maker<'_> {
    /// Judges a claim that nobody else was first with.
    pub(super) fn manage(
        &self,
        draft: &mut Draft,
        stake: Stake<'_>,
        wanted: &Wanted,
        inherited: Option<(Origin, Former)>,
        operation: &mut Option<Operation>,
    ) {
        let claim = &wanted.claim;
        let owner = &self.input.objects[stake.object];
        // An intention that failed because it stands already is none, nor is one that nothing was sent for.
        let held = stake.entry.filter(|entry| entry.progress == Progress::Applied || !self.input.is_in_vain(claim));
        let known = held.or_else(|| acquired(claim, inherited));
        let verdict = &mut draft.verdicts[stake.object];
        // What another object of ours leaves behind must never be without a holder, whatever comes next.
        match known {
            Some(entry) => verdict.ledger.insert(claim.clone(), entry),
            None => verdict.ledger.remove(claim),
        };
        let mut token = owner.token.clone();
        if let (Some(token), None) = (&mut token, held) {
            token.issued = token.taken_over(inherited.map_or(Former::Stranger, |(_, from)| from));
            verdict.token.clone_from(&token.issued);
        }
        let (wanted, secrecy, standing) = match self.look(owner, token.as_ref(), wanted, known) {
            Ok(seen) => seen,
            Err(refusal) => return draft.state(stake.object, claim, ClaimState::Refused(refusal)),
        };
        let Wanted { claim, content, hidden, needs } = &wanted;
        let issue = secrecy.as_ref().and_then(|secrecy| secrecy.issue);
        let version = hidden.as_ref().map(|hidden| hidden.version.clone());
        let (origin, fresh, purpose, writes) = match self.decide(owner, &wanted, known, standing, secrecy.as_ref()) {
            Decision::Leave(left) => return draft.state(stake.object, claim, left),
            Decision::Hold(origin) => {
                verdict.ledger.insert(claim.clone(), Entry { origin, progress: Progress::Applied });
                if known.is_none() {
                    verdict.written = version.or(verdict.written.take());
                }
                let arrival = secrecy.as_ref().map_or(ClaimState::Standing, Secrecy::arrival);
                verdict.token = secrecy.map(|secrecy| secrecy.issued);
                return draft.state(stake.object, claim, arrival);
            }
            Decision::Change { origin, fresh, purpose, writes } => (origin, fresh, purpose, writes),
        };
        let after = match self.needs(draft, claim, content, needs) {
            Ok(after) => after,
            // Nothing was written for it, so nothing is intended.
            Err(refusal) => return draft.state(stake.object, claim, ClaimState::Refused(refusal)),
        };
        let verdict = &mut draft.verdicts[stake.object];
        if let Some(origin) = origin {
            verdict.ledger.insert(claim.clone(), Entry { origin, progress: Progress::Intended });
        }
        let due = due(owner, hidden.as_ref(), known).map(|hidden| hidden.version.clone());
        let due = if fresh { version.clone() } else { due };
        if fresh {
            verdict.written = version.or(verdict.written.take());
        }
        let tried_with = self.input.memory.failures.get(claim).and_then(|failed| failed.hidden.as_ref());
        if let (Some(failure), true) = (self.input.backing_off(claim), tried_with == due.as_ref()) {
            return draft.state(stake.object, claim, ClaimState::Failed(failure.clone()));
        }
        verdict.token = secrecy.map(|secrecy| secrecy.issued).or(verdict.token.take());
        let becomes = self.input.attempt(claim, &purpose);
        draft.state(stake.object, claim, becomes);
        let act = self.act(claim, content, writes);
        operation
            .get_or_insert_with(|| Operation {
                act,
                claim: claim.clone(),
                owners: Vec::new(),
                after,
                purpose,
                hidden: due,
                issue,
            })
            .owners
            .push(stake.object);
    }

    /// The claim as it should be now, and what stands of it.
    fn look(
        &self,
        owner: &Object,
        token: Option<&Token>,
        wanted: &Wanted,
        known: Option<Entry>,
    ) -> Result<(Wanted, Option<Secrecy>, Standing), Refusal> {
        if let Some(refusal) = self.unfit(wanted) {
            return Err(refusal);
        }
        let (snapshot, view) = (self.input.snapshot, self.view);
        let stands = matches!(compare::presence(&wanted.claim, snapshot, view), Standing::Same);
        let adopted = known.is_none_or(|entry| entry.origin == Origin::Adopted);
        let mut secrecy = issue::secrecy(wanted, token, stands, adopted)?;
        let wanted = secrecy.as_ref().map_or(wanted, |secrecy| &secrecy.wanted).clone();
        let mut standing = compare::compare(&wanted, due(owner, wanted.hidden.as_ref(), known), snapshot, view);
        if let (Some(_), Some(secrecy)) = (known, &mut secrecy) {
            standing = self.with_secret(standing, secrecy)?;
        }
        Ok((wanted, secrecy, standing))
    }

    fn decide(
        &self,
        owner: &Object,
        wanted: &Wanted,
        known: Option<Entry>,
        standing: Standing,
        secrecy: Option<&Secrecy>,
    ) -> Decision {
        let claim = &wanted.claim;
        let refuse = |reason, message| Decision::Leave(ClaimState::Refused(Refusal::new(reason, message)));
        let make =
            |origin, purpose| Decision::Change { origin, fresh: true, purpose, writes: self.creation(wanted, secrecy) };
        match (known, standing) {
            (_, Standing::Unread(failure)) => Decision::Leave(ClaimState::Failed(failure)),
            (Some(Entry { origin, .. }), Standing::Same) => Decision::Hold(origin),
            (None, Standing::Same) if owner.adoption != Adoption::Never => Decision::Hold(Origin::Adopted),
            (None, Standing::Same) => refuse(Reason::AlreadyExists, never_adopt(claim)),
            (None, Standing::Different { fields, .. }) if owner.adoption != Adoption::Always => {
                refuse(Reason::AlreadyExists, differs(claim, &fields))
            }
            (_, Standing::Different { fields, writes }) if writes.is_empty() && !matches!(claim, Claim::Acl(_)) => {
                refuse(Reason::Conflict, fixed(claim, &fields))
            }
            (None, Standing::Different { fields, writes }) => {
                let purpose = Purpose::Update(fields);
                Decision::Change { origin: Some(Origin::Adopted), fresh: true, purpose, writes }
            }
            (Some(_), Standing::Different { fields, writes }) => {
                if let Some(refusal) = self.untold(&writes) {
                    return Decision::Leave(ClaimState::Refused(refusal));
                }
                let asked = secrecy.is_some_and(|secrecy| secrecy.issue.is_some());
                let due = due(owner, wanted.hidden.as_ref(), known);
                let purpose = if asked { Purpose::Update(fields) } else { changed(owner, due, fields) };
                Decision::Change { origin: None, fresh: false, purpose, writes }
            }
            (_, Standing::Absent(Sight::Blocked)) => Decision::Leave(ClaimState::Refused(unseen(claim))),
            // Where we cannot be sure that it is gone, how we came to it must not be forgotten.
            (Some(Entry { progress: Progress::Applied, .. }), Standing::Absent(sight)) => {
                make((sight == Sight::Clear).then_some(Origin::Created), Purpose::Restore)
            }
            (None, Standing::Absent(Sight::Uncertain)) if self.input.exists_already(claim) => {
                refuse(Reason::AlreadyExists, hidden_from_us(claim))
            }
            (_, Standing::Absent(_)) => make(Some(Origin::Created), Purpose::Create),
        }
    }

    fn act(&self, claim: &Claim, content: &Content, writes: Vec<Write>) -> Act {
        match (claim, content) {
            (Claim::Acl(key), Content::Acl { propagate }) => Act::Grant { key: key.clone(), propagate: *propagate },
            (Claim::Member(membership), _) => Act::Join(membership.clone()),
            (Claim::PoolMember(pool, item), Content::PoolMember { allow_move }) => {
                let (pool, item, alone) = (pool.clone(), item.clone(), self.may_not_be(item));
                Act::Enter { pool, item, allow_move: *allow_move, alone }
            }
            // A named claim that is absent or different always has its requests.
            _ => Act::Write(writes),
        }
    }
}

/// The hidden field, where it is not the version that was written last.
fn due<'h>(owner: &Object, hidden: Option<&'h Hidden>, known: Option<Entry>) -> Option<&'h Hidden> {
    hidden.filter(|hidden| known.is_some() && owner.written.as_ref() != Some(&hidden.version))
}

/// Why something is changed that is ours: a hidden field that is due was changed by its Secret, not behind our back.
fn changed(owner: &Object, due: Option<&Hidden>, fields: Vec<String>) -> Purpose {
    let only_hidden = due.is_some_and(|hidden| fields.iter().all(|field| field == hidden.name));
    if owner.settled && !only_hidden { Purpose::Correct(fields) } else { Purpose::Update(fields) }
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
