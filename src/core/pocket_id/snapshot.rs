//! What stands in Pocket ID now.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::ids::{ClientId, GroupId, SecretId, UserId};
use super::version::PocketIdVersion;

/// What stands in Pocket ID now: everything, since its API key is an administrator's.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Which version it is.
    pub version: PocketIdVersion,
    /// Its user groups.
    pub groups: BTreeMap<GroupId, Group>,
    /// Its users, but for the one of the static API key; `None` when nobody asked for them.
    pub users: Option<BTreeMap<UserId, User>>,
    /// Its OIDC clients.
    pub clients: BTreeMap<ClientId, Client>,
}

/// A user group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its unique name: the value in the claim `groups`.
    pub name: String,
    /// What people see.
    pub friendly_name: String,
    /// Its custom claims.
    pub claims: BTreeMap<String, String>,
    /// Whether it belongs to a directory, so that Pocket ID refuses to change it.
    pub from_directory: bool,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its unique name: the claim `preferred_username`.
    pub name: String,
    /// Its email address.
    pub email: Option<String>,
    /// Its first name.
    pub first_name: String,
    /// Its last name.
    pub last_name: String,
    /// Whether it cannot sign in.
    pub disabled: bool,
    /// The groups that it is in.
    pub groups: BTreeSet<GroupId>,
}

/// An OIDC client.
#[derive(Debug, Clone, PartialEq)]
pub struct Client {
    /// Its fields as Pocket ID lists them: a PUT has to send back all that it is not to forget.
    pub fields: Map<String, Value>,
    /// The groups that may sign in; `None` when they are not known.
    pub allowed: Option<BTreeSet<GroupId>>,
    /// Its secrets where there are several, but never their values; `None` when they were not asked for.
    pub secrets: Option<BTreeSet<SecretId>>,
}

/// What is to be read beside the lists of groups and clients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Whether the users are needed, with the groups that each is in.
    pub users: bool,
    /// Clients whose groups must be known. Of others as many are read as the rate limit has room for.
    pub clients: BTreeSet<ClientId>,
    /// Clients whose secrets must be known, where they can have several.
    pub secrets: BTreeSet<ClientId>,
}

impl Snapshot {
    /// The group of an exact name; Pocket ID keeps names unique.
    pub fn group_named(&self, name: &str) -> Option<(&GroupId, &Group)> {
        self.groups.iter().find(|(_, group)| group.name == name)
    }

    /// The user of an exact name; Pocket ID keeps names unique.
    pub fn user_named(&self, name: &str) -> Option<(&UserId, &User)> {
        self.users.iter().flatten().find(|(_, user)| user.name == name)
    }

    /// Who is in a group; `None` when the users were not asked for.
    pub fn members(&self, group: &GroupId) -> Option<BTreeSet<UserId>> {
        let users = self.users.as_ref()?;
        Some(users.iter().filter(|(_, user)| user.groups.contains(group)).map(|(id, _)| id.clone()).collect())
    }
}
