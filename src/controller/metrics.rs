//! What Prometheus reads. Labels are kinds, results and fixed categories, never names of objects.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::controller::connections::ConnectionKey;
use crate::core::inventory::Kind;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindResult {
    kind: String,
    result: &'static str,
}

/// The same, for what is counted of every object in each pass.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Judged {
    kind: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConditionLabels {
    kind: &'static str,
    r#type: &'static str,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    connection: String,
    method: &'static str,
    code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConnectionLabel {
    connection: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ShardLabel {
    shard: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UnmanagedLabels {
    connection: String,
    kind: &'static str,
}

/// All metrics.
pub struct Metrics {
    registry: Registry,
    reconciles: Family<Judged, Counter>,
    durations: Histogram,
    conditions: Family<ConditionLabels, Gauge>,
    requests: Family<RequestLabels, Counter>,
    request_durations: Family<ConnectionLabel, Histogram>,
    lock_timeouts: Family<ConnectionLabel, Counter>,
    drift: Family<KindLabel, Counter>,
    statuses: Family<KindResult, Counter>,
    expiry: Family<ConnectionLabel, Gauge>,
    unmanaged: Family<UnmanagedLabels, Gauge>,
    administrators: Family<ConnectionLabel, Gauge>,
    passes: Counter<u64, AtomicU64>,
    leader: Family<ShardLabel, Gauge>,
}

impl Metrics {
    /// Metrics that are all zero.
    pub fn new() -> Arc<Self> {
        let mut registry = Registry::with_prefix("proxmox_identity");
        let histogram = || Histogram::new(exponential_buckets(0.005, 2.0, 14));
        let metrics = Self {
            reconciles: Family::default(),
            durations: histogram(),
            conditions: Family::default(),
            requests: Family::default(),
            request_durations: Family::new_with_constructor(histogram as fn() -> Histogram),
            lock_timeouts: Family::default(),
            drift: Family::default(),
            statuses: Family::default(),
            expiry: Family::default(),
            unmanaged: Family::default(),
            administrators: Family::default(),
            passes: Counter::default(),
            leader: Family::default(),
            registry: Registry::default(),
        };
        registry.register("reconcile", "Objects judged by a pass, by what became of them", metrics.reconciles.clone());
        registry.register(
            "reconcile_duration_seconds",
            "Time of one pass over a connection",
            metrics.durations.clone(),
        );
        registry.register(
            "resource_condition",
            "Objects by the status of their Ready condition",
            metrics.conditions.clone(),
        );
        registry.register("external_requests", "Requests to Proxmox VE and Pocket ID", metrics.requests.clone());
        registry.register(
            "external_request_duration_seconds",
            "Time of a request to Proxmox VE or Pocket ID",
            metrics.request_durations.clone(),
        );
        registry.register(
            "external_lock_timeouts",
            "Writes that Proxmox VE gave up because its file was locked",
            metrics.lock_timeouts.clone(),
        );
        registry.register("drift_corrected", "Things that were made as wanted again", metrics.drift.clone());
        registry.register("status_writes", "Statuses written to Kubernetes", metrics.statuses.clone());
        registry.register(
            "connection_cert_expiry_seconds",
            "When the certificate of the endpoint in use expires, in seconds since 1970",
            metrics.expiry.clone(),
        );
        registry.register(
            "unmanaged",
            "Things in Proxmox VE that no object of the connection answers for, by kind, where all of them are seen",
            metrics.unmanaged.clone(),
        );
        registry.register(
            "administrators",
            "Users and tokens that may grant everything in Proxmox VE, besides root@pam",
            metrics.administrators.clone(),
        );
        registry.register("passes", "Passes over connections", metrics.passes.clone());
        registry.register(
            "leader",
            "Whether this replica holds a shard and works on the connections in it",
            metrics.leader.clone(),
        );
        Arc::new(Self { registry, ..metrics })
    }

    /// The text that Prometheus reads.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// One object was judged.
    pub fn judged(&self, kind: &'static str, ready: bool) {
        let result = if ready { "ready" } else { "not_ready" };
        self.reconciles.get_or_create(&Judged { kind, result }).inc();
    }

    /// A pass ended.
    pub fn pass(&self, duration: Duration) {
        self.passes.inc();
        self.durations.observe(duration.as_secs_f64());
    }

    /// How many more or fewer objects of a kind have a Ready status.
    pub fn ready_changed(&self, kind: &'static str, status: &'static str, by: i64) {
        self.conditions.get_or_create(&ConditionLabels { kind, r#type: "Ready", status }).inc_by(by);
    }

    /// A request to Proxmox VE or Pocket ID ended.
    pub fn request(&self, connection: &ConnectionKey, method: &'static str, status: Option<u16>, duration: Duration) {
        let code = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        let connection = connection.to_string();
        self.requests.get_or_create(&RequestLabels { connection: connection.clone(), method, code }).inc();
        self.request_durations.get_or_create(&ConnectionLabel { connection }).observe(duration.as_secs_f64());
    }

    /// A write was given up because of a lock.
    pub fn lock_timeout(&self, connection: &ConnectionKey) {
        self.lock_timeouts.get_or_create(&ConnectionLabel { connection: connection.to_string() }).inc();
    }

    /// This replica works on the connections of a shard, or does not.
    pub fn leads(&self, shard: usize, leads: bool) {
        self.leader.get_or_create(&ShardLabel { shard: shard as u64 }).set(i64::from(leads));
    }

    /// Something was made as wanted again.
    pub fn drift_corrected(&self, kind: &'static str) {
        self.drift.get_or_create(&KindLabel { kind }).inc();
    }

    /// A status was written, or not.
    pub fn status_written(&self, kind: &str, stored: bool) {
        let result = if stored { "stored" } else { "failed" };
        self.statuses.get_or_create(&KindResult { kind: kind.to_owned(), result }).inc();
    }

    /// A connection is gone: nobody is to be warned of it any more.
    pub fn forget(&self, connection: &ConnectionKey) {
        self.expiry.remove(&ConnectionLabel { connection: connection.to_string() });
        self.administrators(connection, None);
        for kind in Kind::ALL {
            self.unmanaged(connection, kind, None);
        }
    }

    /// How much of a kind nobody answers for, where that is known.
    pub fn unmanaged(&self, connection: &ConnectionKey, kind: Kind, count: Option<i64>) {
        show(&self.unmanaged, &UnmanagedLabels { connection: connection.to_string(), kind: kind.name() }, count);
    }

    /// How many administrators there are, where that is known.
    pub fn administrators(&self, connection: &ConnectionKey, count: Option<i64>) {
        show(&self.administrators, &ConnectionLabel { connection: connection.to_string() }, count);
    }

    /// The certificate of a connection's endpoint was seen.
    pub fn certificate_expiry(&self, connection: &ConnectionKey, seconds: i64) {
        self.expiry.get_or_create(&ConnectionLabel { connection: connection.to_string() }).set(seconds);
    }
}

/// Shows a count, or nothing where there is none.
fn show<L: Clone + std::hash::Hash + Eq>(gauges: &Family<L, Gauge>, labels: &L, count: Option<i64>) {
    match count {
        Some(count) => drop(gauges.get_or_create(labels).set(count)),
        None => drop(gauges.remove(labels)),
    }
}
