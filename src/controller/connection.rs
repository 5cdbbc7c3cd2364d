//! One connection: woken by changes and by time, one pass after the other.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::api::connection_status::ConnectionStatus;
use crate::api::status::{SecretVersion, SignInStatus, SyncJobStatus, SyncStatus};
use crate::api::{ProxmoxAccessCheck, Reason};
use crate::controller::Context;
use crate::controller::audiences::Audiences;
use crate::controller::connections::ConnectionKey;
use crate::controller::inventory::Stock;
use crate::controller::issuers::Issuers;
use crate::controller::kinds::AnyObject;
use crate::controller::managed::Managed;
use crate::controller::parcel::InHand;
use crate::controller::pass::Outcome;
use crate::controller::said::Stored;
use crate::controller::settled::Settled;
use crate::controller::tell::Reporter;
use crate::controller::wait::jittered;
use crate::core::claim::Wanted;
use crate::core::object::Refusal;
use crate::core::plan::Memory;
use crate::core::policy::Policy;
use crate::permit::Permit;
use crate::pve::client::Client;
use crate::pve::config::Settings;
use crate::pve::realms::RealmCache;

/// A burst of changes is one pass.
pub(super) const DEBOUNCE: Duration = Duration::from_millis(20);

/// A connection at work.
pub(super) struct Worker {
    pub(super) key: ConnectionKey,
    pub(super) context: Arc<Context>,
    /// The shard that it is in.
    pub(super) shard: usize,
    /// The right to write in this turn.
    pub(super) permit: Permit,
    /// Another replica may work on the connection already.
    pub(super) unsure: bool,
    pub(super) memory: Memory,
    pub(super) realms: RealmCache,
    /// Tells Kubernetes of the objects.
    pub(super) reporter: Reporter,
    /// Which version of a Secret was written for each object, beyond what its status may say yet.
    pub(super) written: HashMap<String, SecretVersion>,
    /// Secrets of tokens that PVE has shown and that are not in Kubernetes yet.
    pub(super) in_hand: HashMap<String, InHand>,
    /// What became of the syncs that were asked for, beyond what statuses may say yet.
    pub(super) synced: HashMap<String, SyncStatus>,
    /// When the sync jobs of each realm ran and will run.
    pub(super) jobs: HashMap<String, Vec<SyncJobStatus>>,
    /// Whether people can sign in with our realms.
    pub(super) issuers: Issuers,
    /// Whom the clients of Pocket ID let in that realms refer to.
    pub(super) audiences: Audiences,
    /// What a sign-in would give, by realm's object.
    pub(super) sign_ins: HashMap<String, SignInStatus>,
    /// What stood in PVE in the pass before.
    pub(super) stock: Stock,
    /// Wakes this worker.
    pub(super) wake: Arc<Notify>,
    /// What the connection's own status says.
    pub(super) said: Option<Stored<ConnectionStatus>>,
    /// The generation of each object's spec, and the pass that first saw it.
    pub(super) seen: HashMap<String, (i64, u64)>,
    /// The generation of each object's spec that was last seen to be so in PVE.
    pub(super) settled: Settled<Option<Vec<Wanted>>>,
    /// The number of this pass.
    pub(super) number: u64,
    /// The checks of this pass.
    pub(super) checks: Arc<[ProxmoxAccessCheck]>,
    pub(super) client: Option<(Settings, Client)>,
    pub(super) worked: Option<Instant>,
    /// Since when nobody has answered where the cluster was, or somebody else.
    pub(super) away: Option<Instant>,
    pub(super) failures: u32,
    /// How many passes in a row came to nothing.
    pub(super) stalls: u32,
    /// When the first claim that failed is tried again.
    pub(super) retry_at: Option<u64>,
    pub(super) begun: Instant,
    pub(super) resync: Duration,
}

