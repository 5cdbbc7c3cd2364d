//! From what is said about an object, its ledger and what else is known of it, to its status.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;

use crate::api::Reason;
use crate::api::conditions::{self, Motion};
use crate::api::pocket_id_client::ClientSecretStatus;
use crate::api::reason::Severity;
use crate::api::status::{
    ClientInUse, LastChange, LedgerEntry, ObjectStatus, RestoredEntry, SecretState, SignInStatus, SyncJobStatus,
    SyncStatus, TokenStatus,
};
use crate::controller::report::Report;
use crate::core::claim::SecretVersion;
use crate::core::ids::{AclPath, RoleId};
use crate::core::token::{Issued, Token};

/// The most pending changes that a status lists.
const MAX_PENDING: usize = 20;

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

    /// Puts a status together. Something transient that has lasted for the deadline becomes Stalled.
    pub fn status(self, report: &Report, previous: &ObjectStatus, deadline: std::time::Duration) -> ObjectStatus {
        let Self {
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
        } = self;
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
            last_handled_reconcile_at: handled
                .map(str::to_owned)
                .or_else(|| previous.last_handled_reconcile_at.clone()),
            last_change: change.or_else(|| previous.last_change.clone()),
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
