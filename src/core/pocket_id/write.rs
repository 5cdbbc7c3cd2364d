//! One request that changes something in Pocket ID.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::ids::{ClientId, GroupId, SecretId, UserId};
use crate::core::secret::Secret;

/// One request that changes something.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Makes a group.
    CreateGroup {
        /// Its unique name.
        name: String,
        /// What people see.
        friendly_name: String,
    },
    /// Gives a group its names.
    UpdateGroup {
        /// Which.
        group: GroupId,
        /// Its unique name.
        name: String,
        /// What people see.
        friendly_name: String,
    },
    /// Replaces all custom claims of a group.
    SetClaims {
        /// Which.
        group: GroupId,
        /// All of them.
        claims: BTreeMap<String, String>,
    },
    /// Replaces all members of a group.
    SetMembers {
        /// Which.
        group: GroupId,
        /// All of them.
        users: BTreeSet<UserId>,
    },
    /// Deletes a group.
    DeleteGroup(GroupId),
    /// Makes a client; its id is among the fields of the request.
    CreateClient {
        /// Which.
        client: ClientId,
        /// The other fields.
        fields: Map<String, Value>,
    },
    /// Replaces all fields of a client.
    UpdateClient {
        /// Which.
        client: ClientId,
        /// All of them.
        fields: Map<String, Value>,
    },
    /// Replaces the groups that may sign in.
    AllowGroups {
        /// Which client.
        client: ClientId,
        /// All of them.
        groups: BTreeSet<GroupId>,
    },
    /// Deletes a client.
    DeleteClient(ClientId),
    /// Has Pocket ID make a secret: up to 2.13 in place of the one there is, from 2.14 on beside the others.
    IssueSecret(ClientId),
    /// Gives a client its logo.
    SetLogo {
        /// Which client.
        client: ClientId,
        /// The picture.
        file: File,
    },
    /// Deletes one of several secrets.
    RetireSecret {
        /// Of which client.
        client: ClientId,
        /// Which.
        secret: SecretId,
    },
}

/// A file that is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name, whose ending says what it is. Without quotes and line breaks.
    pub name: String,
    /// Its content.
    pub bytes: Arc<[u8]>,
}

/// What Pocket ID answers to a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Nothing that is needed.
    Done,
    /// The id of the group that was made.
    Group(GroupId),
    /// The secret, shown this once.
    Secret {
        /// Its id, where a client has several.
        id: Option<SecretId>,
        /// Its value.
        value: Secret,
    },
}
