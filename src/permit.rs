//! The right to write: every write that leaves the process, to whatever system, needs a [`Permit`], and asks it right
//! before it is sent. A permit lasts as long as the lease that it comes from.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

/// The right to write.
#[derive(Clone)]
pub struct Permit(Option<Arc<Term>>);

/// The time from when a lease was taken until it is given up or lost. It does not come back: who holds the lease again
/// has another term.
struct Term {
    standing: watch::Receiver<Standing>,
    /// How long the lease lasts from one renewal on.
    duration: Duration,
    /// Is told when nobody has a permit of this term any more.
    unused: Arc<Notify>,
}

impl Drop for Term {
    fn drop(&mut self) {
        self.unused.notify_one();
    }
}

/// How it stands with a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing {
    /// When the lease runs out, unless it is renewed.
    until: Instant,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    /// What was begun may be finished, but nothing new is to be begun.
    Finishing,
    Over,
}

/// The lease is lost; what was to be sent was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this replica has lost its lease; nothing was sent")]
pub struct Lapsed;

/// How long one write may take.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    allowed: Duration,
    until: Option<Instant>,
}

impl Permit {
    /// The permit of a process that shares its work with no other.
    pub fn unlimited() -> Self {
        Self(None)
    }

    /// Asked right before a write: how much of the time that it wants it may take. Waits while the lease has less to run
    /// than it needs and may still be renewed.
    ///
    /// # Errors
    /// When the lease is lost.
    pub async fn begin(&self, wanted: Duration) -> Result<Room, Lapsed> {
        let Some(term) = &self.0 else { return Ok(Room { allowed: wanted, until: None }) };
        let mut standing = term.standing.clone();
        loop {
            let Standing { until, phase } = *standing.borrow_and_update();
            if phase == Phase::Over {
                return Err(Lapsed);
            }
            let now = Instant::now();
            if let Some(allowed) = room(until.saturating_duration_since(now), wanted, term.duration) {
                return Ok(Room { allowed, until: Some(now + allowed) });
            }
            standing.changed().await.map_err(|_| Lapsed)?;
        }
    }

    /// True when nothing new is to be begun.
    pub fn is_ending(&self) -> bool {
        self.0.as_ref().is_some_and(|term| term.standing.borrow().phase != Phase::Running)
    }

    /// Waits until nothing new is to be begun.
    pub async fn ending(&self) {
        match &self.0 {
            None => std::future::pending().await,
            // Without a sender there is nobody who renews it.
            Some(term) => drop(term.standing.clone().wait_for(|it| it.phase != Phase::Running).await),
        }
    }
}

/// How long a write may take with so much left of the lease. A tenth of the lease stays as a margin: clocks do not run
/// equally fast, and what was sent last still has a way to go. With less than a third to run, which is 10 s of the usual
/// 30 s and how long Proxmox VE waits for its lock, only shorter writes are begun.
fn room(left: Duration, wanted: Duration, duration: Duration) -> Option<Duration> {
    let usable = left.checked_sub(duration / 10)?;
    (usable >= wanted.min(duration / 3)).then(|| usable.min(wanted))
}

impl Room {
    /// How long it may take.
    pub fn allowed(&self) -> Duration {
        self.allowed
    }

    /// Runs a write in this time; `None` when it has not come to its end by then. The clock is asked at every step and not
    /// only a timer: when a process goes on after a pause, what comes first is chance.
    pub async fn hold<T>(&self, write: impl Future<Output = T>) -> Option<T> {
        let Some(until) = self.until else { return Some(write.await) };
        let (mut write, mut alarm) = (pin!(write), pin!(tokio::time::sleep_until(until.into())));
        poll_fn(|context| {
            if Instant::now() >= until {
                return Poll::Ready(None);
            }
            if let Poll::Ready(done) = write.as_mut().poll(context) {
                return Poll::Ready(Some(done));
            }
            alarm.as_mut().poll(context).map(|()| None)
        })
        .await
    }
}

/// The other side of permits: who holds the lease renews and ends their term.
pub struct Grant {
    standing: watch::Sender<Standing>,
    term: Weak<Term>,
}

