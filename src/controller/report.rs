//! From what became of an object's claims to its status.

use std::collections::BTreeSet;
use std::fmt::Display;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;

use crate::api::Reason;
use crate::api::conditions::{self, Motion, Ready};
use crate::api::object::System;
use crate::api::pocket_id_client::ClientSecretStatus;
use crate::api::reason::Severity;
use crate::api::status::{
    ClientInUse, LastChange, LedgerEntry, ObjectStatus, RestoredEntry, SecretState, SignInStatus, SyncJobStatus,
    SyncStatus, TokenStatus,
};
use crate::core::claim::SecretVersion;
use crate::core::ids::{AclPath, RoleId};
use crate::core::object::Mode;
use crate::core::plan::{ClaimState, Purpose, Trouble, Verdict};
use crate::core::token::{Issued, Token};

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
        report.says.drift = (!pending.is_empty()).then(|| first_of(&pending));
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

/// The first few of many, since a message has its limit.
fn first_of(pending: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = pending.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    match pending.len().checked_sub(SHOWN) {
        Some(rest) if rest > 0 => format!("{shown}; and {rest} more"),
        _ => shown,
    }
}

/// Why a connection that is deleted stays.
pub fn still_used(by: &[String]) -> String {
    let verb = if by.len() == 1 {
        "still uses it; the connection goes when it is gone"
    } else {
        "still use it; it goes when they are gone"
    };
    format!("{} {verb}", first_of(by))
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

/// What goes into a status beside the report.
pub struct Facts<'a> {
    /// The generation that was judged.
    pub generation: i64,
    /// What it is called in PVE.
    pub external_id: Option<String>,
    /// What it holds; `None` leaves the stored rows as they are.
    pub ledger: Option<Vec<LedgerEntry>>,
    /// The annotation that asked for this pass.
    pub handled: Option<&'a str>,
    /// The last write for it, if there was one since the last status.
    pub change: Option<LastChange>,
    /// Which version of the Secret of its hidden field was last written.
    pub written: Option<SecretVersion>,
    /// Of a token: how it stands with its secret; `None` leaves what is stored.
    pub token: Option<TokenStatus>,
    /// When the sync jobs of a realm ran and will run; `None` leaves what is stored.
    pub sync_jobs: Option<Vec<SyncJobStatus>>,
    /// What became of the sync that was asked for; `None` leaves what is stored.
    pub sync: Option<SyncStatus>,
    /// Of a client of Pocket ID: how it stands with its secret; `None` leaves what is stored.
    pub client_secret: Option<ClientSecretStatus>,
    /// Of a realm: which secret of the client that it refers to stands in it; `None` leaves what is stored.
    pub client_in_use: Option<ClientInUse>,
    /// Of a realm: what a sign-in would give; `None` leaves what is stored.
    pub sign_in: Option<SignInStatus>,
    /// Of a client of Pocket ID: the logo that it has; `None` leaves what is stored.
    pub logo: Option<String>,
    /// Now.
    pub now: Timestamp,
}

impl<'a> Facts<'a> {
    /// Those of a status that does not come from a plan: what is stored stays as it is.
    pub fn unplanned(generation: i64, handled: Option<&'a str>, previous: &ObjectStatus) -> Self {
        Self {
            generation,
            external_id: None,
            ledger: None,
            handled,
            change: None,
            written: previous.written_secret.clone(),
            token: None,
            sync_jobs: None,
            sync: None,
            client_secret: None,
            client_in_use: None,
            sign_in: None,
            logo: None,
            now: Timestamp::now(),
        }
    }
}

/// What a status says of a token's secret, as the plan sees it.
pub fn issued(status: &TokenStatus) -> Issued {
    let TokenStatus {
        secret_state,
        secret_name: _,
        issue,
        issued_at,
        next_rotation: _,
        last_handled_rotate_at,
        restoring,
    } = status;
    let entry = |RestoredEntry { path, role, propagate }: &RestoredEntry| {
        (AclPath::observed(path), RoleId::observed(role), *propagate)
    };
    Issued {
        state: *secret_state,
        issue: *issue,
        at: issued_at.as_ref().map(|at| at.0.as_second()),
        handled: last_handled_rotate_at.clone(),
        restoring: restoring.iter().map(entry).collect(),
    }
}

