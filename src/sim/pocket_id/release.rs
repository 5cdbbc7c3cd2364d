//! Which release of Pocket ID the simulator is, and what differs between them (FACTS 9).

use std::time::Duration;

/// A release, as far as its API differs. 2.9 is the recorded one; the others follow what is known of their sources.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Release {
    /// One secret a client, errors are a sentence, conflicts are 400.
    #[default]
    #[value(name = "2.9")]
    V2_9,
    /// More fields of clients, no trust on first use, rate limits that loopback feels too.
    #[value(name = "2.10")]
    V2_10,
    /// Secrets and ids of users may be chosen.
    #[value(name = "2.12")]
    V2_12,
    /// Errors have codes, conflicts are 409, JSON must be called so.
    #[value(name = "2.13")]
    V2_13,
    /// Several secrets a client, by a path of their own.
    #[value(name = "2.14")]
    V2_14,
}

/// A rate limit of one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// So many requests at once.
    pub burst: u32,
    /// One more after so long.
    pub every: Duration,
    /// Whether loopback is limited.
    pub loopback: bool,
    /// Whether the answer says when to come again.
    pub says_when: bool,
}

impl Release {
    /// What `GET /api/version/current` says.
    pub fn version(self) -> &'static str {
        match self {
            Self::V2_9 => "2.9.0",
            Self::V2_10 => "2.10.0",
            Self::V2_12 => "2.12.0",
            Self::V2_13 => "2.13.0",
            Self::V2_14 => "2.14.0",
        }
    }

    /// Requests of one address (FACTS 7).
    pub(super) fn limit(self) -> Limit {
        if self < Self::V2_10 {
            Limit { burst: 100, every: Duration::from_secs(1), loopback: false, says_when: false }
        } else {
            Limit { burst: 300, every: Duration::from_millis(10), loopback: true, says_when: true }
        }
    }

    /// Whether a client without callback URLs keeps the first that is used (FACTS 3).
    pub(super) fn trusts_first_use(self) -> bool {
        self < Self::V2_10
    }

    /// Whether clients have a description, a consent to skip and lifetimes of tokens.
    pub(super) fn describes_clients(self) -> bool {
        self >= Self::V2_10
    }

    /// Whether a user without an email has none in its tokens, instead of null (FACTS 8).
    pub(super) fn leaves_out_missing_email(self) -> bool {
        self >= Self::V2_10
    }

    /// Whether secrets of clients and ids of users may be chosen.
    pub(super) fn takes_own_values(self) -> bool {
        self >= Self::V2_12
    }

    /// Whether tokens of a client have lifetimes of their own.
    pub(super) fn has_token_lifetimes(self) -> bool {
        self >= Self::V2_13
    }

    /// Whether failures have codes and differ more by status (FACTS 6).
    pub(super) fn has_error_codes(self) -> bool {
        self >= Self::V2_13
    }

    /// Whether clients have a list of secrets.
    pub(super) fn lists_secrets(self) -> bool {
        self >= Self::V2_14
    }
}
