//! When this replica works on a connection: while it holds the connection's shard. What a turn has learned ends with it,
//! since others may write in between.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use tokio::sync::{Notify, watch};

use crate::api::connection_status::ConnectionStatus;
use crate::api::object::System;
use crate::controller::Context;
use crate::controller::connection::{DEBOUNCE, Worker};
use crate::controller::connections::{Connection, ConnectionKey};
use crate::controller::pocket_id;
use crate::controller::said::Stored;
use crate::controller::tell::Reporter;
use crate::controller::way::status_of;
use crate::permit::Permit;
use crate::pve::session::Session;

/// How soon it is tried again to see what others have written.
const RETRY: Duration = Duration::from_secs(1);

/// Who makes passes over one connection while it is this replica's turn.
pub(super) trait Turn: Sized + Send {
    /// What it tells Kubernetes with.
    fn reporter(&mut self) -> &mut Reporter;

    /// Who wakes it.
    fn wake(&self) -> Arc<Notify>;

    /// False when it is not this replica's turn any more, or may not be.
    fn is_ours(&self) -> bool;

    /// One pass over all objects. `None`: nothing to do until somebody wakes us.
    fn pass(&mut self) -> impl Future<Output = Option<Duration>> + Send;

    /// How long to wait after a pass that failed.
    fn back_off(&self) -> Duration;

    /// Makes passes while it is this replica's turn.
    fn make_passes(&mut self) -> impl Future<Output = ()> + Send {
        async {
            let (context, key) = (Arc::clone(&self.reporter().context), self.reporter().key.clone());
            let ending = Ending::new(&context, &self.reporter().permit);
            let wake = self.wake();
            let catching_up = async {
                while context.shares
                    && let Err(error) = context.index.catch_up().await
                {
                    tracing::warn!(connection = %key, %error, "what others wrote could not be read; tried again");
                    tokio::time::sleep(RETRY).await;
                }
            };
            tokio::select! {
                () = catching_up => {}
                () = ending.reached() => {}
            }
            while !ending.is_reached() && self.is_ours() {
                let next = if context.index.is_ready() { Box::pin(self.guarded()).await } else { None };
                if !self.is_ours() {
                    break;
                }
                tokio::select! {
                    () = wake.notified() => tokio::time::sleep(DEBOUNCE).await,
                    () = tokio::time::sleep(next.unwrap_or_default()), if next.is_some() => {}
                    () = ending.reached() => {}
                }
            }
            self.reporter().count(&HashSet::new());
            context.metrics.forget(&key);
        }
    }

    /// A pass that panics costs that pass only.
    fn guarded(&mut self) -> impl Future<Output = Option<Duration>> + Send {
        async {
            let begun = Instant::now();
            let result = Box::pin(AssertUnwindSafe(self.pass()).catch_unwind()).await;
            let reporter = self.reporter();
            reporter.context.metrics.pass(begun.elapsed());
            let Err(_) = result else { return result.unwrap_or_default() };
            tracing::error!(connection = %reporter.key, "a pass failed by a defect of the operator; please report it");
            Some(self.back_off())
        }
    }
}

/// Works on a connection whenever it is this replica's turn, until the operator stops.
pub(super) async fn work(context: Arc<Context>, key: ConnectionKey, wake: Arc<Notify>) {
    let mut terms = context.terms.clone();
    // Of the connection itself it is always known what was written: it decides whose turn it is.
    let mut said: Option<Stored<ConnectionStatus>> = None;
    let mut stop = context.stop.clone();
    while !*stop.borrow_and_update() {
        let shard = shard(&context, &key, said.as_ref());
        if let Some(permit) = context.terms.permit(shard) {
            match key.system {
                System::ProxmoxVe => {
                    let (key, context, wake) = (key.clone(), Arc::clone(&context), Arc::clone(&wake));
                    said = Worker::new(key, context, wake, (shard, permit), said).turn().await;
                }
                System::PocketId => {
                    let (key, context, wake) = (key.clone(), Arc::clone(&context), Arc::clone(&wake));
                    pocket_id::Worker::new(key, context, wake, permit).make_passes().await;
                }
            }
        } else {
            tokio::select! {
                () = terms.changed() => {}
                () = wake.notified() => {}
                // The sender lives until everything has stopped.
                _ = stop.changed() => {}
            }
        }
    }
}

/// The shard of a connection, by what is known of it here.
fn shard(context: &Context, key: &ConnectionKey, said: Option<&Stored<ConnectionStatus>>) -> usize {
    if context.terms.shards() == 1 {
        return 0;
    }
    let cluster = context.index.connection(key).and_then(|connection| status_of(said, &connection).cluster_id);
    context.terms.shard(key, cluster.as_deref())
}

impl Turn for Worker {
    fn reporter(&mut self) -> &mut Reporter {
        &mut self.reporter
    }

    fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    fn is_ours(&self) -> bool {
        !self.unsure && shard(&self.context, &self.key, self.said.as_ref()) == self.shard
    }

    fn pass(&mut self) -> impl Future<Output = Option<Duration>> + Send {
        Self::pass(self)
    }

    fn back_off(&self) -> Duration {
        Self::back_off(self)
    }
}

impl Worker {
    /// Makes passes while it is this replica's turn; answers with what the connection's status says.
    async fn turn(mut self) -> Option<Stored<ConnectionStatus>> {
        self.make_passes().await;
        if self.unsure {
            tokio::time::sleep(RETRY).await;
        }
        self.said
    }

    /// Stores which cluster the connection leads to before anything else is done there, where that decides which replica
    /// works on it. True when it is not this one, or when that is not known: another one may have begun already.
    pub(super) async fn moves(&mut self, connection: &Connection, session: &Session) -> bool {
        let (previous, here) = (self.status_of(connection), session.cluster().to_string());
        if self.context.terms.shards() == 1 || previous.cluster_id.as_ref() == Some(&here) {
            return false;
        }
        let status = ConnectionStatus { external_id: Some(here.clone()), cluster_id: Some(here), ..previous };
        match self.context.kubernetes.write_status(&self.permit, &connection.target, &status).await {
            Ok(version) => self.said = Some(Stored::new(status, version)),
            Err(error) => {
                tracing::warn!(connection = %self.key, %error, "the cluster's id could not be stored");
                self.unsure = true;
            }
        }
        !self.is_ours()
    }

    /// When this turn ends.
    pub(super) fn ending(&self) -> Ending {
        Ending::new(&self.context, &self.permit)
    }
}

/// When a turn ends: the operator stops, or the shard goes to another replica.
pub(super) struct Ending {
    stop: watch::Receiver<bool>,
    permit: Permit,
}

impl Ending {
    /// When a turn with this permit ends.
    pub fn new(context: &Context, permit: &Permit) -> Self {
        Self { stop: context.stop.clone(), permit: permit.clone() }
    }

    /// True when nothing new is to be begun.
    pub fn is_reached(&self) -> bool {
        *self.stop.borrow() || self.permit.is_ending()
    }

    /// Waits until nothing new is to be begun.
    pub async fn reached(&self) {
        let mut stop = self.stop.clone();
        tokio::select! {
            // The sender lives until everything has stopped.
            _ = stop.wait_for(|stop| *stop) => {}
            () = self.permit.ending() => {}
        }
    }
}
