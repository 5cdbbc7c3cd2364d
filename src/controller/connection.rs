//! One connection: woken by changes and by time, one pass after the other.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::api::connection_status::ConnectionStatus;
use crate::api::status::{SecretVersion, SignInStatus, SyncJobStatus, SyncStatus};
use crate::api::{CONFIRM_CLUSTER, ProxmoxAccessCheck, Reason};
use crate::controller::Context;
use crate::controller::audiences::Audiences;
use crate::controller::connections::{Connection, ConnectionKey};
use crate::controller::execute::Clock;
use crate::controller::inventory::Stock;
use crate::controller::issuers::Issuers;
use crate::controller::kinds::AnyObject;
use crate::controller::managed::Managed;
use crate::controller::observer::Observer;
use crate::controller::parcel::InHand;
use crate::controller::pass::Outcome;
use crate::controller::prepare;
use crate::controller::said::Stored;
use crate::controller::settled::Settled;
use crate::controller::tell::Reporter;
use crate::core::claim::Wanted;
use crate::core::object::Refusal;
use crate::core::plan::Memory;
use crate::core::policy::Policy;
use crate::https::observer::CallObserver;
use crate::permit::Permit;
use crate::pve::client::Client;
use crate::pve::config::Settings;
use crate::pve::realms::RealmCache;
use crate::pve::session::Session;

/// A burst of changes is one pass.
pub(super) const DEBOUNCE: Duration = Duration::from_millis(20);

/// How long the last working credential serves deletions after its Secret is gone: a namespace that is deleted takes
/// the Secret along before the objects.
pub(super) const KEEP_CREDENTIAL: Duration = Duration::from_mins(10);

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
    client: Option<(Settings, Client)>,
    worked: Option<Instant>,
    /// Since when nobody has answered where the cluster was, or somebody else.
    pub(super) away: Option<Instant>,
    pub(super) failures: u32,
    /// How many passes in a row came to nothing.
    stalls: u32,
    /// When the first claim that failed is tried again.
    pub(super) retry_at: Option<u64>,
    begun: Instant,
    resync: Duration,
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

    /// A session with the right cluster.
    async fn session(&mut self, connection: &Connection, objects: &[AnyObject]) -> Result<Session, Refusal> {
        let settings =
            match prepare::settings(&self.context.kubernetes, self.secret_namespace(), &connection.spec).await {
                Ok(settings) => Some(Settings { replica: self.context.replica.clone(), ..settings }),
                Err(refusal) if refusal.reason == Reason::SecretNotFound && self.may_use_last(objects) => None,
                Err(refusal) => return Err(refusal),
            };
        if let Some(settings) = settings
            && self.client.as_ref().is_none_or(|(current, _)| *current != settings)
        {
            let observer: Arc<dyn CallObserver> = Arc::new(Observer::new(&self.context, &self.key));
            let client = Client::new(&settings, &observer)?;
            self.client = Some((settings, client));
        }
        let Some((_, client)) = &self.client else {
            return Err(Refusal::new(Reason::SecretNotFound, "there is no credential"));
        };
        let session = client.connect(&self.permit).await?;
        let known = self.status_of(connection).cluster_id;
        let confirmed = connection.metadata.annotations.as_ref().and_then(|all| all.get(CONFIRM_CLUSTER));
        let here = session.cluster().as_str();
        match known {
            Some(known) if known != here && confirmed.map(String::as_str) != Some(here) => Err(Refusal::new(
                Reason::ClusterChanged,
                format!(
                    "{} is cluster {here}, not {known} as before; correct the endpoints, or confirm the new one with the \
                     annotation {CONFIRM_CLUSTER}: {here}",
                    session.endpoint()
                ),
            )),
            _ => {
                (self.worked, self.away) = (Some(Instant::now()), None);
                Ok(session)
            }
        }
    }

    /// True while the connection's status still says another cluster, which a person has confirmed to be left.
    fn is_another(&self, connection: &Connection, session: &Session) -> bool {
        self.status_of(connection).cluster_id.is_some_and(|known| known != session.cluster().as_str())
    }

    /// Where the Secrets and ConfigMaps of the connection are.
    fn secret_namespace(&self) -> &str {
        self.key.namespace.as_deref().unwrap_or(&self.context.own_namespace)
    }

    fn may_use_last(&self, objects: &[AnyObject]) -> bool {
        let recent = self.worked.is_some_and(|worked| worked.elapsed() < KEEP_CREDENTIAL);
        recent
            && self.client.is_some()
            && objects.iter().any(AnyObject::is_being_deleted)
            && objects.iter().all(AnyObject::is_being_deleted)
    }

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

impl From<crate::core::failure::Failure> for Refusal {
    fn from(failure: crate::core::failure::Failure) -> Self {
        Self::new(failure.kind.reason(), failure.message)
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
