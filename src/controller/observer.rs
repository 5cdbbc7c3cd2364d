//! What is noted of every call to another system.

use std::sync::Arc;

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
}

impl Observer {
    pub fn new(context: &Context, key: &ConnectionKey) -> Self {
        Self { key: key.clone(), metrics: Arc::clone(&context.metrics), outward: Arc::clone(&context.outward) }
    }
}

impl CallObserver for Observer {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, u64> {
        futures::future::ready(self.outward.before(call)).boxed()
    }

    fn after<'a>(&'a self, number: u64, call: &'a Call, outcome: &'a Outcome) -> BoxFuture<'a, ()> {
        self.outward.after(number);
        self.metrics.request(&self.key, call.method, outcome.status, outcome.duration);
        futures::future::ready(()).boxed()
    }
}
