//! What Pocket ID keeps: its tables, in the order in which rows were added, and how rows look in answers.

mod clients;
mod credentials;
mod groups;
mod keys;
mod sessions;
mod users;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use clients::{Client, Lifetimes, Logo};
pub use credentials::{FederatedIdentity, MOST_SECRETS, Secret};
pub use groups::Group;
pub use keys::ApiKey;
pub use sessions::{Code, Grant, OneTimeAccess, Refresh};
pub use users::{STATIC_USER, User};

/// All tables.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Tables {
    /// Users; that of the static key is one of them.
    pub users: Vec<User>,
    /// Groups.
    pub groups: Vec<Group>,
    /// Clients.
    pub clients: Vec<Client>,
    /// API keys, but for the static one.
    pub api_keys: Vec<ApiKey>,
    /// Who is in which group: user, group.
    pub members: BTreeSet<(String, String)>,
    /// Which groups a restricted client lets in: client, group.
    pub allowed: BTreeSet<(String, String)>,
    /// Tokens that sign a user in once.
    pub one_time: Vec<OneTimeAccess>,
    /// Authorization codes.
    pub codes: Vec<Code>,
    /// Refresh tokens.
    pub refreshes: Vec<Refresh>,
    /// What users last agreed to: user, client, scope.
    pub consents: Vec<(String, String, String)>,
}

/// A claim of one's own making.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Its name in tokens.
    pub key: String,
    /// Its value, as text.
    pub value: String,
}

/// How claims look.
pub fn claims_shown(claims: &[Claim]) -> Value {
    claims.iter().map(|Claim { key, value }| json!({ "key": key, "value": value })).collect()
}

/// How a moment looks; `seconds` since 1970.
pub fn moment_shown(seconds: i64) -> String {
    Timestamp::from_second(seconds).unwrap_or_default().to_string()
}
