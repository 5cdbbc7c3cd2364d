//! How clients prove who they are: secrets, and JWTs of others.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::moment_shown;
use crate::sim::secrets::{hash_password, password_fits};

/// So many secrets a client may have from 2.14 on.
pub const MOST_SECRETS: usize = 20;

/// A signer whose JWTs stand for a secret; stored as it comes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FederatedIdentity {
    /// `iss`
    pub issuer: String,
    /// `sub`
    pub subject: String,
    /// `aud`
    pub audience: String,
    /// Where its keys are.
    pub jwks: String,
}

impl FederatedIdentity {
    /// As clients show it: what is empty is left out, but for the issuer.
    pub fn shown(&self) -> Value {
        let mut shown = Map::from_iter([("issuer".to_owned(), json!(self.issuer))]);
        for (name, value) in [("subject", &self.subject), ("audience", &self.audience), ("jwks", &self.jwks)] {
            if !value.is_empty() {
                shown.insert(name.to_owned(), json!(value));
            }
        }
        Value::Object(shown)
    }
}

/// A secret, as a hash.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Secret {
    /// A UUID.
    pub id: String,
    /// The first characters.
    pub prefix: String,
    hash: String,
    /// Seconds since 1970.
    pub created_at: i64,
    /// Seconds since 1970.
    pub expires_at: Option<i64>,
}

impl Secret {
    /// Hashes a secret.
    pub fn new(id: String, value: &str, created_at: i64, expires_at: Option<i64>) -> Self {
        let prefix = value.chars().take(4).collect();
        Self { id, prefix, hash: hash_password(value), created_at, expires_at }
    }

    /// Whether this is it, and not expired.
    pub fn is(&self, value: &str, now: i64) -> bool {
        self.is_active(now) && password_fits(value, &self.hash)
    }

    fn is_active(&self, now: i64) -> bool {
        self.expires_at.is_none_or(|end| end > now)
    }

    /// As the list of secrets shows it.
    pub fn shown(&self, now: i64) -> Value {
        json!({
            "id": self.id,
            "prefix": self.prefix,
            "createdAt": moment_shown(self.created_at),
            "expiresAt": self.expires_at.map(moment_shown),
            "isActive": self.is_active(now),
        })
    }
}
