//! Acts on what is decided: keeps the Lease of this replica, and the shards that it holds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::Client;
use tokio::sync::oneshot;

use super::Election;
use super::calls::{Calls, Written};
use super::decide::{Decision, Me, decide};
use super::holding::Holding;
use super::own::Own;
use super::terms::Terms;
use super::view::{Standing, View};
use crate::controller::metrics::Metrics;

/// One replica among others.
pub struct Keeper {
    calls: Calls,
    duration: Duration,
    view: View,
    own: Own,
    holding: Holding,
    /// Which version of the table was to be replaced when there was no answer, and what that gave away.
    doubt: Option<(String, Vec<usize>)>,
    /// Others are at work that divide connections into so many shards.
    other_number: Option<usize>,
}

impl Keeper {
    /// A replica that holds nothing yet; and what it will hold.
    pub fn new(client: Client, election: &Election, metrics: Arc<Metrics>) -> (Self, Terms) {
        let Election { namespace, name, replica, duration, shards } = election;
        let (holding, holds) = Holding::new(*shards, *duration, metrics);
        let keeper = Self {
            calls: Calls::new(client, namespace, name.clone(), *duration / 5),
            duration: *duration,
            view: View::default(),
            own: Own::new(replica, *duration, *shards),
            holding,
            doubt: None,
            other_number: None,
        };
        (keeper, Terms::changing(holds))
    }

    /// Works until the operator ends: released, it gives what it holds to others at once; when nobody releases it any more,
    /// that is left to run out. A replica that could not take over does not join: `is_ready` says when it can.
    pub async fn keep(mut self, is_ready: impl Fn() -> bool, mut released: oneshot::Receiver<()>) {
        loop {
            if self.own.lease().is_some() || is_ready() {
                self.look(false).await;
            }
            tokio::select! {
                released = &mut released => {
                    if released.is_ok() {
                        self.leave().await;
                    }
                    return;
                }
                () = tokio::time::sleep(self.duration / 15) => {}
                () = self.holding.finished() => {}
            }
        }
    }

    /// Renews, looks at the others and acts on it, once.
    async fn look(&mut self, leaving: bool) {
        if self.own.lease().is_some_and(|(_, until)| Instant::now() >= until) {
            self.holding.lose_all("its lease could not be renewed");
        }
        if self.own.is_due(Instant::now()) {
            self.own.renew(&self.calls).await;
            if let Some((_, until)) = self.own.lease() {
                self.holding.renew(until);
            }
        }
        let listed = match self.calls.list().await {
            Ok(listed) => listed,
            Err(failed) => {
                failed.done("reading Leases");
                return;
            }
        };
        let now = Instant::now();
        self.view.observe(listed, self.duration, now);
        self.doubt.take_if(|(version, _)| self.view.table().is_none_or(|table| table.version != *version));
        if !self.own.compare(&self.view, now) {
            return self.holding.lose_all("its Lease was deleted, as others do with one who seems dead");
        }
        let Some((identity, until)) = self.own.lease().filter(|(_, until)| now < *until) else { return };
        let identity = identity.to_owned();
        self.bury_dead(now).await;
        let me = Me { identity: &identity, shards: self.holding.shards(), leaving };
        for shard in decide(&self.view, me, |_| false, now).give {
            self.holding.finish(shard);
        }
        let decision = decide(&self.view, me, |shard| self.holding.is_idle(shard), now);
        self.tell(decision.other_number);
        let give = decision.give.clone();
        self.assign(decision).await;
        self.settle(&identity, until, |shard| leaving || give.contains(&shard));
    }

    fn tell(&mut self, other_number: Option<usize>) {
        if self.other_number != other_number
            && let Some(others) = other_number
        {
            let shards = self.holding.shards();
            tracing::info!(shards, others, "replicas with another number of shards are at work; this one waits");
        }
        self.other_number = other_number;
    }

    async fn bury_dead(&mut self, now: Instant) {
        let dead = self.view.members(Standing::Dead, now).map(|(identity, member)| (identity.clone(), member.clone()));
        for (identity, member) in dead.collect::<Vec<_>>() {
            if self.calls.bury(&identity, &member).await.done("deleting the Lease of a dead replica").is_some() {
                tracing::info!(replica = %identity, "has not renewed its lease: what it held is free");
                self.view.buried(&identity);
            }
        }
    }

    /// Writes who holds what. While it is not known what became of such a write, what it gave away is not ours, and it is
    /// written once more, after which the first one cannot take effect any more.
    async fn assign(&mut self, decision: Decision) {
        let before = self.view.table().cloned();
        let holders = match (decision.holders, &before) {
            (Some(holders), _) => holders,
            (None, Some(table)) if self.doubt.is_some() => table.holders.clone(),
            (None, _) => return,
        };
        let given: Vec<usize> = decision.give.into_iter().filter(|shard| self.holding.is_idle(*shard)).collect();
        let written = self.calls.assign(&holders, before.as_ref()).await;
        if let (Written::Unknown(_) | Written::Late, Some(before)) = (&written, before) {
            let doubted = self.doubt.take().map(|(_, given)| given);
            self.doubt = Some((before.version, doubted.into_iter().flatten().chain(given).collect()));
        }
        if let Some(table) = written.done("writing who holds which shard") {
            self.view.wrote(table);
            self.doubt = None;
        }
    }

    /// Begins and ends terms so that they are what the table says.
    fn settle(&mut self, identity: &str, until: Instant, is_given: impl Fn(usize) -> bool) {
        let Some(table) = self.view.table() else { return };
        let is_ours = |shard: usize| {
            table.holders.len() == self.holding.shards()
                && table.holders[shard].as_deref() == Some(identity)
                && !self.doubt.as_ref().is_some_and(|(_, given)| given.contains(&shard))
        };
        let ours: Vec<bool> = (0..self.holding.shards()).map(is_ours).collect();
        for (shard, ours) in ours.into_iter().enumerate() {
            if !ours || !is_given(shard) {
                self.holding.release(shard);
            }
            if !ours {
                self.holding.lose(shard, "another one holds it");
            } else if !is_given(shard) && Instant::now() < until {
                self.holding.begin(shard, until);
            }
        }
    }

    /// Gives everything to the others and leaves them.
    async fn leave(mut self) {
        let gives_up = Instant::now() + self.duration / 3;
        while let Some(identity) = self.own.lease().map(|(identity, _)| identity.to_owned())
            && Instant::now() < gives_up
        {
            self.look(true).await;
            let table = self.view.table().map_or(&[][..], |table| &table.holders);
            if table.iter().flatten().any(|holder| *holder == identity) || self.doubt.is_some() {
                tokio::time::sleep(self.duration / 50).await;
                continue;
            }
            let Some(member) = self.view.member(&identity).cloned() else { return };
            if self.calls.bury(&identity, &member).await.done("deleting the Lease of this replica").is_some() {
                tracing::info!("left the other replicas");
                return;
            }
        }
    }
}
