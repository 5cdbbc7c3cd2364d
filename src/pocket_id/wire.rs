//! What Pocket ID's JSON looks like. Unknown fields are passed over; what is unset may be absent or null.

use jiff::Timestamp;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A page of a list.
#[derive(Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) data: Option<Vec<T>>,
    pub(crate) pagination: Pagination,
}

/// Where in the list a page is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pagination {
    pub(crate) total_pages: u64,
    pub(crate) total_items: usize,
}

/// An entry of a list.
pub(crate) trait Row {
    /// No two entries have the same.
    fn id(&self) -> &str;
}

/// An entry of `GET /api/user-groups`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) friendly_name: String,
    #[serde(default, deserialize_with = "or_none")]
    pub(crate) custom_claims: Vec<Claim>,
    #[serde(default, deserialize_with = "or_none")]
    pub(crate) ldap_id: String,
    /// Right in this list only (recording `group-members`).
    pub(crate) user_count: usize,
}

/// A custom claim.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Claim {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// An entry of `GET /api/users`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) username: String,
    #[serde(default, deserialize_with = "or_none")]
    pub(crate) email: String,
    #[serde(default, deserialize_with = "or_none")]
    pub(crate) first_name: String,
    #[serde(default, deserialize_with = "or_none")]
    pub(crate) last_name: String,
    #[serde(default, deserialize_with = "or_none")]
    pub(crate) disabled: bool,
    #[serde(default, rename = "userGroups", deserialize_with = "or_none")]
    pub(crate) groups: Vec<Reference>,
}

/// An entry of `GET /api/oidc/clients`, with all its fields.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) fields: Map<String, Value>,
}

impl<'de> Deserialize<'de> for Client {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Map::deserialize(deserializer)?;
        let id = fields.get("id").and_then(Value::as_str).ok_or_else(|| D::Error::missing_field("id"))?;
        Ok(Self { id: id.to_owned(), fields })
    }
}

impl Row for Group {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Row for User {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Row for Client {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Row for ApiKey {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Something by its id, whatever else is said of it.
#[derive(Debug, Deserialize)]
pub(crate) struct Reference {
    pub(crate) id: String,
}

/// `GET /api/user-groups/{id}`, as far as it says more than the list.
#[derive(Debug, Deserialize)]
pub(crate) struct Members {
    #[serde(default, deserialize_with = "or_none")]
    pub(crate) users: Vec<Reference>,
}

/// `GET /api/oidc/clients/{id}`, as far as it says more than the list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Allowed {
    #[serde(default, deserialize_with = "or_none")]
    pub(crate) allowed_user_groups: Vec<Reference>,
}

/// An entry of `GET /api/api-keys`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiKey {
    pub(crate) id: String,
    pub(crate) expires_at: Timestamp,
    #[serde(default)]
    pub(crate) last_used_at: Option<Timestamp>,
}

/// `GET /api/version/current`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Version {
    pub(crate) current_version: String,
}

/// `GET /.well-known/openid-configuration`, as far as a realm needs it.
#[derive(Debug, Deserialize)]
pub(crate) struct Discovery {
    pub(crate) issuer: String,
    #[serde(default)]
    pub(crate) scopes_supported: Vec<String>,
    #[serde(default)]
    pub(crate) claims_supported: Vec<String>,
}

/// What the generation of a secret answers: it has no `Debug`. The id is there from 2.14 on.
#[derive(Deserialize)]
pub(crate) struct IssuedSecret {
    pub(crate) id: Option<String>,
    pub(crate) secret: String,
}

/// `GET /api/oidc/clients/{id}/preview/{user}`, as far as the client asks the user's claims.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Preview {
    pub(crate) user_info: UserInfo,
}

/// The claims of a user.
#[derive(Debug, Deserialize)]
pub(crate) struct UserInfo {
    pub(crate) sub: String,
    #[serde(default)]
    pub(crate) preferred_username: Option<String>,
    #[serde(default)]
    pub(crate) email: Option<String>,
    #[serde(default, deserialize_with = "or_none")]
    pub(crate) groups: Vec<String>,
}

fn or_none<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
