//! What a replica does about the shards: a pure function of what it has seen.

use std::collections::BTreeSet;
use std::time::Instant;

use super::spread::{Candidate, spread};
use super::view::{Standing, View};

/// Who decides.
#[derive(Debug, Clone, Copy)]
pub struct Me<'a> {
    /// This replica.
    pub identity: &'a str,
    /// Into how many shards it divides the connections.
    pub shards: usize,
    /// It is about to end.
    pub leaving: bool,
}

/// What is to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// Shards of ours that go to others, or to nobody: what is under way for them is to finish first.
    pub give: BTreeSet<usize>,
    /// Who is to hold which shard, where that is not so yet.
    pub holders: Option<Vec<Option<String>>>,
    /// Somebody at work divides the connections into another number of shards: nothing may be taken.
    pub other_number: Option<usize>,
}

/// Decides. A shard of ours is given only when its work has finished (`is_idle`); one of another replica is never taken
/// while that may still work; what is free is given to whom it should go, whoever notices first.
pub fn decide(view: &View, me: Me<'_>, is_idle: impl Fn(usize) -> bool, now: Instant) -> Decision {
    let Me { identity, shards, leaving } = me;
    let stand = view.table().map_or(&[][..], |table| &table.holders);
    let may_work = |holder: &String| view.standing(holder, now) != Standing::Gone;
    if stand.len() != shards && stand.iter().flatten().any(may_work) {
        return Decision { other_number: Some(stand.len()), ..Decision::default() };
    }
    let holders: Vec<Option<&str>> = if stand.len() == shards {
        stand.iter().map(|holder| holder.as_ref().filter(|it| may_work(it)).map(String::as_str)).collect()
    } else {
        vec![None; shards]
    };
    let candidates: Vec<Candidate<'_>> = view
        .members(Standing::Alive, now)
        .filter(|(it, member)| member.shards == shards && !(leaving && *it == identity))
        .map(|(it, member)| Candidate { identity: it, born: member.born })
        .collect();
    // Who leaves holds nothing that anybody should count.
    let counted: Vec<Option<&str>> =
        holders.iter().map(|holder| holder.filter(|it| !(leaving && *it == identity))).collect();
    let target = spread(&candidates, &counted);
    let mut decision = Decision::default();
    let wanted: Vec<Option<String>> = (0..shards)
        .map(|shard| {
            let next = match holders[shard] {
                Some(holder) if holder == identity && target[shard] != Some(identity) => {
                    decision.give.insert(shard);
                    if is_idle(shard) { target[shard] } else { Some(identity) }
                }
                Some(holder) => Some(holder),
                None => target[shard],
            };
            next.map(str::to_owned)
        })
        .collect();
    decision.holders = (wanted != stand).then_some(wanted);
    decision
}
