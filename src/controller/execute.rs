//! Steps, one at a time.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tracing::Span;
use tracing::field::Empty;

use crate::controller::audit::{self, Audit};
use crate::controller::deliver::Delivery;
use crate::core::claim::{Claim, Thing};
use crate::core::failure::{Failure, FailureKind};
use crate::core::plan::{FailedClaim, Memory, Purpose, Step};
use crate::core::secret::Secret;
use crate::core::write::{MemberChange, PoolChange, Write};
use crate::pve::session::Session;

/// How long steps are carried out before everything is read and planned again, at least and at most: a new change never
/// waits long behind a thousand others.
const BUDGET: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(10));

/// Where reading and planning takes long, steps may take so many times as long: else most of the time would go into
/// plans of which little is done.
const STEPS_TO_PLAN: u32 = 20;

/// How long a request that PVE refused for its content is not repeated, in milliseconds.
const LONGEST: u64 = 60_000;

/// What was carried out.
#[derive(Default)]
pub struct Done {
    /// Steps that took effect.
    pub steps: Vec<Step>,
    /// What ended it early: the connection does not work any more.
    pub broken: Option<Failure>,
    /// True when a write was given up because of a lock.
    pub lock_timeout: bool,
}

/// How long steps may take after so long a time of reading and planning.
pub fn budget(planning: Duration) -> Duration {
    let (least, most) = BUDGET;
    (planning * STEPS_TO_PLAN).clamp(least, most)
}

/// What is to be done.
pub struct Due {
    /// In this order.
    pub steps: Vec<Step>,
    /// Claims whose steps must not be taken now, nor any that come after them.
    pub held: BTreeSet<Claim>,
    /// For how long.
    pub budget: Duration,
}

/// Carries out steps until the budget is used up, the connection breaks or somebody says stop.
pub async fn execute(
    session: &Session,
    Due { steps, held, budget }: Due,
    memory: &mut Memory,
    delivery: &mut Delivery<'_>,
    audit: &Audit<'_>,
    clock: &impl Fn() -> Clock,
    stop: &impl Fn() -> bool,
) -> Done {
    let begun = Instant::now();
    let mut done = Done::default();
    let mut failed = held;
    let mut open: Vec<Step> = steps.into_iter().rev().collect();
    while let Some(step) = open.pop() {
        if begun.elapsed() > budget || stop() {
            break;
        }
        if step.after.iter().any(|claim| failed.contains(claim)) {
            continue;
        }
        for claim in &step.claims {
            memory.unsent.remove(claim);
        }
        match carry_out(session, &step, audit).await {
            Ok(shown) => {
                if let (Some(secret), Some(issue)) = (shown, step.issue) {
                    for (owner, _) in &step.owners {
                        delivery.deliver(*owner, issue, &secret).await;
                    }
                }
                forget_digests(&step, &mut open);
                succeeded(step, memory, &mut done);
            }
            // What was to be removed is not there: that is all we want.
            Err(failure) if failure.kind == FailureKind::Gone && step.purpose == Purpose::Remove => {
                succeeded(step, memory, &mut done);
            }
            Err(failure) => match failure.kind {
                FailureKind::Unreachable | FailureKind::Authentication | FailureKind::Certificate => {
                    done.broken = Some(failure);
                    break;
                }
                // Whether it took effect shows when everything is read again; it is never sent again blindly.
                FailureKind::Lost | FailureKind::LockTimeout | FailureKind::NoQuorum => {
                    done.lock_timeout = failure.kind == FailureKind::LockTimeout;
                    remember(&step, &failure, memory, clock());
                    break;
                }
                _ => {
                    if let Some((left, right)) = step.split(failure.kind) {
                        open.extend([right, left]);
                    } else {
                        failed.extend(step.claims.iter().cloned());
                        remember(&step, &failure, memory, clock());
                    }
                }
            },
        }
    }
    done
}

/// One step, with its span and its lines in the audit trail.
#[tracing::instrument(
    name = "step", target = "trace", level = "debug", skip_all,
    fields(action = audit::action(&step.purpose), result = Empty),
)]
async fn carry_out(session: &Session, step: &Step, audit: &Audit<'_>) -> Result<Option<Secret>, Failure> {
    let result = session.write(&step.write).await.map_err(|failure| step.write.explain(failure));
    let word = audit::result(result.as_ref().map(drop));
    Span::current().record("result", word);
    audit.record(step, word);
    result
}

/// A write to one realm changes the digest of all: what comes after reads it anew.
fn forget_digests(step: &Step, open: &mut [Step]) {
    if step.write.is_about_realms() {
        for later in open {
            if let Write::Update { thing: Thing::Realm(_), digest, .. } = &mut later.write {
                *digest = None;
            }
        }
    }
}

fn succeeded(step: Step, memory: &mut Memory, done: &mut Done) {
    for claim in &step.claims {
        memory.failures.remove(claim);
        if step.purpose == Purpose::Remove {
            memory.confirmed_gone.insert(claim.clone());
        } else {
            memory.confirmed_gone.remove(claim);
        }
        // Until it is seen there.
        if matches!(&step.write, Write::PoolMembers(PoolChange { change: MemberChange::Enter { .. }, .. })) {
            memory.unshown.insert(claim.clone());
        } else {
            memory.unshown.remove(claim);
        }
    }
    done.steps.push(step);
}

fn remember(step: &Step, failure: &Failure, memory: &mut Memory, clock: Clock) {
    for claim in &step.claims {
        let tries = memory.failures.get(claim).map_or(1, |failed| failed.tries.saturating_add(1));
        // What PVE refuses as such is refused again until the spec changes, which forgets the failure.
        let wait = match failure.kind {
            FailureKind::Invalid => LONGEST,
            // Each is a login at a directory, which may lock the account.
            FailureKind::CheckFailed => LONGEST * u64::from(tries.min(10)),
            _ => clock.back_off(tries),
        };
        let retry_at = clock.now + wait;
        // It is stored in this very pool already and not shown.
        let in_this_pool = failure.message.contains("is already a pool member");
        if failure.kind == FailureKind::AlreadyExists && in_this_pool && matches!(claim, Claim::PoolMember(..)) {
            memory.unshown.insert(claim.clone());
        }
        memory.failures.insert(
            claim.clone(),
            FailedClaim { failure: failure.clone(), retry_at, tries, hidden: step.hidden.clone() },
        );
    }
}

/// Time as the plan sees it.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// Milliseconds since some beginning.
    pub now: u64,
    /// The longest back-off, in milliseconds.
    pub longest: u64,
}

impl Clock {
    /// How long to wait after so many failures in a row: from half a second, doubling.
    pub fn back_off(self, tries: u32) -> u64 {
        (250u64 << tries.min(16)).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_in_a_row_waits_twice_as_long_up_to_the_longest() {
        let clock = Clock { now: 0, longest: 5_000 };
        let waits = [1, 2, 3, 4, 5, 100].map(|tries| clock.back_off(tries));
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 5_000, 5_000]);
    }

    #[test]
    fn steps_may_take_longer_where_planning_does_but_never_very_long() {
        for (planning, expected) in [(0, 2_000), (100, 2_000), (200, 4_000), (60_000, 10_000)] {
            assert_eq!(budget(Duration::from_millis(planning)), Duration::from_millis(expected), "{planning} ms");
        }
    }
}
