//! Keeps the Lease of this replica and the shards that it holds.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::Client;
use tokio::sync::{Notify, oneshot, watch};

use super::Election;
use super::calls::{Calls, Written};
use super::decide::{Decision, Me, decide};
use super::record::plain;
use super::terms::Terms;
use super::view::{Standing, View};
use crate::controller::metrics::Metrics;
use crate::permit::{Grant, Permit};

/// What this replica holds.
pub struct Keeper {
    calls: Calls,
    replica: String,
    duration: Duration,
    view: View,
    own: Option<Own>,
    /// As whom this replica has tried to join, without an answer.
    joining: Option<String>,
    /// Our term of each shard, and whether it is to end.
    terms: Vec<Option<(Grant, Ending)>>,
    /// The table as it was when it was written without an answer, and what that gave away.
    doubt: Option<(String, Vec<usize>)>,
    held: watch::Sender<Vec<Option<Permit>>>,
    unused: Arc<Notify>,
    metrics: Arc<Metrics>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    No,
    Yes,
}

/// Our Lease.
struct Own {
    identity: String,
    uid: String,
    version: String,
    /// When the last renewal was sent; none where it is not known whether it arrived.
    renewed: Option<Instant>,
    /// When the lease runs out.
    until: Instant,
}

impl Keeper {
    /// A replica that holds nothing yet; and what it will hold.
    pub fn new(client: Client, election: &Election, metrics: Arc<Metrics>) -> (Self, Terms) {
        let Election { namespace, name, replica, duration, shards } = election;
        let (held, holds) = watch::channel(vec![None; *shards]);
        for shard in 0..*shards {
            metrics.leads(shard, false);
        }
        let keeper = Self {
            calls: Calls::new(client, namespace, name.clone(), *duration / 5),
            replica: plain(replica),
            duration: *duration,
            view: View::default(),
            own: None,
            joining: None,
            terms: (0..*shards).map(|_| None).collect(),
            doubt: None,
            held,
            unused: Arc::default(),
            metrics,
        };
        (keeper, Terms::changing(holds))
    }

    /// Works until the operator ends: released, it gives what it holds to others at once; when nobody releases it any more,
    /// that is left to run out. A replica that could not take over does not join: `is_ready` says when it can.
    pub async fn keep(mut self, is_ready: impl Fn() -> bool, mut released: oneshot::Receiver<()>) {
        loop {
            if self.own.is_some() || is_ready() {
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
                () = self.unused.notified() => {}
            }
        }
    }

