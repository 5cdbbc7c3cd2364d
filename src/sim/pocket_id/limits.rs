//! The rate limit: a bucket of tokens for each client address (FACTS 7).

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::release::Limit;

struct Bucket {
    tokens: f64,
    at: Instant,
}

/// The buckets of all addresses.
#[derive(Default)]
pub struct Limits(HashMap<IpAddr, Bucket>);

impl Limits {
    /// Takes a token.
    ///
    /// # Errors
    /// With the time until the next one when there is none.
    pub fn take(&mut self, address: IpAddr, limit: Limit, now: Instant) -> Result<(), Duration> {
        if limit.every.is_zero() {
            return Ok(());
        }
        let most = f64::from(limit.burst);
        let bucket = self.0.entry(address).or_insert(Bucket { tokens: most, at: now });
        let refilled = now.duration_since(bucket.at).div_duration_f64(limit.every);
        *bucket = Bucket { tokens: (bucket.tokens + refilled).min(most), at: now };
        if bucket.tokens < 1.0 {
            return Err(limit.every.mul_f64(1.0 - bucket.tokens));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }

    /// Fills all buckets.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
