//! What stands between a user and a token: one-time access, authorization codes, refresh tokens. All are kept as
//! hashes of what was handed out.

use serde::{Deserialize, Serialize};

use super::Tables;
use crate::sim::secrets::sha256;

/// Signs a user in, once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OneTimeAccess {
    hash: String,
    /// Who signs in.
    pub user: String,
    expires_at: i64,
}

/// What a user granted a client.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Grant {
    /// Who.
    pub user: String,
    /// Which client.
    pub client: String,
    /// Scopes, with blanks between.
    pub scope: String,
    /// How the user had signed in.
    pub amr: Vec<String>,
}

/// An authorization code.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Code {
    hash: String,
    /// What it stands for.
    pub grant: Grant,
    /// Comes back in the ID token.
    pub nonce: String,
    /// Empty without PKCE.
    pub challenge: String,
    /// Whether the challenge is a hash of the verifier.
    pub is_hashed: bool,
    expires_at: i64,
}

/// A refresh token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refresh {
    hash: String,
    /// What it stands for.
    pub grant: Grant,
    expires_at: i64,
}

impl OneTimeAccess {
    /// Access by this token.
    pub fn new(token: &str, user: &str, expires_at: i64) -> Self {
        Self { hash: sha256(token), user: user.to_owned(), expires_at }
    }
}

impl Code {
    /// A code without nonce and challenge.
    pub fn new(code: &str, grant: Grant, expires_at: i64) -> Self {
        let (nonce, challenge) = (String::new(), String::new());
        Self { hash: sha256(code), grant, nonce, challenge, is_hashed: false, expires_at }
    }
}

impl Refresh {
    /// A refresh token.
    pub fn new(token: &str, grant: Grant, expires_at: i64) -> Self {
        Self { hash: sha256(token), grant, expires_at }
    }
}

impl Tables {
    /// Uses a one-time access up, and says whose it is.
    pub fn take_one_time(&mut self, token: &str, now: i64) -> Option<String> {
        let hash = sha256(token);
        let index = self.one_time.iter().position(|access| access.hash == hash && access.expires_at > now)?;
        Some(self.one_time.remove(index).user)
    }

    /// Uses an authorization code of a client up.
    pub fn take_code(&mut self, code: &str, client: &str, now: i64) -> Option<Code> {
        let hash = sha256(code);
        let is_it = |code: &Code| code.hash == hash && code.grant.client == client && code.expires_at > now;
        let index = self.codes.iter().position(is_it)?;
        Some(self.codes.remove(index))
    }

    /// Uses a refresh token of a client up.
    pub fn take_refresh(&mut self, token: &str, client: &str, now: i64) -> Option<Grant> {
        let hash = sha256(token);
        let is_it =
            |refresh: &Refresh| refresh.hash == hash && refresh.grant.client == client && refresh.expires_at > now;
        let index = self.refreshes.iter().position(is_it)?;
        Some(self.refreshes.remove(index).grant)
    }
}
