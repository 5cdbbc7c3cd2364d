//! Keeps below the rate limit, so that Pocket ID has no reason to refuse (FACTS 7).

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::core::pocket_id::version::PocketIdVersion;

/// How many requests may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    /// So many at once.
    pub(crate) burst: u32,
    /// One more after so long.
    pub(crate) every: Duration,
}

/// How requests are paced. Nine tenths of what Pocket ID lets through: the rest is for others at the same address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pacing {
    /// Where the limits are low, and as long as that is not known.
    pub(crate) low: Limit,
    /// Where they are high.
    pub(crate) high: Limit,
    /// How long to wait after a first refusal that does not say it; after each further one twice as long.
    pub(crate) pause: Duration,
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            low: Limit { burst: 90, every: Duration::from_millis(1_111) },
            high: Limit { burst: 270, every: Duration::from_micros(11_111) },
            pause: Duration::from_secs(1),
        }
    }
}

/// Hands out turns to all requests of one client.
pub(crate) struct Pace {
    pub(crate) pacing: Pacing,
    bucket: Mutex<Bucket>,
}

impl Pace {
    pub(crate) fn new(pacing: Pacing) -> Self {
        Self { pacing, bucket: Mutex::new(Bucket::full(pacing.low, Instant::now())) }
    }

    /// Keeps to the limits of a version.
    pub(crate) fn follow(&self, version: PocketIdVersion) {
        let Pacing { low, high, pause: _ } = self.pacing;
        self.bucket().limit_to(if version.has_low_limits() { low } else { high });
    }

    /// Waits for the turn of one request.
    pub(crate) async fn turn(&self) {
        let wait = self.bucket().take(Instant::now());
        tokio::time::sleep(wait).await;
    }

    /// There was a refusal all the same, so that others must have used up what there was.
    pub(crate) fn exhausted(&self) {
        self.bucket().empty(Instant::now());
    }

    /// Whether at least half of the burst is left: room for what can wait.
    pub(crate) fn has_room(&self) -> bool {
        self.bucket().has_room(Instant::now())
    }

    fn bucket(&self) -> std::sync::MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Bucket {
    limit: Limit,
    /// How many may be sent now; below zero: so many wait for their turn.
    free: f64,
    /// When that was so.
    at: Instant,
}

impl Bucket {
    fn full(limit: Limit, now: Instant) -> Self {
        Self { limit, free: f64::from(limit.burst), at: now }
    }

    fn refill(&mut self, now: Instant) {
        let more = now.duration_since(self.at).div_duration_f64(self.limit.every);
        self.free = (self.free + more).min(f64::from(self.limit.burst));
        self.at = now;
    }

    /// How long the one who takes a turn has to wait for it.
    fn take(&mut self, now: Instant) -> Duration {
        self.refill(now);
        self.free -= 1.0;
        self.limit.every.mul_f64((-self.free).max(0.0))
    }

    fn empty(&mut self, now: Instant) {
        self.refill(now);
        self.free = self.free.min(0.0);
    }

    fn has_room(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.free * 2.0 >= f64::from(self.limit.burst)
    }

    /// What was spent under another limit stays spent.
    fn limit_to(&mut self, limit: Limit) {
        self.free += f64::from(limit.burst) - f64::from(self.limit.burst);
        self.limit = limit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOW: Limit = Limit { burst: 4, every: Duration::from_secs(1) };
    const HIGH: Limit = Limit { burst: 12, every: Duration::from_millis(10) };

    #[test]
    fn after_the_burst_each_request_waits_for_the_one_before_it() {
        let start = Instant::now();
        let mut bucket = Bucket::full(LOW, start);
        let waits: Vec<u64> = (0..7).map(|_| bucket.take(start).as_secs()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 3]);
        // Two of those who wait have had their turn.
        assert_eq!(bucket.take(start + Duration::from_secs(2)), Duration::from_secs(2));
        assert_eq!(bucket.take(start + Duration::from_mins(1)), Duration::ZERO);
    }

    #[test]
    fn what_can_wait_has_room_in_the_first_half_of_the_burst() {
        let start = Instant::now();
        let mut bucket = Bucket::full(LOW, start);
        let rooms: Vec<bool> = (0..4).map(|_| (bucket.has_room(start), bucket.take(start)).0).collect();
        assert_eq!(rooms, [true, true, true, false]);
        assert!(bucket.has_room(start + Duration::from_secs(2)));
        bucket.empty(start + Duration::from_secs(2));
        assert!(!bucket.has_room(start + Duration::from_secs(2)));
    }

    #[test]
    fn another_limit_forgets_nothing_that_was_sent() {
        let start = Instant::now();
        let mut bucket = Bucket::full(LOW, start);
        for _ in 0..4 {
            bucket.take(start);
        }
        bucket.limit_to(HIGH);
        let free = (0..20).take_while(|_| bucket.take(start).is_zero()).count();
        assert_eq!(free, 8);
    }
}
