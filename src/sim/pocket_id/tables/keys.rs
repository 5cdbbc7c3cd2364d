//! API keys of users.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::moment_shown;
use crate::sim::secrets::sha256;

/// An API key, as a hash.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApiKey {
    /// A UUID.
    pub id: String,
    /// Whose it is.
    pub user: String,
    /// Not unique.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    hash: String,
    /// Seconds since 1970.
    pub expires_at: i64,
    /// Seconds since 1970.
    pub last_used_at: Option<i64>,
    /// Seconds since 1970.
    pub created_at: i64,
}

impl ApiKey {
    /// A key that was not used yet; `token` is what its owner sends.
    pub fn new(id: String, user: &str, name: String, token: &str, expires_at: i64, created_at: i64) -> Self {
        let (user, hash) = (user.to_owned(), sha256(token));
        Self { id, user, name, description: None, hash, expires_at, last_used_at: None, created_at }
    }

    /// Whether this is its token, and not expired.
    pub fn is(&self, token: &str, now: i64) -> bool {
        self.expires_at > now && self.hash == sha256(token)
    }

    /// Gives it another token.
    pub fn renew(&mut self, token: &str, expires_at: i64) {
        self.hash = sha256(token);
        self.expires_at = expires_at;
    }

    /// As lists show it.
    pub fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "expiresAt": moment_shown(self.expires_at),
            "lastUsedAt": self.last_used_at.map(moment_shown),
            "createdAt": moment_shown(self.created_at),
            "expirationEmailSent": false,
        })
    }
}
