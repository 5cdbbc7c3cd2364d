//! What can go wrong with Pocket ID.

use serde::Deserialize;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultName {
    /// A proxy in between answers with `status` and a page of HTML.
    Status,
    /// The answer is `ms` late; a write has taken effect before.
    Delay,
    /// The connection ends without an answer; the write took effect unless `before` is set.
    Cut,
}

/// A fault as `POST /sim/fault` takes it; its files are `clients`, `secrets`, `allowed-groups`, `logos`, `groups`,
/// `members`, `users`, `claims`, `api-keys` and `sessions`.
pub type Fault = crate::sim::Fault<FaultName>;
