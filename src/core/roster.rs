//! Who of a realm's users is still there.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::api::openid::OnRemoval;
use crate::core::fields::Fields;
use crate::core::ids::{GroupId, RealmId, UserId};
use crate::core::object::Refusal;

/// The most users that a source may have: it is read in each pass.
pub const MAX_USERS: usize = 10_000;

/// What a realm knows of its users, and what becomes of those that are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    /// Whose users.
    pub realm: RealmId,
    /// What becomes of those that are not present.
    pub on_removal: OnRemoval,
    /// Who is still there, or why that cannot be said.
    pub present: Result<Present, Refusal>,
    /// Of a source that is asked beside the passes: in which of them it was asked.
    pub asked_in: Option<u64>,
    /// The id of the source whose many removals a person has confirmed.
    pub confirmed: Option<String>,
    /// Who is to be there before the first sign-in, where that is wanted and known.
    pub provision: Option<Provision>,
}

/// Who is to be there before the first sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provision {
    /// All of them.
    pub people: Vec<Newcomer>,
    /// Whether a sign-in takes people out of the realm's groups that the claim does not list.
    pub overwrite: bool,
}

/// A user as the first sign-in would make it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newcomer {
    /// Who.
    pub user: UserId,
    /// Name and email.
    pub fields: Fields,
    /// The groups that the claim lists.
    pub groups: BTreeSet<GroupId>,
}

impl Roster {
    /// Whether anything may be written because of it.
    pub fn writes(&self) -> bool {
        match self.on_removal {
            OnRemoval::Report => false,
            OnRemoval::Disable | OnRemoval::RemoveGroups => true,
        }
    }
}

/// The users that a source has: at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present(BTreeSet<UserId>);

/// Why a text is no list of users. A line is named by its number alone: something secret may have got there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// Nobody is in it.
    #[error("has no user in it; put in one user a line")]
    Empty,
    /// A line is not a user.
    #[error(
        "has something in line {0} that is no user; put in one user a line, as its name or name@realm, without blanks, \
         ':', '/', ',' and ';' and at most 64 characters in all"
    )]
    Line(usize),
    /// It is too long.
    #[error("has more than {MAX_USERS} users in it; make it shorter")]
    TooMany,
}

impl Present {
    /// Reads one user a line: `name`, or `name@realm`. Empty lines and lines that begin with `#` do not count.
    ///
    /// # Errors
    /// When a line is no user: who left out the others is not to be trusted with them.
    pub fn parse(text: &str, realm: &RealmId) -> Result<Self, RosterError> {
        let mut users = BTreeSet::new();
        // Some editors begin a file with a mark that nobody sees.
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            users.insert(user(line, realm).ok_or(RosterError::Line(index + 1))?);
            if users.len() > MAX_USERS {
                return Err(RosterError::TooMany);
            }
        }
        if users.is_empty() { Err(RosterError::Empty) } else { Ok(Self(users)) }
    }

    /// Those users.
    ///
    /// # Errors
    /// When there is nobody, or too many.
    pub fn of(users: BTreeSet<UserId>) -> Result<Self, RosterError> {
        match users.len() {
            0 => Err(RosterError::Empty),
            count if count > MAX_USERS => Err(RosterError::TooMany),
            _ => Ok(Self(users)),
        }
    }

    /// Whether a user is still there.
    pub fn has(&self, user: &UserId) -> bool {
        self.0.contains(user)
    }

    /// The same for the same users, whatever their order: what a person confirms.
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        for user in &self.0 {
            hash.update(user.as_str());
            hash.update("\n");
        }
        let [first, second, third, fourth, ..] = <[u8; 32]>::from(hash.finalize());
        format!("{:08x}", u32::from_be_bytes([first, second, third, fourth]))
    }
}

/// A name may have an `@` of its own, as an e-mail address has: only the realm itself is not a part of it.
fn user(line: &str, realm: &RealmId) -> Option<UserId> {
    let suffix = line.rsplit_once('@').map(|(_, suffix)| suffix);
    let whole = suffix == Some(realm.as_str());
    // A slip in the realm would name nobody, and so everybody would be gone.
    if !whole && suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case(realm.as_str())) {
        return None;
    }
    if whole { UserId::parse(line).ok() } else { UserId::parse(&format!("{line}@{realm}")).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<String>, RosterError> {
        let present = Present::parse(text, &RealmId::observed("oid"))?;
        Ok(present.0.iter().map(UserId::to_string).collect())
    }

    #[test]
    fn a_line_is_a_user_by_its_name_or_its_whole_id() {
        for (text, users) in [
            ("alice", vec!["alice@oid"]),
            ("bob@oid\nalice\n", vec!["alice@oid", "bob@oid"]),
            ("\u{feff}alice\r\n\r\n  bob  \r\n", vec!["alice@oid", "bob@oid"]),
            ("# staff\nalice\n   # bob\n", vec!["alice@oid"]),
            ("alice\nalice@oid\n", vec!["alice@oid"]),
            ("alice@example.com\nbob@example.com@oid", vec!["alice@example.com@oid", "bob@example.com@oid"]),
            ("Alice\nalice", vec!["Alice@oid", "alice@oid"]),
        ] {
            assert_eq!(parse(text), Ok(users.into_iter().map(str::to_owned).collect()), "{text:?}");
        }
    }

    #[test]
    fn one_line_that_is_no_user_spoils_the_whole() {
        for (text, error) in [
            ("", RosterError::Empty),
            ("\n# nobody\n \n", RosterError::Empty),
            ("alice\nbob carol\n", RosterError::Line(2)),
            ("alice # on leave", RosterError::Line(1)),
            ("alice,bob", RosterError::Line(1)),
            ("alice\n\n@oid", RosterError::Line(3)),
            ("alice\nbob@OID", RosterError::Line(2)),
            ("alice\n<html>\n</html>", RosterError::Line(3)),
            (&"x".repeat(64), RosterError::Line(1)),
        ] {
            assert_eq!(parse(text), Err(error), "{text:?}");
        }
        let many = |count: usize| (0..count).map(|number| format!("u{number}")).collect::<Vec<_>>().join("\n");
        assert_eq!(parse(&many(MAX_USERS)).map(|users| users.len()), Ok(MAX_USERS));
        assert_eq!(parse(&many(MAX_USERS + 1)), Err(RosterError::TooMany));
    }

    #[test]
    fn no_message_repeats_a_line() {
        let error = parse("alice\npassword: canary").expect_err("no user").to_string();
        assert!(error.contains("line 2") && !error.contains("canary"), "{error}");
    }

    #[test]
    fn the_id_is_that_of_the_users() {
        let id = |text| Present::parse(text, &RealmId::observed("oid")).expect("users").id();
        assert_eq!(id("alice\nbob"), id("# all\nbob@oid\nalice\n"));
        assert_ne!(id("alice\nbob"), id("alice"));
        assert_eq!(id("alice").len(), 8);
    }
}
