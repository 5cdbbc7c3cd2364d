//! From watched objects to passes and statuses.
//!
//! [`index`] watches and wakes; each connection has a worker in [`connection`] that makes one [`pass`] after the
//! other, while it is this replica's [`turn`] by its [`leases`]; what becomes of the objects goes through [`report`], [`status`] and [`outbox`] back to Kubernetes.

mod audiences;
mod audit;
mod checks;
mod cluster;
mod connection;
mod connections;
mod deliver;
mod events;
mod execute;
mod gather;
mod index;
mod intend;
mod inventory;
mod issuers;
mod kinds;
mod kubernetes;
pub mod leases;
mod look;
mod managed;
mod metrics;
mod namespaces;
mod observer;
mod offline;
mod outbox;
mod outdated;
mod parcel;
mod pass;
mod peers;
mod pocket_id;
mod prepare;
mod recorder;
mod references;
mod report;
mod said;
mod scope;
mod server;
mod session;
mod settled;
mod sign_ins;
mod sources;
mod status;
mod sync;
mod tell;
mod turn;
mod wait;
mod way;

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::outward::Outward;
use connections::ConnectionKey;
use events::Events;
use index::{Index, Wake};
use kubernetes::Kubernetes;
use leases::{Election, Terms};
use metrics::Metrics;
use outbox::Outbox;

/// How the operator runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where health, readiness and metrics are served.
    pub listen: SocketAddr,
    /// The only namespace to watch; all when unset.
    pub namespace: Option<String>,
    /// How long something transient may last before it is Stalled.
    pub progress_deadline: Duration,
    /// How often what is watched is compared with a list.
    pub watch_review: Duration,
    /// Where the operator itself is, and with it the Secrets of each ClusterProxmoxConnection.
    pub own_namespace: String,
    /// How it shares the work with other replicas; unset, it is the only one.
    pub election: Option<Election>,
}

/// What all workers share.
struct Context {
    index: Arc<Index>,
    kubernetes: Kubernetes,
    outbox: Outbox,
    events: Events,
    metrics: Arc<Metrics>,
    outward: Arc<Outward>,
    /// What was written to Pocket ID.
    changes: pocket_id::Changes,
    progress_deadline: Duration,
    own_namespace: String,
    /// What this replica calls itself, where there are others.
    replica: Option<String>,
    /// What this replica may work on.
    terms: Terms,
    /// True when others may have written since this replica last looked.
    shares: bool,
    /// Asks workers to look again.
    wake: mpsc::UnboundedSender<Wake>,
    stop: watch::Receiver<bool>,
}

/// How many wakes are looked at together: of many changes most wake the same.
const BURST: usize = 1000;

/// How long workers may finish what they do when the operator stops.
const GRACE: Duration = Duration::from_secs(15);

/// Runs until `stop` completes, then lets the request under way and the last statuses finish.
///
/// # Errors
/// When the address to listen on cannot be had.
pub async fn run(client: kube::Client, options: Options, stop: impl Future<Output = ()>) -> std::io::Result<()> {
    let Options { listen, namespace, progress_deadline, watch_review, own_namespace, election } = options;
    let outward = Arc::new(Outward::new());
    let kubernetes = Kubernetes::new(client.clone(), Arc::clone(&outward));
    let metrics = Metrics::new();
    let (keeper, terms) = leases::begin(&client, election.as_ref(), &metrics);
    let (wake, mut wakes) = mpsc::unbounded_channel();
    let (say_stop, stop_said) = watch::channel(false);
    let (mut watches, mut senders, mut workers) = (JoinSet::new(), JoinSet::new(), JoinSet::new());
    let several_shards = terms.shards() > 1;
    let index = Index::start(&client, namespace.as_deref(), several_shards, watch_review, &wake, &mut watches);
    let context = Arc::new(Context {
        index: Arc::new(index),
        outbox: Outbox::start(kubernetes.clone(), Arc::clone(&metrics), &mut senders),
        events: Events::start(kubernetes.clone(), &mut senders),
        kubernetes,
        metrics,
        outward,
        changes: pocket_id::Changes::default(),
        progress_deadline,
        own_namespace,
        shares: election.is_some(),
        replica: election.map(|election| leases::plain(&election.replica)),
        terms,
        wake: wake.clone(),
        stop: stop_said,
    });
    server::serve(listen, Arc::clone(&context.index), Arc::clone(&context.metrics), &mut watches).await?;
    let (release, released) = oneshot::channel();
    let keeping = keeper.map(|keeper| {
        let index = Arc::clone(&context.index);
        tokio::spawn(keeper.keep(move || index.is_ready(), released))
    });
    let mut known: HashMap<ConnectionKey, Arc<Notify>> = HashMap::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let mut said = Vec::new();
        tokio::select! {
            () = &mut stop => break,
            // The sender is held above, so that there is always a next one.
            _ = wakes.recv_many(&mut said, BURST) => {}
        }
        let said: HashSet<Wake> = said.into_iter().collect();
        let keys: HashSet<ConnectionKey> = said
            .into_iter()
            .flat_map(|wake| match wake {
                Wake::Connection(key) => {
                    let peers = if context.index.is_ready() { context.index.peers(&key) } else { Vec::new() };
                    std::iter::once(key).chain(peers).collect()
                }
                Wake::Referring(namespace) => context.index.referring(&namespace).into_iter().collect(),
                Wake::PocketId(namespace) => context.index.pocket_id_keys(namespace.as_deref()).into_iter().collect(),
                Wake::All if context.index.is_ready() => {
                    context.index.keys().into_iter().chain(known.keys().cloned()).collect()
                }
                Wake::All => Vec::new(),
            })
            .collect();
        for key in keys {
            let notify = known.entry(key.clone()).or_insert_with(|| {
                let notify = Arc::new(Notify::new());
                workers.spawn(turn::work(Arc::clone(&context), key, Arc::clone(&notify)));
                notify
            });
            notify.notify_one();
        }
    }
    tracing::info!("stopping");
    say_stop.send_replace(true);
    watches.abort_all();
    let finished = async {
        while workers.join_next().await.is_some() {}
        // The last one who holds the entrances to outbox and Events is gone with the context.
        drop(context);
        while senders.join_next().await.is_some() {}
    };
    if tokio::time::timeout(GRACE, finished).await.is_err() {
        // What is under way may still arrive, so that a lease is left to run out.
        tracing::warn!("not everything finished in time; the next start goes on from the ledgers");
    } else if let Some(keeping) = keeping
        && release.send(()).is_ok()
    {
        // It gives up by itself.
        let _ = keeping.await;
    }
    Ok(())
}
