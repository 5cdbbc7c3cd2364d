//! When this replica works on a connection: while it holds the connection's shard. What a turn has learned ends with it,
//! since others may write in between.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::api::connection_status::ConnectionStatus;
use crate::controller::Context;
use crate::controller::connection::{DEBOUNCE, Worker};
use crate::controller::connections::{Connection, ConnectionKey};
use crate::controller::way::{Said, status_of};
use crate::permit::Permit;
use crate::pve::session::Session;

/// How soon it is tried again to see what others have written.
const RETRY: Duration = Duration::from_secs(1);

/// Works on a connection whenever it is this replica's turn, until the operator stops.
pub(super) async fn work(context: Arc<Context>, key: ConnectionKey, wake: Arc<Notify>) {
    let mut terms = context.terms.clone();
    // Of the connection itself it is always known what was written: it decides whose turn it is.
    let mut said: Option<Said> = None;
    let mut stop = context.stop.clone();
    while !*stop.borrow_and_update() {
        let shard = shard(&context, &key, said.as_ref());
        if let Some(permit) = context.terms.permit(shard) {
            let worker = Worker::new(key.clone(), Arc::clone(&context), Arc::clone(&wake), (shard, permit), said);
            said = worker.turn().await;
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
fn shard(context: &Context, key: &ConnectionKey, said: Option<&Said>) -> usize {
    if context.terms.shards() == 1 {
        return 0;
    }
    let cluster = context.index.connection(key).and_then(|connection| status_of(said, &connection).cluster_id);
    context.terms.shard(key, cluster.as_deref())
}

impl Worker {
    /// Makes passes while it is this replica's turn; answers with what the connection's status says.
    async fn turn(mut self) -> Option<Said> {
        let ending = self.ending();
        let catching_up = async {
            while self.context.shares
                && let Err(error) = self.context.index.catch_up().await
            {
                tracing::warn!(connection = %self.key, %error, "what others wrote could not be read; tried again");
                tokio::time::sleep(RETRY).await;
            }
        };
        tokio::select! {
            () = catching_up => {}
            () = ending.reached() => {}
        }
        while !ending.is_reached() && self.is_ours() {
            let next = if self.context.index.is_ready() { Box::pin(self.guarded()).await } else { None };
            if !self.is_ours() {
                break;
            }
            tokio::select! {
                () = self.wake.notified() => tokio::time::sleep(DEBOUNCE).await,
                () = tokio::time::sleep(next.unwrap_or_default()), if next.is_some() => {}
                () = ending.reached() => {}
            }
        }
        if self.unsure {
            tokio::time::sleep(RETRY).await;
        }
        self.reporter.count(&std::collections::HashSet::new());
        self.context.metrics.forget(&self.key);
        self.said
    }

    /// False when the connection is in another shard meanwhile, or may be.
    fn is_ours(&self) -> bool {
        !self.unsure && shard(&self.context, &self.key, self.said.as_ref()) == self.shard
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
            Ok(version) => self.said = Some(Said::new(status, version)),
            Err(error) => {
                tracing::warn!(connection = %self.key, %error, "the cluster's id could not be stored");
                self.unsure = true;
            }
        }
        !self.is_ours()
    }

    /// When this turn ends.
    pub(super) fn ending(&self) -> Ending {
        Ending { stop: self.context.stop.clone(), permit: self.permit.clone() }
    }
}

/// When a turn ends: the operator stops, or the shard goes to another replica.
pub(super) struct Ending {
    stop: watch::Receiver<bool>,
    permit: Permit,
}

impl Ending {
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
