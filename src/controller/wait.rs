//! How long a connection waits until it is looked at again.

use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use crate::controller::connection::Worker;
use crate::controller::execute::Clock;

impl Worker {
    pub(super) fn clock(&self) -> Clock {
        self.clock_source()()
    }

    /// The clock for what takes a while.
    pub(super) fn clock_source(&self) -> impl Fn() -> Clock + use<> {
        let (begun, longest) = (self.begun, longest_back_off(self.resync));
        move || Clock { now: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX), longest }
    }

    /// How long to wait when a pass came to nothing; longer each time in a row.
    pub(super) fn stalled(&mut self, stalled: bool) -> Duration {
        self.stalls = if stalled { self.stalls.saturating_add(1) } else { 0 };
        Duration::from_millis(self.clock().back_off(self.stalls.max(1)))
    }

    pub(super) fn back_off(&self) -> Duration {
        jittered(Duration::from_millis(self.clock().back_off(self.failures.max(1))))
    }

    /// The resync, or sooner when a claim is to be tried again.
    pub(super) fn next_retry(&self) -> Duration {
        let now = self.clock().now;
        let due = self.retry_at.map(|at| Duration::from_millis(at.saturating_sub(now).max(500)));
        jittered(self.resync).min(due.unwrap_or(Duration::MAX))
    }
}

/// The longest wait between two attempts, in milliseconds: the resync, but never more than a minute.
pub(super) fn longest_back_off(resync: Duration) -> u64 {
    u64::try_from(resync.as_millis()).unwrap_or(u64::MAX).clamp(1000, 60_000)
}

/// Within ± 10 %, so that many connections do not come at once.
pub(super) fn jittered(duration: Duration) -> Duration {
    let random = std::hash::RandomState::new().build_hasher().finish();
    let share = f64::from(u32::try_from(random % 2001).unwrap_or(1000)) / 10_000.0;
    duration.mul_f64(0.9 + share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_spread_over_a_tenth_more_or_less_so_that_many_do_not_come_at_once() {
        let minute = Duration::from_mins(1);
        let mut tenths = [0; 10];
        for _ in 0..2_000 {
            let later = jittered(minute).checked_sub(Duration::from_secs(54)).expect("a tenth less at most");
            tenths[usize::try_from(later.as_millis() / 1_200).expect("small").min(9)] += 1;
            assert!(later <= Duration::from_secs(12), "a tenth more at most");
        }
        assert!(tenths.iter().all(|times| *times > 100), "{tenths:?}");
    }
}
