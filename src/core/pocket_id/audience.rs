//! Whom a client of Pocket ID lets in, and what it tells Proxmox VE of them.

use std::collections::{BTreeMap, BTreeSet};

use super::ids::ClientId;
use super::snapshot::{Snapshot, User};
use crate::core::ids::{RealmId, UserId};

/// Whom a client lets in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audience {
    /// All of them.
    pub people: Vec<Person>,
    /// Those it does not let in now, and will once the groups that it lets in are as they are declared.
    pub expected: Vec<Person>,
    /// The number of the pass in which it was asked.
    pub asked_in: u64,
    /// Where they may come back to, as patterns.
    pub callbacks: BTreeSet<String>,
    /// The scopes that Pocket ID knows.
    pub scopes: BTreeSet<String>,
    /// What a sign-in would give single users, by name.
    pub samples: BTreeMap<String, Sample>,
}

/// Somebody who gets in, as tokens would say.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    /// `sub`: the id of the user.
    pub subject: String,
    /// `preferred_username`.
    pub name: Option<String>,
    /// `email`.
    pub email: Option<String>,
    /// `given_name`.
    pub first_name: String,
    /// `family_name`.
    pub last_name: String,
    /// `groups`.
    pub groups: BTreeSet<String>,
}

/// What a sign-in would give a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sample {
    /// Gets in.
    Admitted(Person),
    /// Is in none of the groups that are let in, or disabled.
    TurnedAway,
    /// There is no such user.
    NoSuchUser,
}

impl Audience {
    /// Whom a client lets in, by what was read, and who of `declared`, the members that its groups are to have, is still to
    /// come; `None` without such a client, or when its groups or the users were not read.
    pub fn of(snapshot: &Snapshot, client: &ClientId, declared: &BTreeSet<String>) -> Option<Self> {
        let client = snapshot.clients.get(client)?;
        let (users, allowed) = (snapshot.users.as_ref()?, client.allowed.as_ref()?);
        let is_restricted = client.fields.get("isGroupRestricted").and_then(serde_json::Value::as_bool).unwrap_or(true);
        let gets_in = |user: &User| !user.disabled && (!is_restricted || !user.groups.is_disjoint(allowed));
        let person = |(id, user): (&super::ids::UserId, &User)| Person {
            subject: id.to_string(),
            name: Some(user.name.clone()),
            email: user.email.clone(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            groups: user.groups.iter().filter_map(|id| Some(snapshot.groups.get(id)?.name.clone())).collect(),
        };
        let callbacks = client.fields.get("callbackURLs").and_then(serde_json::Value::as_array);
        let is_to_come = |user: &User| !user.disabled && declared.contains(&user.name) && !gets_in(user);
        Some(Self {
            people: users.iter().filter(|(_, user)| gets_in(user)).map(person).collect(),
            expected: users.iter().filter(|(_, user)| is_to_come(user)).map(person).collect(),
            asked_in: 0,
            callbacks: callbacks.into_iter().flatten().filter_map(|url| url.as_str().map(str::to_owned)).collect(),
            scopes: BTreeSet::new(),
            samples: BTreeMap::new(),
        })
    }
}

impl Person {
    /// Who that is in Proxmox VE, by the realm's username claim: without one it is the subject (FACTS 8).
    ///
    /// # Errors
    /// In a sentence, when the claim is not there, or is no name that Proxmox VE takes.
    pub fn user_id(&self, claim: Option<&str>, realm: &RealmId) -> Result<UserId, String> {
        let name = match claim {
            None | Some("subject") => Some(&self.subject),
            Some("username") => self.name.as_ref(),
            Some("email") => self.email.as_ref(),
            Some(other) => return Err(format!("who has the claim {other} is not known before the sign-in")),
        };
        let name = name.ok_or_else(|| format!("there is no {} in the token", claim.unwrap_or("subject")))?;
        UserId::parse(&format!("{name}@{realm}")).map_err(|error| error.to_string())
    }
}

/// Whether Proxmox VE takes a value of the groups claim; others it drops (FACTS 8).
pub fn is_taken(group: &str) -> bool {
    !group.is_empty() && group.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

/// Whether a pattern of callback URLs covers a URL (recording `oidc-callback-patterns`): `*` is one part of a name or path,
/// `**` several, and a pattern without a path also covers `/`.
pub fn covers(pattern: &str, url: &str) -> bool {
    fn fits(pattern: &[u8], text: &[u8]) -> bool {
        match pattern {
            [] => text.is_empty(),
            [b'*', b'*', rest @ ..] => (0..=text.len()).any(|at| fits(rest, &text[at..])),
            [b'*', rest @ ..] => {
                let most = text.iter().position(|c| *c == b'/').unwrap_or(text.len());
                (0..=most).any(|at| fits(rest, &text[at..]))
            }
            [c, rest @ ..] => text.first() == Some(c) && fits(rest, &text[1..]),
        }
    }
    let bare = |text: &str| text.trim_end_matches('/').to_owned();
    fits(bare(pattern).as_bytes(), bare(url).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_covers_scheme_host_and_port() {
        for (pattern, url, covered) in [
            ("https://pve1.example.com:8006", "https://pve1.example.com:8006", true),
            ("https://pve1.example.com:8006/", "https://pve1.example.com:8006", true),
            ("https://pve1.example.com", "https://pve1.example.com:8006", false),
            ("http://pve1.example.com:8006", "https://pve1.example.com:8006", false),
            ("https://*.example.com:8006", "https://pve1.example.com:8006", true),
            ("https://*.example.com:8006", "https://a.b.example.com:8006", true),
            ("https://pve1.example.com:*", "https://pve1.example.com:8006", true),
            ("https://*.example.com:8006", "https://pve1.example.org:8006", false),
        ] {
            assert_eq!(covers(pattern, url), covered, "{pattern} {url}");
        }
    }

    #[test]
    fn a_person_is_a_user_by_the_claim_of_the_realm() {
        let realm = RealmId::observed("PocketID");
        let person = Person {
            subject: "6b1f1c1e-0000-0000-0000-000000000001".to_owned(),
            name: Some("alice".to_owned()),
            email: Some("alice@example.com".to_owned()),
            ..Person::default()
        };
        let id = |claim| person.user_id(claim, &realm).map(|id| id.to_string());
        assert_eq!(id(Some("username")), Ok("alice@PocketID".to_owned()));
        assert_eq!(id(Some("email")), Ok("alice@example.com@PocketID".to_owned()));
        assert_eq!(id(None), Ok(format!("{}@PocketID", person.subject)));
        assert!(id(Some("upn")).is_err());
        let nameless = Person { name: None, ..person.clone() };
        assert!(nameless.user_id(Some("username"), &realm).is_err());
        let long = Person { name: Some("x".repeat(60)), ..person.clone() };
        assert!(long.user_id(Some("username"), &realm).is_err(), "64 characters in all");
    }

    #[test]
    fn values_with_other_characters_are_dropped() {
        for (group, taken) in
            [("proxmox_users", true), ("a.b-c", true), ("Proxmox Users", false), ("ä", false), ("", false)]
        {
            assert_eq!(is_taken(group), taken, "{group}");
        }
    }
}
