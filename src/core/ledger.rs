//! What a ledger gains and loses, and how it is stored: rows of text in a status.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::claim::{Claim, Entry, Ledger, LedgerEntry, Membership, PoolItem, Thing};
use crate::core::ids::{
    AclKey, AclPath, GroupId, GuestId, IdError, JobId, PoolId, RealmId, RoleId, StorageId, Subject, TokenId, UserId,
};

/// Whether a ledger says less than before: something is given up.
pub fn loses<C: Ord>(before: &BTreeMap<C, Entry>, after: &BTreeMap<C, Entry>) -> bool {
    before.keys().any(|claim| !after.contains_key(claim))
}

/// Whether a ledger says something that it did not before.
pub fn gains<C: Ord>(before: &BTreeMap<C, Entry>, after: &BTreeMap<C, Entry>) -> bool {
    after.iter().any(|(claim, entry)| before.get(claim) != Some(entry))
}

/// Why a stored row cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Not of the form that [`to_rows`] writes.
    #[error("ledger row {0:?} is not of a form this version writes")]
    Form(String),
    /// An id in it is none.
    #[error(transparent)]
    Id(#[from] IdError),
}

/// Folds a ledger into the rows of a status, such as `group admins` or `acl / PVEAuditor,PVEAdmin group:a,user:b@pve`:
/// members of sets become products. An object of 64 roles and 1,024 subjects has 65,536 entries; spelled out they would
/// not fit into etcd.
pub fn to_rows(ledger: &Ledger) -> Vec<LedgerEntry> {
    let mut rows = Vec::new();
    let row = |claim, Entry { origin, progress: state }: Entry| LedgerEntry { claim, origin, state };
    let mut products: BTreeMap<(String, Entry), BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    let mut product = |row: String, entry: &Entry, left: &str, right: String| {
        products.entry((row, *entry)).or_default().entry(left.to_owned()).or_default().insert(right);
    };
    for (claim, entry) in ledger {
        match claim {
            Claim::Thing(thing) => rows.push(row(thing.to_string(), *entry)),
            Claim::Member(Membership { group, user }) => {
                product("member".to_owned(), entry, group.as_str(), user.to_string());
            }
            Claim::PoolMember(pool, PoolItem::Guest(guest)) => {
                product("pool-member".to_owned(), entry, pool.as_str(), format!("guest:{guest}"));
            }
            Claim::PoolMember(pool, PoolItem::Storage(storage)) => {
                product("pool-member".to_owned(), entry, pool.as_str(), format!("storage:{storage}"));
            }
            Claim::Acl(AclKey { path, subject, role }) => {
                let subject = format!("{}:{}", subject.kind(), subject.id());
                product(format!("acl {path}"), entry, role.as_str(), subject);
            }
        }
    }
    for ((name, entry), by_left) in products {
        let mut folded: BTreeMap<&BTreeSet<String>, Vec<&str>> = BTreeMap::new();
        for (left, right) in &by_left {
            folded.entry(right).or_default().push(left);
        }
        for (right, left) in folded {
            let right = right.iter().map(String::as_str).collect::<Vec<_>>().join(",");
            rows.push(row(format!("{name} {} {right}", left.join(",")), entry));
        }
    }
    rows
}

/// Unfolds stored rows.
///
/// # Errors
/// When a row was not written by [`to_rows`]. Such a ledger must not be taken for an empty one.
pub fn from_rows(rows: &[LedgerEntry]) -> Result<Ledger, LedgerError> {
    let mut ledger = Ledger::new();
    for LedgerEntry { claim, origin, state } in rows {
        let entry = Entry { origin: *origin, progress: *state };
        ledger.extend(claims(claim)?.into_iter().map(|claim| (claim, entry)));
    }
    Ok(ledger)
}

fn claims(row: &str) -> Result<Vec<Claim>, LedgerError> {
    let form = || LedgerError::Form(row.to_owned());
    let one = |thing: Thing| vec![Claim::Thing(thing)];
    Ok(match row.split(' ').collect::<Vec<_>>().as_slice() {
        ["realm", id] => one(Thing::Realm(RealmId::parse(id)?)),
        ["sync-job", id] => one(Thing::SyncJob(JobId::parse(id)?)),
        ["role", id] => one(Thing::Role(RoleId::parse(id)?)),
        ["group", id] => one(Thing::Group(GroupId::parse(id)?)),
        ["user", id] => one(Thing::User(UserId::parse(id)?)),
        ["token", id] => one(Thing::Token(TokenId::parse(id)?)),
        ["pool", id] => one(Thing::Pool(PoolId::parse(id)?)),
        ["member", groups, users] => product(groups, users, |group, user| {
            Ok(Claim::Member(Membership { group: GroupId::parse(group)?, user: UserId::parse(user)? }))
        })?,
        ["pool-member", pools, items] => product(pools, items, |pool, item| {
            let item = match item.split_once(':').ok_or_else(form)? {
                ("guest", id) => PoolItem::Guest(GuestId::parse(id)?),
                ("storage", id) => PoolItem::Storage(StorageId::parse(id)?),
                _ => return Err(form()),
            };
            Ok(Claim::PoolMember(PoolId::parse(pool)?, item))
        })?,
        ["acl", path, roles, subjects] => {
            let path = AclPath::parse(path)?;
            product(roles, subjects, |role, subject| {
                let subject = match subject.split_once(':').ok_or_else(form)? {
                    ("group", id) => Subject::Group(GroupId::parse(id)?),
                    ("user", id) => Subject::User(UserId::parse(id)?),
                    ("token", id) => Subject::Token(TokenId::parse(id)?),
                    _ => return Err(form()),
                };
                Ok(Claim::Acl(AclKey { path: path.clone(), subject, role: RoleId::parse(role)? }))
            })?
        }
        _ => return Err(form()),
    })
}

fn product(
    left: &str,
    right: &str,
    claim: impl Fn(&str, &str) -> Result<Claim, LedgerError>,
) -> Result<Vec<Claim>, LedgerError> {
    left.split(',').flat_map(|left| right.split(',').map(|right| claim(left, right)).collect::<Vec<_>>()).collect()
}
