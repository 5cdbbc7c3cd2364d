//! The audit trail: one line of the log for each write to Proxmox VE and each object that it was for. It names fields and
//! never values.

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::controller::connections::ConnectionKey;
use crate::controller::events;
use crate::controller::gather::Subject;
use crate::controller::managed::Managed;
use crate::core::failure::{Failure, FailureKind};
use crate::core::ids::ClusterId;
use crate::core::plan::{Purpose, Step};

/// Numbers the writes of this process, so that the lines of one write can be found.
static MUTATION: AtomicU64 = AtomicU64::new(1);

/// Where it was written, and for whom.
pub(super) struct Audit<'a> {
    pub connection: &'a ConnectionKey,
    pub cluster: &'a ClusterId,
    /// By the owners of the steps.
    pub subjects: &'a [Subject<'a>],
}

impl Audit<'_> {
    /// Tells of a write and what became of it, in the word of [`result`].
    pub fn record(&self, step: &Step, result: &'static str) {
        let mutation = next();
        for (owner, claims) in step.by_owner() {
            let told = (&step.purpose, claims.as_slice(), result);
            line(mutation, (self.connection, self.cluster.as_str()), self.subjects[owner].any, told);
        }
    }
}

/// The number of the next write.
pub(super) fn next() -> u64 {
    MUTATION.fetch_add(1, Ordering::Relaxed)
}

/// One line: where it was written, for which object, why, for what of it, and what became of it.
pub(super) fn line(
    mutation: u64,
    (connection, cluster): (&ConnectionKey, &str),
    any: &impl Managed,
    (purpose, claims, result): (&Purpose, &[impl Display], &'static str),
) {
    let fields = match purpose {
        Purpose::Update(fields) | Purpose::Correct(fields) => fields.join(","),
        Purpose::Create | Purpose::Restore | Purpose::Disable | Purpose::Remove => String::new(),
    };
    tracing::info!(
        target: "audit",
        mutation,
        %connection,
        cluster,
        kind = any.kind(),
        object = %format_args!("{}/{}", any.namespace(), any.meta().name.as_deref().unwrap_or_default()),
        uid = any.uid(),
        generation = any.generation(),
        action = action(purpose),
        claims = %claims.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        fields,
        result,
        "{}",
        events::sentence(purpose, &events::list(claims))
    );
}

/// What a step does, in one word.
pub(super) fn action(purpose: &Purpose) -> &'static str {
    match purpose {
        Purpose::Create => "create",
        Purpose::Restore => "restore",
        Purpose::Update(_) => "update",
        Purpose::Correct(_) => "correct",
        Purpose::Disable => "disable",
        Purpose::Remove => "remove",
    }
}

/// What became of a step, in one word.
pub(super) fn result(result: Result<(), &Failure>) -> &'static str {
    match result {
        Ok(()) => "ok",
        // Its answer was lost: it may have taken effect, which the next pass finds out.
        Err(failure) if failure.kind == FailureKind::Lost => "unknown",
        Err(failure) => failure.kind.reason().as_str(),
    }
}
