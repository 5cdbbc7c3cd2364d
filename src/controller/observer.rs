//! What is noted of every call to another system.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::controller::Context;
use crate::controller::connections::ConnectionKey;
use crate::controller::metrics::Metrics;
use crate::https::observer::{Call, CallObserver, Outcome};
use crate::outward::Outward;

/// Counts calls and measures them.
pub(super) struct Observer {
    key: ConnectionKey,
    metrics: Arc<Metrics>,
    outward: Arc<Outward>,
    /// The number of the call that is under way: writes go one at a time, and of reads it does not matter which.
    number: AtomicU64,
}

impl Observer {
    pub fn new(context: &Context, key: &ConnectionKey) -> Self {
        Self {
            key: key.clone(),
            metrics: Arc::clone(&context.metrics),
            outward: Arc::clone(&context.outward),
            number: AtomicU64::new(0),
        }
    }
}

impl CallObserver for Observer {
    fn before<'a>(&'a self, _call: &'a Call) -> BoxFuture<'a, ()> {
        self.number.store(self.outward.before(), Ordering::SeqCst);
        futures::future::ready(()).boxed()
    }

    fn after<'a>(&'a self, call: &'a Call, outcome: &'a Outcome) -> BoxFuture<'a, ()> {
        self.outward.after(self.number.load(Ordering::SeqCst));
        self.metrics.request(&self.key, call.method, outcome.status, outcome.duration);
        futures::future::ready(()).boxed()
    }
}