/// What the plan says of a token's secret, as a status. Where it was delivered is kept until it is somewhere else.
pub fn token_status(token: &Token, issued: &Issued, previous: Option<&TokenStatus>) -> TokenStatus {
    let lost = issued.state == SecretState::Delivered && !token.kept.has(issued);
    let name = previous.filter(|_| lost).map_or(&token.wish.secret_name, |previous| &previous.secret_name);
    let time = |at: i64| Timestamp::from_second(at).ok().map(Time);
    let Issued { state, issue, at, handled, restoring } = issued;
    let entry = |(path, role, propagate): &(AclPath, RoleId, bool)| RestoredEntry {
        path: path.to_string(),
        role: role.to_string(),
        propagate: *propagate,
    };
    TokenStatus {
        secret_state: *state,
        secret_name: name.clone(),
        issue: *issue,
        issued_at: at.and_then(time),
        next_rotation: token.due(issued).and_then(time),
        last_handled_rotate_at: handled.clone(),
        restoring: restoring.iter().map(entry).collect(),
    }
}

/// The most pending changes that a status lists.
const MAX_PENDING: usize = 20;

/// Puts a status together. Something transient that has lasted for the deadline becomes Stalled.
pub fn status(
    report: &Report,
    facts: Facts<'_>,
    previous: &ObjectStatus,
    deadline: std::time::Duration,
) -> ObjectStatus {
    let Facts {
        generation,
        external_id,
        ledger,
        handled,
        change,
        written,
        token,
        sync_jobs,
        sync,
        client_secret,
        client_in_use,
        sign_in,
        logo,
        now,
    } = facts;
    let mut says = report.says.clone();
    if says.motion == Motion::Reconciling
        && says.reason.severity() == Severity::Transient
        && lasted(previous, generation, now) >= deadline
    {
        says.motion = Motion::Stalled;
    }
    let mut pending = report.pending.clone();
    if pending.len() > MAX_PENDING {
        let rest = pending.len() - MAX_PENDING;
        pending.truncate(MAX_PENDING);
        pending.push(format!("and {rest} more"));
    }
    let conditions = says.conditions(generation, &previous.conditions, &Time(now));
    ObjectStatus {
        observed_generation: Some(generation),
        conditions: if conditions::say_the_same(&conditions, &previous.conditions) {
            previous.conditions.clone()
        } else {
            conditions
        },
        external_id: external_id.or_else(|| previous.external_id.clone()),
        ledger: ledger.unwrap_or_else(|| previous.ledger.clone()),
        written_secret: written,
        token: token.or_else(|| previous.token.clone()),
        sync_jobs: sync_jobs.unwrap_or_else(|| previous.sync_jobs.clone()),
        sync: sync.or_else(|| previous.sync.clone()),
        client_secret: client_secret.or_else(|| previous.client_secret.clone()),
        client_in_use: client_in_use.or_else(|| previous.client_in_use.clone()),
        // Server-side apply makes a null of what has lost its last field, and the apiserver refuses that.
        sign_in: sign_in.or_else(|| previous.sign_in.clone()).filter(|it| *it != SignInStatus::default()),
        logo: logo.or_else(|| previous.logo.clone()),
        pending_changes: pending,
        last_handled_reconcile_at: handled.map(str::to_owned).or_else(|| previous.last_handled_reconcile_at.clone()),
        last_change: change.or_else(|| previous.last_change.clone()),
    }
}

/// A warning, and what a status said before for this reason, by itself or behind another warning.
pub fn still_warned(
    warning: Option<(Reason, String)>,
    status: &ObjectStatus,
    reason: Reason,
) -> Option<(Reason, String)> {
    let before = conditions::find(&status.conditions, conditions::WARNING);
    match (warning, before) {
        (None, Some(before)) => (before.reason == reason.as_str()).then(|| (reason, before.message.clone())),
        (Some((first, message)), Some(before)) if before.message.starts_with(&format!("{message}; {reason}: ")) => {
            Some((first, before.message.clone()))
        }
        (warning, _) => warning,
    }
}

/// How long the object has not been ready in this generation.
fn lasted(previous: &ObjectStatus, generation: i64, now: Timestamp) -> std::time::Duration {
    let ready = conditions::find(&previous.conditions, conditions::READY);
    match ready {
        Some(ready) if ready.status == "False" && ready.observed_generation == Some(generation) => {
            now.duration_since(ready.last_transition_time.0).try_into().unwrap_or_default()
        }
        _ => std::time::Duration::ZERO,
    }
}

/// Whether a status says that the spec of this generation is as it should be.
pub fn is_ready(status: &ObjectStatus, generation: i64) -> bool {
    ready_of(&status.conditions).0 == "True" && status.observed_generation == Some(generation)
}

/// The status of Ready and its reason, for counting and for telling of changes.
pub fn ready_of(conditions: &[Condition]) -> (&'static str, &str) {
    match conditions::find(conditions, conditions::READY) {
        Some(ready) if ready.status == "True" => ("True", &ready.reason),
        Some(ready) if ready.status == "False" => ("False", &ready.reason),
        Some(ready) => ("Unknown", &ready.reason),
        None => ("Unknown", ""),
    }
}
