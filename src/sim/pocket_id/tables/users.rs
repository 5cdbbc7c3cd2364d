//! Users.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Claim, Tables, claims_shown};

/// The user of the static key.
pub const STATIC_USER: &str = "00000000-0000-0000-0000-000000000000";

/// A user.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct User {
    /// A UUID, the `sub` of tokens.
    pub id: String,
    /// `preferred_username` in tokens.
    pub username: String,
    /// Only the user of the static key has none.
    pub email: Option<String>,
    /// Whether the email was proven.
    pub email_verified: bool,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// As the web interface shows it.
    pub display_name: String,
    /// Whether it may use the admin API.
    pub is_admin: bool,
    /// Language of the web interface.
    pub locale: Option<String>,
    /// Whether it may not sign in.
    pub disabled: bool,
    /// Claims of one's own making.
    pub claims: Vec<Claim>,
    /// Seconds since 1970.
    pub created_at: i64,
}

impl User {
    /// First and last name.
    pub fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }

    fn shown(&self, claims: &[Claim], groups: &Value) -> Value {
        json!({
            "id": self.id,
            "username": self.username,
            "email": self.email,
            "emailVerified": self.email_verified,
            "firstName": self.first_name,
            "lastName": self.last_name,
            "displayName": self.display_name,
            "isAdmin": self.is_admin,
            "locale": self.locale,
            "customClaims": claims_shown(claims),
            "userGroups": groups,
            "ldapId": null,
            "disabled": self.disabled,
        })
    }

    /// Where its groups and claims are not loaded: in groups, after a sign-in, after an update.
    pub fn shown_alone(&self) -> Value {
        self.shown(&[], &json!([]))
    }
}

impl Tables {
    /// The user with this id.
    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    /// A user with its groups and claims.
    pub fn user_shown(&self, user: &User) -> Value {
        user.shown(&user.claims, &self.groups_of_user(&user.id).map(super::Group::shown_as_part).collect())
    }

    /// Takes a user and all that is its own out of the tables.
    pub fn remove_user(&mut self, id: &str) {
        self.users.retain(|user| user.id != id);
        self.members.retain(|(user, _)| user != id);
        self.api_keys.retain(|key| key.user != id);
        self.one_time.retain(|access| access.user != id);
        self.codes.retain(|code| code.grant.user != id);
        self.refreshes.retain(|refresh| refresh.grant.user != id);
        self.consents.retain(|(user, _, _)| user != id);
    }
}
