//! What this replica has seen of the others. Whether another one still works is judged by when its Lease was last seen to
//! change, on the own clock alone.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::record::{Listed, Member, Table};

/// Leases, and since when they stand so.
#[derive(Debug, Default)]
pub struct View {
    listed: Listed,
    /// By identity: since when its Lease is seen in this version.
    since: BTreeMap<String, Instant>,
    /// Holders of shards that have no Lease.
    absent: BTreeMap<String, Absence>,
}

/// Why the holder of a shard has no Lease.
#[derive(Debug, Clone, Copy)]
enum Absence {
    /// It ran out, and this replica has deleted it.
    Buried,
    /// Somebody has deleted it, and when that was seen. Until it would have run out its holder may not know.
    Since(Instant, Duration),
}

/// How it stands with a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It renews its Lease.
    Alive,
    /// It may still work.
    Unknown,
    /// Its Lease has run out; it counts as gone once that is deleted, which fails when it was renewed after all.
    Dead,
    /// It does not work any more.
    Gone,
}

impl View {
    /// Takes in what is listed now; `duration` is how long a Lease lasts where nothing else is known.
    pub fn observe(&mut self, listed: Listed, duration: Duration, now: Instant) {
        for (identity, member) in &listed.members {
            let before = self.listed.members.get(identity).map(|before| &before.version);
            if before != Some(&member.version) {
                self.since.insert(identity.clone(), now);
            }
        }
        self.since.retain(|identity, _| listed.members.contains_key(identity));
        let holders = listed.table.iter().flat_map(|table| table.holders.iter().flatten());
        let absent: Vec<&String> = holders.filter(|holder| !listed.members.contains_key(*holder)).collect();
        self.absent.retain(|identity, _| absent.contains(&identity));
        for identity in absent {
            let known = self.listed.members.get(identity).map_or(duration, |member| member.duration);
            self.absent.entry(identity.clone()).or_insert(Absence::Since(now, known));
        }
        self.listed = listed;
    }

    /// A replica whose Lease had run out is buried: its Lease was deleted as it was seen last.
    pub fn buried(&mut self, identity: &str) {
        self.listed.members.remove(identity);
        self.since.remove(identity);
        self.absent.insert(identity.to_owned(), Absence::Buried);
    }

    /// The table was written.
    pub fn wrote(&mut self, table: Table) {
        self.listed.table = Some(table);
    }

    /// Who holds which shard.
    pub fn table(&self) -> Option<&Table> {
        self.listed.table.as_ref()
    }

    /// The Lease of a replica.
    pub fn member(&self, identity: &str) -> Option<&Member> {
        self.listed.members.get(identity)
    }

    /// How it stands with a replica.
    pub fn standing(&self, identity: &str, now: Instant) -> Standing {
        let lasted = |since: &Instant| now.saturating_duration_since(*since);
        match (self.listed.members.get(identity), self.since.get(identity)) {
            (Some(member), Some(since)) if lasted(since) >= member.duration => Standing::Dead,
            (Some(_), _) => Standing::Alive,
            (None, _) => match self.absent.get(identity) {
                Some(Absence::Buried) => Standing::Gone,
                Some(Absence::Since(since, duration)) if lasted(since) >= *duration => Standing::Gone,
                Some(Absence::Since(..)) | None => Standing::Unknown,
            },
        }
    }

    /// The replicas in this state.
    pub fn members(&self, standing: Standing, now: Instant) -> impl Iterator<Item = (&String, &Member)> {
        self.listed.members.iter().filter(move |(identity, _)| self.standing(identity, now) == standing)
    }
}
