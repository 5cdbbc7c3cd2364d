//! From what became of an object's claims to what is said about it.

use std::collections::BTreeSet;
use std::fmt::Display;

use crate::api::Reason;
use crate::api::conditions::{self, Motion, Ready};
use crate::api::object::System;
use crate::core::object::Mode;
use crate::core::plan::{ClaimState, Purpose, Trouble, Verdict};
use crate::core::text::first_of;

/// What is said about an object apart from its ledger.
#[derive(Debug, Clone)]
pub struct Report {
    /// The conditions.
    pub says: conditions::Verdict,
    /// What would be written.
    pub pending: Vec<String>,
}

impl Report {
    /// A report with nothing pending.
    pub fn new(ready: Ready, reason: Reason, message: impl Into<String>, motion: Motion) -> Self {
        let says = conditions::Verdict { ready, reason, message: message.into(), motion, drift: None, warning: None };
        Self { says, pending: Vec::new() }
    }

    /// What keeps an object from being ready. What a person must change is Stalled at once; the rest is retried.
    pub fn not_ready(reason: Reason, message: impl Into<String>) -> Self {
        let motion = if reason.is_terminal() { Motion::Stalled } else { Motion::Reconciling };
        Self::new(Ready::False, reason, message, motion)
    }

    /// The operator is at work.
    pub fn progressing(system: System, pending: Vec<String>) -> Self {
        let message = format!("being made so in {}", system.name());
        Self { pending, ..Self::new(Ready::Unknown, Reason::Progressing, message, Motion::Reconciling) }
    }

    /// Nothing is done for the object.
    pub fn suspended(by: &str) -> Self {
        Self::new(Ready::Unknown, Reason::Suspended, format!("suspended by {by}"), Motion::Settled)
    }
}

/// What became of an object, as a report.
pub fn report<C: Display>(mode: Mode, system: System, verdict: &Verdict<C>) -> Report {
    let system_name = system.name();
    match mode {
        Mode::Suspended => return Report::suspended("spec.suspend"),
        Mode::DeletingSuspended => {
            let message = "it is suspended: set spec.suspend to false to have what it stands for removed";
            return Report::not_ready(Reason::DeletionBlocked, message);
        }
        Mode::Manage | Mode::Observe | Mode::Denied | Mode::Revoked | Mode::Deleting | Mode::DeletingObserver => {}
    }
    let pending: Vec<String> =
        verdict.claims.iter().filter_map(|(claim, state)| pending(&claim.to_string(), state)).collect();
    if let Some(trouble) = verdict.worst() {
        let fails_to_go = matches!(trouble, Trouble::Failed(_)) && !mode.is_live();
        let reason = if fails_to_go { Reason::DeletionBlocked } else { trouble.reason() };
        return Report { pending, ..Report::not_ready(reason, more(trouble.message(), verdict)) };
    }
    if mode == Mode::Observe {
        let mut report = Report::new(Ready::True, Reason::Observed, observed(system_name, &pending), Motion::Settled);
        report.says.drift = (!pending.is_empty()).then(|| first_of(&pending, 3, "; "));
        report.says.warning = warning(verdict);
        return Report { pending, ..report };
    }
    if !pending.is_empty() {
        return Report::progressing(system, pending);
    }
    let message = format!("{system_name} is as this object says");
    let mut report = Report::new(Ready::True, Reason::Succeeded, message, Motion::Settled);
    report.says.warning = warning(verdict);
    report
}

fn warning<C>(verdict: &Verdict<C>) -> Option<(Reason, String)> {
    verdict.warning.as_ref().map(|warning| (warning.reason, warning.message.clone()))
}

/// Why a connection that is deleted stays.
pub fn still_used(by: &[String]) -> String {
    let verb = if by.len() == 1 {
        "still uses it; the connection goes when it is gone"
    } else {
        "still use it; it goes when they are gone"
    };
    format!("{} {verb}", first_of(by, 3, "; "))
}

fn observed(system: &str, pending: &[String]) -> String {
    match pending.len() {
        0 => format!("{system} is as this object says; nothing is written"),
        1 => format!("{system} differs, see pendingChanges; nothing is written"),
        count => format!("{system} differs in {count} things, see pendingChanges; nothing is written"),
    }
}

fn pending(claim: &str, state: &ClaimState) -> Option<String> {
    match state {
        ClaimState::Planned(Purpose::Create | Purpose::Restore) | ClaimState::Differs(None) => {
            Some(format!("create {claim}"))
        }
        ClaimState::Planned(Purpose::Update(fields) | Purpose::Correct(fields)) | ClaimState::Differs(Some(fields)) => {
            Some(format!("change {} of {claim}", fields.join(", ")))
        }
        ClaimState::Planned(Purpose::Remove) | ClaimState::Surplus => Some(format!("remove {claim}")),
        ClaimState::Planned(Purpose::Disable) => Some(format!("disable {claim}")),
        ClaimState::Standing | ClaimState::Refused(_) | ClaimState::Failed(_) => None,
    }
}

/// The worst trouble with the next few, so that they can be put right in one go.
fn more<C>(message: &str, verdict: &Verdict<C>) -> String {
    const SHOWN: usize = 2;
    let mut others: BTreeSet<String> = verdict.troubles().map(|trouble| trouble.message().to_owned()).collect();
    others.remove(message);
    let shown: Vec<String> = std::iter::once(message.to_owned()).chain(others.into_iter().take(SHOWN)).collect();
    let text = shown.join("; ");
    match verdict.troubles().count().saturating_sub(shown.len()) {
        0 => text,
        rest => format!("{text} (and {rest} more)"),
    }
}
