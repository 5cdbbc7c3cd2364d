//! From watched objects to passes and statuses.
//!
//! [`index`] watches and wakes; each connection has a worker in [`connection`] that makes one [`pass`] after the
//! other; what becomes of the objects goes through [`report`] and [`outbox`] back to Kubernetes.

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
mod metrics;
mod namespaces;
mod observer;
mod offline;
mod outbox;
mod pass;
mod peers;
mod prepare;
mod recorder;
mod report;
mod server;
mod sources;
mod sync;
mod tell;
mod way;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use crate::outward::Outward;
use connections::ConnectionKey;
use events::Events;
use index::{Index, Wake};
use kubernetes::Kubernetes;
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
    /// Where the operator itself is, and with it the Secrets of each ClusterProxmoxConnection; by default the namespace of
    /// the service account or of the kubeconfig's context.
    pub own_namespace: Option<String>,
}

/// What all workers share.
struct Context {
    index: Arc<Index>,
    kubernetes: Kubernetes,
    outbox: Outbox,
    events: Events,
    metrics: Arc<Metrics>,
    outward: Arc<Outward>,
    progress_deadline: Duration,
    own_namespace: String,
    stop: watch::Receiver<bool>,
}

impl Context {
    /// Asks whether the operator is to stop.
    fn stopping(&self) -> impl Fn() -> bool + use<> {
        let stop = self.stop.clone();
        move || *stop.borrow()
    }

    /// Waits until the operator is to stop.
    async fn stopped(&self) {
        let mut stop = self.stop.clone();
        // The sender lives until everything has stopped.
        let _ = stop.wait_for(|stop| *stop).await;
    }
}

/// How long workers may finish what they do when the operator stops.
const GRACE: Duration = Duration::from_secs(15);

/// Runs until `stop` completes, then lets the request under way and the last statuses finish.
///
/// # Errors
/// When the address to listen on cannot be had.
pub async fn run(client: kube::Client, options: Options, stop: impl Future<Output = ()>) -> std::io::Result<()> {
    let Options { listen, namespace, progress_deadline, own_namespace } = options;
    let own_namespace = own_namespace.unwrap_or_else(|| client.default_namespace().to_owned());
    let outward = Arc::new(Outward::new());
    let kubernetes = Kubernetes::new(client.clone(), Arc::clone(&outward));
    let metrics = Metrics::new();
    let (wake, mut wakes) = mpsc::unbounded_channel();
    let (say_stop, stop_said) = watch::channel(false);
    let (mut watches, mut senders, mut workers) = (JoinSet::new(), JoinSet::new(), JoinSet::new());
    let context = Arc::new(Context {
        index: Arc::new(Index::start(&client, namespace.as_deref(), &wake, &mut watches)),
        outbox: Outbox::start(kubernetes.clone(), Arc::clone(&metrics), &mut senders),
        events: Events::start(kubernetes.clone(), &mut senders),
        kubernetes,
        metrics,
        outward,
        progress_deadline,
        own_namespace,
        stop: stop_said,
    });
    server::serve(listen, Arc::clone(&context.index), Arc::clone(&context.metrics), &mut watches).await?;
    let mut known: HashMap<ConnectionKey, Arc<Notify>> = HashMap::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let wake = tokio::select! {
            () = &mut stop => break,
            // The sender is held above, so that there is always a next one.
            Some(wake) = wakes.recv() => wake,
        };
        let keys = match wake {
            Wake::Connection(key) => {
                let peers = if context.index.is_ready() { context.index.peers(&key) } else { Vec::new() };
                std::iter::once(key).chain(peers).collect()
            }
            Wake::All if context.index.is_ready() => {
                context.index.keys().into_iter().chain(known.keys().cloned()).collect()
            }
            Wake::All => Vec::new(),
        };
        for key in keys {
            let notify = known.entry(key.clone()).or_insert_with(|| {
                let notify = Arc::new(Notify::new());
                workers.spawn(connection::work(Arc::clone(&context), key, Arc::clone(&notify)));
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
        tracing::warn!("not everything finished in time; the next start goes on from the ledgers");
    }
    Ok(())
}
