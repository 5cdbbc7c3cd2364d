//! The one place for calls to Kubernetes beside the watches.

mod error;
mod events;
mod objects;
mod secrets;
mod target;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use kube::Client;

use crate::controller::recorder::Recorders;
use crate::outward::Outward;
use crate::permit::Permit;
pub use error::KubernetesError;
pub use objects::{is_held, resource_version};
use target::Does;
pub use target::Target;

/// How long one call may take: the client itself retries for minutes against a sick apiserver.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How often a write is sent that loses against others. The apiserver itself tries five times before it says so.
const ATTEMPTS: usize = 3;

/// Calls to Kubernetes: reads, and writes that each need a permit.
#[derive(Clone)]
pub struct Kubernetes {
    client: Client,
    recorders: Recorders,
    outward: Arc<Outward>,
}

impl Kubernetes {
    /// Calls through a client.
    pub fn new(client: Client, outward: Arc<Outward>) -> Self {
        Self { recorders: Recorders::new(client.clone()), client, outward }
    }

    async fn write<T>(
        &self,
        permit: &Permit,
        what: Does<'_>,
        call: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, KubernetesError> {
        let room = permit.begin(TIMEOUT).await?;
        let number = self.outward.before(what);
        let result = tokio::time::timeout(room.allowed(), room.hold(call)).await;
        self.outward.after(number);
        Ok(result.ok().flatten().ok_or(KubernetesError::Timeout)??)
    }

    /// The same, again when the write lost against others: what is applied depends on nothing that they wrote.
    async fn write_again<T, F: Future<Output = Result<T, kube::Error>>>(
        &self,
        permit: &Permit,
        what: Does<'_>,
        call: impl Fn() -> F,
    ) -> Result<T, KubernetesError> {
        for _ in 1..ATTEMPTS {
            match self.write(permit, what, call()).await {
                Err(error) if error.is_contended() => {}
                result => return result,
            }
        }
        self.write(permit, what, call()).await
    }

    async fn read<T>(
        &self,
        what: Does<'_>,
        call: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, KubernetesError> {
        let number = self.outward.before(what);
        let result = tokio::time::timeout(TIMEOUT, call).await;
        self.outward.after(number);
        Ok(result.map_err(|_| KubernetesError::Timeout)??)
    }
}