    /// Renews, looks at the others and acts on it, once.
    async fn look(&mut self, leaving: bool) {
        if self.own.as_ref().is_some_and(|own| Instant::now() >= own.until) {
            self.lose("the lease of this replica has run out: it could not be renewed");
        }
        let due = |own: &Own| own.renewed.is_none_or(|renewed| renewed.elapsed() >= self.duration / 5);
        if self.own.as_ref().is_none_or(due) {
            self.renew().await;
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
        self.arrive(now);
        let Some(own) = &mut self.own else { return };
        let Some(member) = self.view.member(&own.identity).filter(|member| member.uid == own.uid) else {
            self.own = None;
            return self.lose("the lease of this replica was deleted: others held it for dead");
        };
        own.version.clone_from(&member.version);
        if now >= own.until {
            return;
        }
        let identity = own.identity.clone();
        self.bury_dead(now).await;
        let me = Me { identity: &identity, shards: self.terms.len(), leaving };
        self.finish(decide(&self.view, me, |_| false, now).give);
        let decision = decide(&self.view, me, |shard| self.terms[shard].is_none() || self.is_idle(shard), now);
        if let Some(other) = decision.other_number {
            tracing::info!(
                shards = me.shards,
                other,
                "replicas with another number of shards are at work; this one waits"
            );
        }
        let give = decision.give.clone();
        self.assign(decision).await;
        self.settle(&identity, |shard| leaving || give.contains(&shard));
    }

    /// Joins, or renews. The lease counts from before this is sent.
    async fn renew(&mut self) {
        let sent = Instant::now();
        let until = sent + self.duration;
        let shards = self.terms.len();
        if let Some(own) = &mut self.own {
            let seen = (own.uid.as_str(), own.version.as_str());
            let written = self.calls.renew(&own.identity, seen, self.duration, shards).await;
            if let Some((_, version)) = written.done("renewing the Lease of this replica") {
                (own.version, own.renewed, own.until) = (version, Some(sent), until);
                self.terms.iter().flatten().for_each(|(grant, _)| grant.renew(until));
            }
        } else {
            let identity = self.joining.take().unwrap_or_else(|| format!("{}-{}", self.replica, suffix()));
            let written = self.calls.join(&identity, self.duration, shards).await;
            if matches!(written, Written::Unknown(_) | Written::Late) {
                self.joining = Some(identity.clone());
            }
            if let Some((uid, version)) = written.done("making the Lease of this replica") {
                tracing::info!(replica = %identity, "joined the other replicas");
                self.own = Some(Own { identity, uid, version, renewed: Some(sent), until });
            }
        }
    }

    /// Takes over a Lease that was made without an answer; it is renewed before it counts.
    fn arrive(&mut self, now: Instant) {
        let arrived = self.joining.take_if(|identity| self.view.member(identity).is_some());
        if let Some((identity, member)) =
            arrived.and_then(|it| self.view.member(&it).map(|member| (it.clone(), member)))
        {
            let (uid, version) = (member.uid.clone(), member.version.clone());
            self.own = Some(Own { identity, uid, version, renewed: None, until: now });
        }
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

    /// Nothing new is begun for these shards.
    fn finish(&mut self, give: impl IntoIterator<Item = usize>) {
        for shard in give {
            if let Some((grant, ending)) = &mut self.terms[shard]
                && *ending == Ending::No
            {
                *ending = Ending::Yes;
                grant.finish();
                self.hold(shard, None);
            }
        }
    }

    fn is_idle(&self, shard: usize) -> bool {
        self.terms[shard].as_ref().is_some_and(|(grant, ending)| *ending == Ending::Yes && grant.is_unused())
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
        let given: Vec<usize> = decision.give.iter().copied().filter(|shard| self.is_idle(*shard)).collect();
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
    fn settle(&mut self, identity: &str, is_given: impl Fn(usize) -> bool) {
        let Some(own) = &self.own else { return };
        let (until, valid) = (own.until, Instant::now() < own.until);
        let Some(table) = self.view.table().cloned() else { return };
        let matches = table.holders.len() == self.terms.len();
        let doubted: Vec<usize> = self.doubt.as_ref().map(|(_, given)| given.clone()).unwrap_or_default();
        for shard in 0..self.terms.len() {
            let ours = matches && table.holders[shard].as_deref() == Some(identity) && !doubted.contains(&shard);
            match &self.terms[shard] {
                Some((_, Ending::No)) if !ours => {
                    tracing::warn!(shard, "this replica has lost a shard");
                    self.end(shard);
                }
                Some((_, Ending::Yes)) if self.is_idle(shard) && (!ours || !is_given(shard)) => {
                    tracing::info!(shard, "this replica has given up a shard");
                    self.end(shard);
                }
                _ => {}
            }
            if self.terms[shard].is_none() && ours && valid && !is_given(shard) {
                tracing::info!(shard, replica = identity, "this replica holds a shard");
                let (grant, permit) = Grant::begin(until, self.duration, &self.unused);
                self.terms[shard] = Some((grant, Ending::No));
                self.hold(shard, Some(permit));
            }
        }
    }

    fn end(&mut self, shard: usize) {
        self.hold(shard, None);
        self.terms[shard] = None;
    }

    fn hold(&self, shard: usize, permit: Option<Permit>) {
        self.metrics.leads(shard, permit.is_some());
        self.held.send_modify(|held| held[shard] = permit);
    }

    /// Ends all terms at once.
    fn lose(&mut self, why: &str) {
        let held: Vec<usize> = (0..self.terms.len()).filter(|shard| self.terms[*shard].is_some()).collect();
        if !held.is_empty() {
            tracing::warn!(shards = ?held, "{why}");
        }
        for shard in held {
            self.end(shard);
        }
    }

    /// Gives everything to the others and leaves them.
    async fn leave(mut self) {
        let gives_up = Instant::now() + self.duration / 3;
        while let Some(identity) = self.own.as_ref().map(|own| own.identity.clone())
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

/// Tells apart those who call themselves the same.
fn suffix() -> String {
    format!("{:010x}", std::hash::RandomState::new().build_hasher().finish() >> 24)
}