impl Grant {
    /// Begins a term that lasts until then, of a lease of this duration; `unused` is told when its last permit is dropped.
    pub fn begin(until: Instant, duration: Duration, unused: &Arc<Notify>) -> (Self, Permit) {
        let (sender, standing) = watch::channel(Standing { until, phase: Phase::Running });
        let term = Arc::new(Term { standing, duration, unused: Arc::clone(unused) });
        (Self { standing: sender, term: Arc::downgrade(&term) }, Permit(Some(term)))
    }

    /// The lease was renewed.
    pub fn renew(&self, until: Instant) {
        self.standing.send_modify(|standing| standing.until = until);
    }

    /// Nothing new is to be begun.
    pub fn finish(&self) {
        self.standing.send_modify(|standing| standing.phase = Phase::Finishing);
    }

    /// True once nobody has a permit of it.
    pub fn is_unused(&self) -> bool {
        self.term.strong_count() == 0
    }
}

impl Drop for Grant {
    /// Nothing is written in its name any more.
    fn drop(&mut self) {
        self.standing.send_modify(|standing| standing.phase = Phase::Over);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DURATION: Duration = Duration::from_secs(30);

    #[test]
    fn a_write_takes_no_longer_than_the_lease_has_to_run() {
        for (left, wanted, allowed) in [
            // All that it wants, less the margin of 3 s.
            (30, 30, Some(27)),
            (30, 5, Some(5)),
            (13, 30, Some(10)),
            // Less than a third, and then only what is shorter.
            (12, 30, None),
            (12, 5, Some(5)),
            (8, 5, Some(5)),
            (7, 5, None),
            (2, 1, None),
            (0, 1, None),
        ] {
            let allowed = allowed.map(Duration::from_secs);
            let room = room(Duration::from_secs(left), Duration::from_secs(wanted), DURATION);
            assert_eq!(room, allowed, "{left} s left, {wanted} s wanted");
        }
    }

    fn granted(left: Duration) -> (Grant, Permit) {
        Grant::begin(Instant::now() + left, DURATION, &Arc::default())
    }

    #[tokio::test]
    async fn with_too_little_left_a_write_waits_for_the_renewal() {
        let (grant, permit) = granted(Duration::from_secs(5));
        let write = tokio::spawn(async move { permit.begin(DURATION).await.map(|room| room.allowed()) });
        tokio::task::yield_now().await;
        assert!(!write.is_finished());
        grant.renew(Instant::now() + DURATION);
        let allowed = write.await.expect("no panic").expect("a lease");
        assert!(allowed > Duration::from_secs(20), "{allowed:?}");
    }

    #[tokio::test]
    async fn with_the_lease_lost_nothing_is_begun() {
        let (grant, permit) = granted(DURATION);
        assert!(permit.begin(DURATION).await.is_ok());
        grant.finish();
        permit.ending().await;
        assert!(permit.is_ending());
        assert!(permit.begin(DURATION).await.is_ok(), "what was begun may be finished");
        drop(grant);
        assert_eq!(permit.begin(DURATION).await.map(|_| ()), Err(Lapsed));
        let (grant, waiting) = granted(Duration::ZERO);
        let write = tokio::spawn(async move { waiting.begin(DURATION).await.map(|_| ()) });
        drop(grant);
        assert_eq!(write.await.expect("no panic"), Err(Lapsed));
    }

    #[tokio::test]
    async fn what_is_under_way_ends_with_its_time() {
        let room = Room { allowed: Duration::ZERO, until: Some(Instant::now()) };
        let mut sent = false;
        assert_eq!(room.hold(async { sent = true }).await, None);
        assert!(!sent, "not even begun");
        let room = Room { until: Some(Instant::now() + Duration::from_millis(20)), ..room };
        assert_eq!(room.hold(std::future::pending::<()>()).await, None);
        assert_eq!(room.hold(async { 1 }).await, None);
        assert_eq!(Permit::unlimited().begin(DURATION).await.expect("a room").hold(async { 1 }).await, Some(1));
    }

    #[tokio::test]
    async fn the_holder_is_told_when_the_last_permit_is_dropped() {
        let unused = Arc::new(Notify::new());
        let (grant, permit) = Grant::begin(Instant::now() + DURATION, DURATION, &unused);
        let other = permit.clone();
        drop(permit);
        assert!(!grant.is_unused());
        drop(other);
        assert!(grant.is_unused());
        unused.notified().await;
    }
}
