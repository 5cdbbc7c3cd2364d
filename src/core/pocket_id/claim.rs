//! What an object says should stand in Pocket ID, and how its ledger is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::ids::ClientId;
use crate::api::status::LedgerEntry;
use crate::core::claim::Entry;
use crate::core::ledger::LedgerError;

/// One thing that may stand in Pocket ID. Names of groups and users are unique there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claim {
    /// A user group, by its name.
    Group(String),
    /// That a user is in a group, by their names.
    Member {
        /// The group.
        group: String,
        /// The user.
        user: String,
    },
    /// An OIDC client.
    Client(ClientId),
    /// The logo of an OIDC client: nothing of its own, but what goes wrong with it holds up nothing else.
    Logo(ClientId),
}

impl Claim {
    /// The named thing: a group or client, which one object holds.
    pub fn is_thing(&self) -> bool {
        match self {
            Self::Group(_) | Self::Client(_) => true,
            Self::Member { .. } | Self::Logo(_) => false,
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(name) => write!(f, "group {name}"),
            Self::Member { group, user } => write!(f, "membership of {user} in {group}"),
            Self::Client(id) => write!(f, "client {id}"),
            Self::Logo(id) => write!(f, "logo of client {id}"),
        }
    }
}

/// The claims that an object has intended or applied.
pub type Ledger = BTreeMap<Claim, Entry>;

/// Folds a ledger into the rows of a status, such as `group admins` or `member admins alice,bob`. Names have no blanks
/// and commas: the CRD lets none in.
pub fn to_rows(ledger: &Ledger) -> Vec<LedgerEntry> {
    let row = |claim, Entry { origin, progress: state }: Entry| LedgerEntry { claim, origin, state };
    let mut rows = Vec::new();
    let mut members: BTreeMap<(&str, Entry), BTreeSet<&str>> = BTreeMap::new();
    for (claim, entry) in ledger {
        match claim {
            Claim::Group(_) | Claim::Client(_) => rows.push(row(claim.to_string(), *entry)),
            // No ledger has it: it goes with its client.
            Claim::Logo(_) => {}
            Claim::Member { group, user } => drop(members.entry((group, *entry)).or_default().insert(user)),
        }
    }
    rows.extend(members.into_iter().map(|((group, entry), users)| {
        let users = users.into_iter().collect::<Vec<_>>().join(",");
        row(format!("member {group} {users}"), entry)
    }));
    rows
}

/// Unfolds stored rows.
///
/// # Errors
/// When a row was not written by [`to_rows`]. Such a ledger must not be taken for an empty one.
pub fn from_rows(rows: &[LedgerEntry]) -> Result<Ledger, LedgerError> {
    let mut ledger = Ledger::new();
    for LedgerEntry { claim: row, origin, state } in rows {
        let entry = Entry { origin: *origin, progress: *state };
        match row.split(' ').collect::<Vec<_>>().as_slice() {
            ["group", name] => drop(ledger.insert(Claim::Group((*name).to_owned()), entry)),
            ["client", id] => drop(ledger.insert(Claim::Client(ClientId::parse(id)?), entry)),
            ["member", group, users] => ledger.extend(users.split(',').map(|user| {
                let (group, user) = ((*group).to_owned(), user.to_owned());
                (Claim::Member { group, user }, entry)
            })),
            _ => return Err(LedgerError::Form(row.clone())),
        }
    }
    Ok(ledger)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::claim::{Origin, Progress};

    #[test]
    fn a_ledger_is_read_back_as_it_was_stored() {
        let applied = |origin| Entry { origin, progress: Progress::Applied };
        let member = |user: &str| Claim::Member { group: "admins".to_owned(), user: user.to_owned() };
        let ledger = Ledger::from([
            (Claim::Group("admins".to_owned()), applied(Origin::Adopted)),
            (member("alice"), applied(Origin::Created)),
            (member("bob"), applied(Origin::Created)),
            (member("carol"), applied(Origin::Adopted)),
            (Claim::Client(ClientId::observed("pve")), Entry { origin: Origin::Created, progress: Progress::Intended }),
        ]);
        let rows = to_rows(&ledger);
        assert_eq!(rows.len(), 4, "{rows:?}");
        assert_eq!(from_rows(&rows), Ok(ledger));
    }

    #[test]
    fn a_row_of_another_form_is_no_empty_ledger() {
        for row in ["", "group", "group a b", "client x", "member a", "realm x"] {
            let row = LedgerEntry { claim: row.to_owned(), origin: Origin::Created, state: Progress::Applied };
            assert!(from_rows(std::slice::from_ref(&row)).is_err(), "{row:?}");
        }
    }
}
