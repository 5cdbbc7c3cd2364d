//! What is wanted: taken over, made or changed.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::api::Reason;
use crate::core::claim::{Claim, Content, PoolItem, Thing, Wanted};
use crate::core::ids::GuestId;
use crate::core::object::{Mode, ObjectKey, Refusal};
use crate::core::plan::compare::{self, Standing};
use crate::core::plan::stakes::{Stake, Stakes, agree};
use crate::core::plan::{ClaimState, Draft, Input};
use crate::core::snapshot::Snapshot;
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
    let firsts = Firsts::new(stakes, input.snapshot);
    for (claim, interests) in &stakes.by_claim {
        let winner = stakes.winner(interests);
        let mut operation = None;
        for stake in interests {
            let Some(wanted) = stake.wanted else { continue };
            match input.objects[stake.object].mode {
                Mode::Observe => maker.observe(draft, stake.object, wanted),
                Mode::Manage => {
                    let kept = stakes.keeper(claim, interests).map(|keeper| (claim.to_string(), keeper));
                    if let Some((what, rival)) = kept.or_else(|| firsts.rival(stake, wanted, winner)) {
                        let message = contest(&what, &input.objects[rival].key, &input.objects[stake.object].key);
                        draft.refuse(stake.object, claim, Reason::Conflict, message);
                        continue;
                    }
                    let wanted = firsts.without_flag(draft, input, stake, wanted);
                    let inherited = stakes.inherited(interests, stake.object);
                    maker.manage(draft, *stake, &wanted, inherited, &mut operation);
                }
                Mode::Suspended
                | Mode::Denied
                | Mode::Revoked
                | Mode::Deleting
                | Mode::DeletingSuspended
                | Mode::DeletingObserver => {}
            }
        }
        if let Some(operation) = operation
            && draft.push(operation, input.objects)
        {
            maker.planned.insert((*claim).clone());
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
    fn new(stakes: &Stakes<'a>, snapshot: &Snapshot) -> Self {
        let wanting = stakes.by_claim.values().flatten().filter(|stake| stake.wanted.is_some_and(wants_default));
        let wanting: Vec<Stake<'_>> = wanting.copied().collect();
        // Who has the flag keeps it, also against an older one that asks for it later.
        let having: Vec<Stake<'_>> = wanting.iter().copied().filter(|stake| has_default(stake, snapshot)).collect();
        let default = stakes.winner(&having).or_else(|| stakes.winner(&wanting));
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

    /// The claim, without the flag of the default realm where another object has that: the rest of a realm does not
    /// wait for it.
    fn without_flag<'w>(
        &self,
        draft: &mut Draft,
        input: &Input<'_>,
        stake: &Stake<'_>,
        wanted: &'w Wanted,
    ) -> Cow<'w, Wanted> {
        let Some(first) = self.default.filter(|first| first.object != stake.object && wants_default(wanted)) else {
            return Cow::Borrowed(wanted);
        };
        let message = contest("the default realm", &input.objects[first.object].key, &input.objects[stake.object].key);
        draft.verdicts[stake.object].refusals.push(Refusal::new(Reason::Conflict, message));
        let mut rest = wanted.clone();
        if let Content::Realm(realm) = &mut rest.content {
            realm.options.remove("default");
        }
        Cow::Owned(rest)
    }

    /// What another object was first with, and which one.
    fn rival(&self, stake: &Stake<'_>, wanted: &Wanted, winner: Option<Stake<'_>>) -> Option<(String, usize)> {
        if let Some(Stake { object, wanted: Some(theirs), entry: _ }) = winner
            && object != stake.object
            && !agree(wanted, theirs)
        {
            return Some((contested(wanted), object));
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

fn contest(what: &str, winner: &ObjectKey, loser: &ObjectKey) -> String {
    let winner = winner.as_told_to(&loser.namespace);
    format!("{winner} claims {what} too and it came first; make both say the same, or delete one of them")
}

/// The claim, with what two objects say otherwise of it.
fn contested(wanted: &Wanted) -> String {
    match &wanted.claim {
        Claim::Acl(_) => format!("{} with another propagate", wanted.claim),
        claim => claim.to_string(),
    }
}

/// Whether a realm of ours is the default one now.
fn has_default(stake: &Stake<'_>, snapshot: &Snapshot) -> bool {
    let claim = stake.wanted.filter(|_| stake.entry.is_some()).map(|wanted| &wanted.claim);
    let Some(Claim::Thing(Thing::Realm(id))) = claim else { return false };
    snapshot.realms.as_ref().is_ok_and(|realms| realms.realms.get(id).is_some_and(|realm| realm.default))
}

fn wants_default(wanted: &Wanted) -> bool {
    match &wanted.content {
        Content::Realm(realm) => realm.is_default(),
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
    fn observe(&self, draft: &mut Draft, object: usize, wanted: &Wanted) {
        let state = match compare::compare(wanted, None, self.input.snapshot, self.view) {
            Standing::Same => ClaimState::Standing,
            Standing::Absent(Sight::Clear | Sight::Uncertain) => ClaimState::Differs(None),
            Standing::Absent(Sight::Blocked) => ClaimState::Refused(unseen(&wanted.claim)),
            Standing::Different { fields, writes: _ } => ClaimState::Differs(Some(fields)),
            Standing::Unread(failure) => ClaimState::Failed(failure),
        };
        draft.state(object, &wanted.claim, state);
    }
}

pub(super) fn unseen(claim: &Claim) -> Refusal {
    Refusal::new(
        Reason::Forbidden,
        format!("whether {claim} exists cannot be seen: the connection's credential needs {}", shows(claim)),
    )
}
