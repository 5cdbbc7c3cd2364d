//! Several replicas: each watches everything, and writes only for the connections of the shards that it holds.
//!
//! - Each replica has a Lease of its own, which it renews. It works from the moment *before* a renewal was sent until the
//!   lease runs out, by its own clock.
//! - One more Lease says who holds which shard ([`record::Table`]). It is changed only as it was seen last.
//! - A replica whose Lease was not seen to change for as long as it lasts, by the clock of who looks, is *buried*: its
//!   Lease is deleted as it was seen last. That fails when it was renewed after all; when it works, nobody can renew it any
//!   more, and its shards are free.
//! - Only its holder gives a shard that is not free to another one, once all that it did for it has come to its end. So
//!   shards move when replicas come and go ([`spread`]), at once and without a moment in which two hold one.
//!
//! Why not a Lease for each shard, renewed by its holder: then each replica would know only by more Leases who else could
//! hold one; and replicas with different numbers of shards, as while a new number is rolled out, would take different
//! Leases for the same connection. With one Lease for all shards they see each other, and who comes later waits.
//!
//! All decisions are pure ([`view`], [`decide`], [`spread`]); [`keep`] acts on them.

mod calls;
mod decide;
mod holding;
mod keep;
mod own;
mod record;
mod spread;
mod terms;
#[cfg(test)]
mod tests;
mod view;

use std::sync::Arc;
use std::time::Duration;

use kube::Client;

use crate::controller::metrics::Metrics;
pub use keep::Keeper;
pub use record::plain;
pub use terms::Terms;

/// How replicas share their work.
#[derive(Debug, Clone)]
pub struct Election {
    /// The namespace of the Leases.
    pub namespace: String,
    /// The name of the Lease that says who holds which shard; those of the replicas begin with it.
    pub name: String,
    /// What this replica calls itself.
    pub replica: String,
    /// How long a Lease lasts after a renewal.
    pub duration: Duration,
    /// Into how many shards connections are divided.
    pub shards: usize,
}

/// What this process may work on: what a keeper holds for it, or everything where there are no others.
pub(super) fn begin(client: &Client, election: Option<&Election>, metrics: &Arc<Metrics>) -> (Option<Keeper>, Terms) {
    if let Some(election) = election {
        let (keeper, terms) = Keeper::new(client.clone(), election, Arc::clone(metrics));
        return (Some(keeper), terms);
    }
    metrics.leads(0, true);
    (None, Terms::unlimited())
}
