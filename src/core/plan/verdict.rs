//! What a plan says of each object.

use std::collections::BTreeMap;

use crate::api::Reason;
use crate::core::claim::{Claim, Entry, SecretVersion};
use crate::core::failure::Failure;
use crate::core::object::Refusal;
use crate::core::plan::Purpose;
use crate::core::token::Issued;

/// What became of one object, whose claims are of type `C`.
#[derive(Debug, Clone)]
pub struct Verdict<C = Claim> {
    /// What is to be stored before any step is taken. A deleted object whose ledger is empty may go.
    pub ledger: BTreeMap<C, Entry>,
    /// What became of each claim.
    pub claims: BTreeMap<C, ClaimState>,
    /// What it would claim but cannot say yet.
    pub refusals: Vec<Refusal>,
    /// Whether the policy of the connection denies it.
    pub denied: bool,
    /// Of one that only observes: whether another object refers to it.
    pub referred: bool,
    /// Claims that are given up and left standing.
    pub left: Vec<C>,
    /// Of a token: how it stands with its secret, to be stored before any step is taken.
    pub token: Option<Issued>,
    /// What is worth knowing although all is as it should be.
    pub warning: Option<Refusal>,
    /// Which version of the Secret of its hidden field is in force, once the steps for it are taken.
    pub written: Option<SecretVersion>,
}

impl<C> Default for Verdict<C> {
    fn default() -> Self {
        Self {
            ledger: BTreeMap::new(),
            claims: BTreeMap::new(),
            refusals: Vec::new(),
            denied: false,
            referred: false,
            left: Vec::new(),
            token: None,
            warning: None,
            written: None,
        }
    }
}

impl<C> Verdict<C> {
    /// What keeps the object from being ready: first what a person must mend, last what may come by itself. What waits
    /// must not hide what never will be.
    pub fn worst(&self) -> Option<Trouble<'_>> {
        self.troubles().min_by_key(|trouble| std::cmp::Reverse(trouble.reason().severity()))
    }

    /// Whether a claim of which this is so stands as wanted.
    pub fn stands(&self, is_so: impl Fn(&C) -> bool) -> bool {
        self.claims.iter().any(|(claim, state)| is_so(claim) && *state == ClaimState::Standing)
    }

    /// All that keeps the object from being ready.
    pub fn troubles(&self) -> impl Iterator<Item = Trouble<'_>> {
        self.refusals.iter().map(Trouble::Refused).chain(self.claims.values().filter_map(ClaimState::trouble))
    }
}

/// What became of one claim of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimState {
    /// It stands as wanted.
    Standing,
    /// A step of this plan is for it.
    Planned(Purpose),
    /// Observed only, and different: the names of the fields, none when it is absent.
    Differs(Option<Vec<String>>),
    /// Observed only: it stands in a set that the object owns exactly, and nobody claims it.
    Surplus,
    /// It cannot be done as things are.
    Refused(Refusal),
    /// It was tried, or could not be read, and will be tried again.
    Failed(Failure),
}

impl ClaimState {
    /// What keeps the claim from being as it should be.
    pub(super) fn trouble(&self) -> Option<Trouble<'_>> {
        match self {
            Self::Refused(refusal) => Some(Trouble::Refused(refusal)),
            Self::Failed(failure) => Some(Trouble::Failed(failure)),
            Self::Standing | Self::Planned(_) | Self::Differs(_) | Self::Surplus => None,
        }
    }
}

/// Why something of an object is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble<'a> {
    /// It cannot be done as things are.
    Refused(&'a Refusal),
    /// It was tried, or could not be read, and will be tried again.
    Failed(&'a Failure),
}

impl Trouble<'_> {
    /// The reason that a status gives for it.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Refused(refusal) => refusal.reason,
            Self::Failed(failure) => failure.kind.reason(),
        }
    }

    /// What is missing or wrong.
    pub fn message(&self) -> &str {
        match self {
            Self::Refused(refusal) => &refusal.message,
            Self::Failed(failure) => &failure.message,
        }
    }
}
