//! The Lease of this replica: made, and renewed in time.

use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant};

use super::calls::{Calls, Written};
use super::record::plain;
use super::view::View;

/// The Lease of this replica, once it has joined.
pub(super) struct Own {
    replica: String,
    duration: Duration,
    shards: usize,
    joined: Option<Joined>,
    /// As whom it has tried to join, without an answer.
    joining: Option<String>,
}

struct Joined {
    identity: String,
    uid: String,
    version: String,
    /// When the last renewal was sent; none where it is not known whether it arrived.
    renewed: Option<Instant>,
    /// When the lease runs out.
    until: Instant,
}

impl Own {
    /// A replica that has not joined yet.
    pub fn new(replica: &str, duration: Duration, shards: usize) -> Self {
        Self { replica: plain(replica), duration, shards, joined: None, joining: None }
    }

    /// Its identity and when its lease runs out, once it has joined.
    pub fn lease(&self) -> Option<(&str, Instant)> {
        self.joined.as_ref().map(|joined| (joined.identity.as_str(), joined.until))
    }

    /// True when it is time to join, or to renew.
    pub fn is_due(&self, now: Instant) -> bool {
        let due = |renewed| now.saturating_duration_since(renewed) >= self.duration / 5;
        self.joined.as_ref().is_none_or(|joined| joined.renewed.is_none_or(due))
    }

    /// Joins, or renews. The lease counts from before this is sent.
    pub async fn renew(&mut self, calls: &Calls) {
        let sent = Instant::now();
        let until = sent + self.duration;
        if let Some(joined) = &mut self.joined {
            let seen = (joined.uid.as_str(), joined.version.as_str());
            let written = calls.renew(&joined.identity, seen, self.duration, self.shards).await;
            if let Some((_, version)) = written.done("renewing the Lease of this replica") {
                (joined.version, joined.renewed, joined.until) = (version, Some(sent), until);
            }
            return;
        }
        let identity = self.joining.take().unwrap_or_else(|| format!("{}-{}", self.replica, suffix()));
        let written = calls.join(&identity, self.duration, self.shards).await;
        if matches!(written, Written::Unknown(_) | Written::Late) {
            self.joining = Some(identity.clone());
        }
        if let Some((uid, version)) = written.done("making the Lease of this replica") {
            tracing::info!(replica = %identity, "joined the other replicas");
            self.joined = Some(Joined { identity, uid, version, renewed: Some(sent), until });
        }
    }

    /// Compares with what is listed. False when its Lease is not there any more: others held it for dead.
    pub fn compare(&mut self, view: &View, now: Instant) -> bool {
        let arrived = self.joining.take_if(|identity| view.member(identity).is_some());
        if let Some((identity, member)) = arrived.and_then(|it| view.member(&it).map(|member| (it, member))) {
            // Made without an answer: it is renewed before it counts.
            let (uid, version) = (member.uid.clone(), member.version.clone());
            self.joined = Some(Joined { identity, uid, version, renewed: None, until: now });
        }
        let Some(joined) = &mut self.joined else { return true };
        match view.member(&joined.identity).filter(|member| member.uid == joined.uid) {
            Some(member) => joined.version.clone_from(&member.version),
            None => self.joined = None,
        }
        self.joined.is_some()
    }
}

/// Tells apart those who call themselves the same.
fn suffix() -> String {
    format!("{:010x}", std::hash::RandomState::new().build_hasher().finish() >> 24)
}
