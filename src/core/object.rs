//! One custom resource as the plan sees it.

use std::collections::BTreeSet;
use std::fmt;

use crate::api::Reason;
pub use crate::api::management::{AdoptionPolicy as Adoption, DeletionPolicy as Deletion};
use crate::core::claim::{Ledger, Scope, SecretVersion, Wanted};
use crate::core::roster::Roster;
use crate::core::token::Token;

/// Names an object; orders objects where nothing else decides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// For example `ProxmoxGroup`.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

impl ObjectKey {
    /// `Kind name`, for messages to people of the same namespace.
    pub fn short(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }

    /// Who it is, for messages to people of another namespace too: those learn nothing of it.
    pub fn as_told_to(&self, namespace: &str) -> String {
        if self.namespace == namespace { self.short() } else { "an object of another namespace".to_owned() }
    }
}

/// What an object wants, owns and allows.
#[derive(Debug, Clone)]
pub struct Object {
    /// Which.
    pub key: ObjectKey,
    /// Which connection it is for, as an index of the policies of the input; 0 is the one whose pass this is. Objects of
    /// others to the same cluster count as claims, and nothing is done for them.
    pub connection: usize,
    /// Seconds since 1970 of its creation: the older one wins a contest.
    pub created: i64,
    /// Whether its spec has been applied before: a difference is drift then, and an update otherwise.
    pub settled: bool,
    /// Whether its namespace may use the connection.
    pub admission: Admission,
    /// When its spec was last seen to change, as a rising number: what changed last does not wait behind the rest.
    pub changed: u64,
    /// What may be done for it now.
    pub mode: Mode,
    /// What to do with things that stand already.
    pub adoption: Adoption,
    /// What happens to its claims when it is deleted; unset: what we created goes, what we adopted stays.
    pub deletion: Option<Deletion>,
    /// What it has intended or applied before.
    pub ledger: Ledger,
    /// Which version of the Secret of its hidden field was written last.
    pub written: Option<SecretVersion>,
    /// Of a token: how it stands with its secret.
    pub token: Option<Token>,
    /// Of a realm: who is still there, and what becomes of the others.
    pub roster: Option<Roster>,
    /// What it claims.
    pub wanted: Vec<Wanted>,
    /// The sets in which nothing may stand that no object claims.
    pub exact: BTreeSet<Scope>,
    /// The sets in which it claims more than it can say now.
    pub open: BTreeSet<Scope>,
    /// What it would claim but cannot say yet.
    pub refusals: Vec<Refusal>,
    /// Whether anything else may be among what it cannot say: then none of its ledger is given up. A reference that
    /// leads nowhere is not: what it once led to is kept by its own object as long as somebody refers to it.
    pub unsure: bool,
}

impl Object {
    /// True for an object of another connection to the same cluster.
    pub fn is_foreign(&self) -> bool {
        self.connection != 0
    }
}

/// Whether a namespace may use the connection that its objects refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Allowed,
    /// It may not.
    Refused,
    /// Its labels, by which it may be allowed, are not known.
    Unknown,
}

/// What may be done for an object now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything.
    Manage,
    /// Compare, never write; it claims nothing.
    Observe,
    /// Nothing; what it owns stays owned.
    Suspended,
    /// Nothing, by the policy of the connection; what it owns stays owned.
    Denied,
    /// Nothing, by the policy of the connection, and what the operator has made for it goes.
    Revoked,
    /// Its claims are to go.
    Deleting,
    /// Its claims are to go once it is no longer suspended.
    DeletingSuspended,
    /// It goes, and nothing is written: it only observed.
    DeletingObserver,
}

impl Mode {
    /// True while the object is not on its way out.
    pub fn is_live(self) -> bool {
        match self {
            Self::Manage | Self::Observe | Self::Suspended | Self::Denied | Self::Revoked => true,
            Self::Deleting | Self::DeletingSuspended | Self::DeletingObserver => false,
        }
    }
}

/// Why something is not done, with a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The stable reason.
    pub reason: Reason,
    /// What is missing or wrong.
    pub message: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}
