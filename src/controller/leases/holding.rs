//! The shards that this replica holds, each from when it is taken until the last who works on it has finished.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use crate::controller::metrics::Metrics;
use crate::permit::{Grant, Permit};

/// The shards, by their numbers.
pub(super) struct Holding {
    /// How long a lease lasts.
    duration: Duration,
    terms: Vec<Term>,
    held: watch::Sender<Vec<Option<Permit>>>,
    unused: Arc<Notify>,
    metrics: Arc<Metrics>,
}

enum Term {
    None,
    /// Work is begun under it.
    Running(Grant),
    /// What was begun is finished.
    Ending(Grant),
}

impl Holding {
    /// So many shards, none of which is held; and what will be.
    pub fn new(
        shards: usize,
        duration: Duration,
        metrics: Arc<Metrics>,
    ) -> (Self, watch::Receiver<Vec<Option<Permit>>>) {
        let (held, holds) = watch::channel(vec![None; shards]);
        for shard in 0..shards {
            metrics.leads(shard, false);
        }
        let terms = (0..shards).map(|_| Term::None).collect();
        (Self { duration, terms, held, unused: Arc::default(), metrics }, holds)
    }

    /// How many shards there are.
    pub fn shards(&self) -> usize {
        self.terms.len()
    }

    /// Waits until somebody has finished.
    pub async fn finished(&self) {
        self.unused.notified().await;
    }

    /// The lease was renewed.
    pub fn renew(&self, until: Instant) {
        for term in &self.terms {
            if let Term::Running(grant) | Term::Ending(grant) = term {
                grant.renew(until);
            }
        }
    }

    /// Begins a term, unless there is one.
    pub fn begin(&mut self, shard: usize, until: Instant) {
        if matches!(self.terms[shard], Term::None) {
            tracing::info!(shard, "this replica holds a shard");
            let (grant, permit) = Grant::begin(until, self.duration, &self.unused);
            self.terms[shard] = Term::Running(grant);
            self.hold(shard, Some(permit));
        }
    }

    /// Nothing new is begun for a shard.
    pub fn finish(&mut self, shard: usize) {
        self.terms[shard] = match std::mem::replace(&mut self.terms[shard], Term::None) {
            Term::Running(grant) => {
                grant.finish();
                self.hold(shard, None);
                Term::Ending(grant)
            }
            term => term,
        };
    }

    /// True when nobody works on a shard.
    pub fn is_idle(&self, shard: usize) -> bool {
        match &self.terms[shard] {
            Term::None => true,
            Term::Running(_) => false,
            Term::Ending(grant) => grant.is_unused(),
        }
    }

    /// Ends a term that has finished.
    pub fn release(&mut self, shard: usize) {
        if matches!(self.terms[shard], Term::Ending(_)) && self.is_idle(shard) {
            tracing::info!(shard, "this replica has given up a shard");
            self.terms[shard] = Term::None;
        }
    }

    /// Ends a term at once, whoever works under it.
    pub fn lose(&mut self, shard: usize, why: &str) {
        if !matches!(self.terms[shard], Term::None) {
            tracing::warn!(shard, "this replica has lost a shard: {why}");
            self.hold(shard, None);
            self.terms[shard] = Term::None;
        }
    }

    /// Ends all terms at once.
    pub fn lose_all(&mut self, why: &str) {
        for shard in 0..self.terms.len() {
            self.lose(shard, why);
        }
    }

    fn hold(&self, shard: usize, permit: Option<Permit>) {
        self.metrics.leads(shard, permit.is_some());
        self.held.send_modify(|held| held[shard] = permit);
    }
}
