//! User groups.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Claim, Tables, User, claims_shown, moment_shown};

/// A user group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Group {
    /// A UUID.
    pub id: String,
    /// What tokens say; unique.
    pub name: String,
    /// As the web interface shows it.
    pub friendly_name: String,
    /// Claims of one's own making, for all members.
    pub claims: Vec<Claim>,
    /// Seconds since 1970.
    pub created_at: i64,
}

impl Group {
    fn shown(&self, claims: &[Claim]) -> Map<String, Value> {
        let value = json!({
            "id": self.id,
            "friendlyName": self.friendly_name,
            "name": self.name,
            "customClaims": claims_shown(claims),
            "ldapId": null,
            "createdAt": moment_shown(self.created_at),
        });
        value.as_object().cloned().unwrap_or_default()
    }

    /// Inside a user or a client: claims are not loaded there, and members not counted.
    pub fn shown_as_part(&self) -> Value {
        let mut shown = self.shown(&[]);
        shown.insert("userCount".to_owned(), json!(0));
        Value::Object(shown)
    }
}

impl Tables {
    /// The group with this id.
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.id == id)
    }

    /// The groups of a user.
    pub fn groups_of_user(&self, user: &str) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(move |group| self.members.contains(&(user.to_owned(), group.id.clone())))
    }

    /// The members of a group.
    pub fn members_of(&self, group: &str) -> impl Iterator<Item = &User> {
        self.users.iter().filter(move |user| self.members.contains(&(user.id.clone(), group.to_owned())))
    }

    /// How many members a group has.
    pub fn member_count(&self, group: &str) -> usize {
        self.members.iter().filter(|(_, of)| of == group).count()
    }

    /// A group in a list.
    pub fn group_in_list(&self, group: &Group) -> Value {
        let mut shown = group.shown(&group.claims);
        shown.insert("userCount".to_owned(), json!(self.member_count(&group.id)));
        Value::Object(shown)
    }

    /// A group with its members and the clients that let it in.
    pub fn group_shown(&self, group: &Group) -> Value {
        let is_allowed = |client: &str| self.allowed.contains(&(client.to_owned(), group.id.clone()));
        let clients = self.clients.iter().filter(|client| is_allowed(&client.id));
        let mut shown = group.shown(&group.claims);
        shown.insert("users".to_owned(), self.members_of(&group.id).map(User::shown_alone).collect());
        shown.insert("allowedOidcClients".to_owned(), clients.map(|client| Value::Object(client.meta())).collect());
        Value::Object(shown)
    }

    /// Takes a group out of the tables. Clients that let it in stay restricted.
    pub fn remove_group(&mut self, id: &str) {
        self.groups.retain(|group| group.id != id);
        self.members.retain(|(_, group)| group != id);
        self.allowed.retain(|(_, group)| group != id);
    }
}