impl Worker {
    pub(super) fn new(
        key: ConnectionKey,
        context: Arc<Context>,
        wake: Arc<Notify>,
        (shard, permit): (usize, Permit),
        said: Option<Stored<ConnectionStatus>>,
    ) -> Self {
        Self {
            reporter: Reporter::new(key.clone(), Arc::clone(&context), permit.clone()),
            key,
            context,
            shard,
            permit,
            unsure: false,
            memory: Memory::default(),
            realms: RealmCache::default(),
            written: HashMap::new(),
            in_hand: HashMap::new(),
            synced: HashMap::new(),
            jobs: HashMap::new(),
            issuers: Issuers::default(),
            audiences: Audiences::default(),
            sign_ins: HashMap::new(),
            stock: Stock::default(),
            wake,
            said,
            seen: HashMap::new(),
            settled: Settled::default(),
            number: 0,
            checks: Arc::default(),
            client: None,
            worked: None,
            away: None,
            failures: 0,
            stalls: 0,
            retry_at: None,
            begun: Instant::now(),
            resync: Duration::from_mins(1),
        }
    }

    /// One pass over all objects. `None`: nothing to do until somebody wakes us.
    pub(super) async fn pass(&mut self) -> Option<Duration> {
        let all = self.context.index.objects(&self.key);
        self.checks = self.context.index.checks(&self.key);
        let of_checks = self.checks.iter().filter_map(|check| check.metadata.uid.clone());
        let present: HashSet<String> = all.iter().map(|any| any.uid().to_owned()).chain(of_checks).collect();
        self.reporter.catch_up(&all, &present);
        self.written.retain(|uid, _| present.contains(uid));
        self.synced.retain(|uid, _| present.contains(uid));
        self.jobs.retain(|uid, _| present.contains(uid));
        self.sign_ins.retain(|uid, _| present.contains(uid));
        self.seen.retain(|uid, _| present.contains(uid));
        self.settled.keep(&present);
        self.number += 1;
        let connection = self.context.index.connection(&self.key);
        let itself = connection.iter().map(|connection| connection.target.uid.clone());
        self.reporter.count(&present.into_iter().chain(itself).collect());
        let objects: Vec<AnyObject> = all.into_iter().filter(|any| !self.reporter.is_released(any)).collect();
        let Some(connection) = connection else {
            self.without_connection(&objects).await;
            self.context.metrics.forget(&self.key);
            return (!objects.is_empty() || !self.checks.is_empty()).then(|| jittered(self.resync));
        };
        self.resync = connection.spec.resync_interval();
        match self.reporter.hold(&connection.metadata, &connection.target, !objects.is_empty()).await {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => {
                tracing::warn!(connection = %self.key, %error, "the finalizer of the connection could not be written");
                self.failures = self.failures.saturating_add(1);
                return Some(self.back_off());
            }
        }
        if connection.spec.suspend {
            self.client = None;
            self.suspended(&connection, &objects).await;
            return Some(jittered(self.resync));
        }
        let ending = self.ending();
        let session = tokio::select! {
            session = self.session(&connection, &objects) => session,
            () = ending.reached() => return None,
        };
        let refusal = match session {
            Ok(session) if self.is_another(&connection, &session) && !self.leave_cluster(&objects).await => {
                self.failures = self.failures.saturating_add(1);
                return Some(self.back_off());
            }
            Ok(session) if self.moves(&connection, &session).await => return None,
            Ok(session) => match Policy::parse(connection.spec.policy.as_ref(), self.key.proxmox_kind()) {
                Ok(policy) => match Box::pin(self.judge(&session, &connection, policy, &objects)).await {
                    Ok(Outcome { next, broken: None }) => {
                        self.failures = 0;
                        return Some(next);
                    }
                    Ok(Outcome { broken: Some(failure), .. }) => failure.into(),
                    Err(refusal) => refusal,
                },
                Err(error) => Refusal::new(Reason::InvalidSpec, format!("policy.rules: {error}")),
            },
            Err(refusal) => refusal,
        };
        if ending.is_reached() {
            return None;
        }
        self.unreachable(&connection, &objects, &refusal).await;
        Some(self.back_off())
    }
}

impl From<crate::core::failure::Failure> for Refusal {
    fn from(failure: crate::core::failure::Failure) -> Self {
        Self::new(failure.kind.reason(), failure.message)
    }
}
