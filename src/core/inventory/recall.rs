//! What is new since the pass before: PVE keeps no times, so it is remembered.

use std::collections::{BTreeMap, BTreeSet};

use super::administrators::Administrators;
use super::stock::{Kind, Listed};
use super::{Input, Inventory, name, news};
use crate::core::claim::{Claim, Thing};
use crate::core::ids::RealmId;
use crate::core::object::Refusal;
use crate::core::snapshot::{OptionValue, Realm, Snapshot};

/// How many of the newest are named for each kind.
const NEWEST: usize = 3;

/// What was there in the pass before. The first pass knows no before, and finds nothing new.
#[derive(Debug, Default)]
pub struct Recall {
    kinds: BTreeMap<Kind, Known>,
    administrators: Option<Administrators>,
}

/// One kind as it was last seen in full.
#[derive(Debug)]
struct Known {
    listed: Listed,
    /// The last first.
    newest: Vec<Claim>,
}

/// What is said of one pass.
#[derive(Debug)]
pub struct Account {
    /// By kind, those that are seen in full.
    pub unmanaged: Vec<Unmanaged>,
    /// `None` when it cannot be told.
    pub administrators: Option<Administrators>,
    /// What is told once.
    pub news: Vec<Refusal>,
}

/// What no object answers for, of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmanaged {
    /// Which kind.
    pub kind: Kind,
    /// How many.
    pub count: usize,
    /// Those that appeared last, the last first.
    pub newest: Vec<String>,
}

impl Recall {
    /// Takes an inventory and compares it with the one before. Before the first, `said` has the names of the newest of a
    /// kind, as an earlier process left them.
    pub fn take(&mut self, input: &Input<'_>, said: impl Fn(Kind) -> Vec<String>) -> Account {
        let Inventory { stock, administrators } = Inventory::take(input);
        let bringing = bringing(input.snapshot);
        let (mut appeared, mut unmanaged) = (Vec::new(), Vec::new());
        for (kind, listed) in stock {
            let known = self.kinds.entry(kind).or_insert_with(|| Known::first(&listed, &said(kind)));
            appeared.extend(known.turn(listed, &bringing));
            unmanaged.push(Unmanaged {
                kind,
                count: known.listed.values().filter(|answered| !**answered).count(),
                newest: known.newest.iter().map(name).collect(),
            });
        }
        let mut news: Vec<Refusal> = news::unmanaged(&appeared).into_iter().collect();
        if let Some(now) = &administrators {
            if let Some(before) = &self.administrators {
                let own = input.snapshot.credential.user();
                news.extend(news::appeared(before, now));
                news.extend(news::last_gone(before, now, &own));
            }
            self.administrators.clone_from(&administrators);
        }
        Account { unmanaged, administrators, news }
    }
}

impl Known {
    fn first(listed: &Listed, said: &[String]) -> Self {
        let find = |said: &String| listed.keys().find(|claim| name(claim) == *said).cloned();
        Self { listed: listed.clone(), newest: said.iter().filter_map(find).collect() }
    }

    /// Takes what stands now for what was; answers with what nobody answers for and was not there at all before.
    fn turn(&mut self, now: Listed, bringing: &BTreeSet<RealmId>) -> Vec<Claim> {
        let mut appeared = Vec::new();
        if now != self.listed {
            let new = now.iter().filter(|(claim, answered)| !**answered && !self.listed.contains_key(*claim));
            appeared.extend(new.map(|(claim, _)| claim.clone()).filter(|claim| !is_brought(claim, bringing)));
            self.listed = now;
        }
        self.newest.retain(|claim| self.listed.get(claim) == Some(&false));
        self.newest.splice(0..0, appeared.iter().take(NEWEST).cloned());
        self.newest.truncate(NEWEST);
        appeared
    }
}

/// The realms that make users or groups by themselves, as far as that is shown: a directory by its sync, a provider when
/// somebody signs in.
fn bringing(snapshot: &Snapshot) -> BTreeSet<RealmId> {
    let brings = |realm: &Realm| {
        let on = |name: &str| {
            let options = realm.options.as_ref().and_then(|options| options.as_ref().ok());
            options.and_then(|options| options.get(name)).map(OptionValue::expose) == Some("1")
        };
        // The options of a realm that another connection manages are not read.
        let untold = realm.kind == "openid" && realm.options.is_none();
        matches!(realm.kind.as_str(), "ldap" | "ad") || untold || on("autocreate") || on("groups-autocreate")
    };
    let realms = snapshot.realms.iter().flat_map(|realms| &realms.realms);
    realms.filter(|(_, realm)| brings(realm)).map(|(id, _)| id.clone()).collect()
}

/// Whether it comes with a realm that makes such things by itself: nobody made it by hand, and it is only counted.
fn is_brought(claim: &Claim, bringing: &BTreeSet<RealmId>) -> bool {
    match claim {
        Claim::Thing(Thing::User(user)) => bringing.contains(&user.realm()),
        Claim::Thing(Thing::Group(group)) => bringing.iter().any(|realm| group.may_be_synced(realm)),
        Claim::Thing(Thing::Realm(_) | Thing::SyncJob(_) | Thing::Role(_) | Thing::Token(_) | Thing::Pool(_))
        | Claim::Member(_)
        | Claim::PoolMember(..)
        | Claim::Acl(_) => false,
    }
}
