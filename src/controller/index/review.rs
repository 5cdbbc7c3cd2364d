//! Whether a watch has missed something: what Kubernetes has and the watch does not come to show would be missing for ever.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use kube::Resource;
use serde::de::DeserializeOwned;
use tokio::sync::Notify;

use super::fresh::{Name, behind};
use super::kind::{Kind, LISTED};
use crate::controller::wait::jittered;

/// How long a watch may be behind a list before it counts as one that has missed something; never longer than it takes
/// until it is looked at again.
const PATIENCE: Duration = Duration::from_secs(10);

/// A stream that ends and begins anew, again and again.
pub(in crate::controller) fn anew<T, S, F>(begin: impl Fn() -> S, end: impl Fn() -> F) -> impl Stream<Item = T>
where
    S: Stream<Item = T>,
    F: Future<Output = ()>,
{
    stream::repeat_with(move || begin().take_until(end())).flatten()
}

/// Looks at each interval whether the watch shows what stands, and has it begin anew where it does not.
pub(super) async fn review<K>(kind: Kind<K>, interval: Duration, begin_anew: Arc<Notify>)
where
    K: Resource<DynamicType = ()> + Clone + fmt::Debug + DeserializeOwned + Send + Sync + 'static,
{
    loop {
        tokio::time::sleep(jittered(interval)).await;
        match kind.missed(interval.min(PATIENCE)).await {
            Ok(0) => {}
            Ok(missed) => {
                tracing::warn!(kind = %K::kind(&()), missed, "the watch has missed changes, listing anew");
                begin_anew.notify_one();
            }
            Err(error) => tracing::debug!(kind = %K::kind(&()), %error, "the watch could not be compared with a list"),
        }
    }
}

impl<K> Kind<K>
where
    K: Resource<DynamicType = ()> + Clone + fmt::Debug + DeserializeOwned + Send + Sync + 'static,
{
    /// Of how many objects the watch has missed a change: what it shows of them was old, and after so long is the same.
    async fn missed(&self, patience: Duration) -> Result<usize, kube::Error> {
        if self.state() != LISTED {
            return Ok(0);
        }
        let first = self.behind().await?;
        if first.is_empty() {
            return Ok(0);
        }
        tokio::time::sleep(patience).await;
        let then = self.behind().await?;
        Ok(then.iter().filter(|(name, shown)| first.get(*name) == Some(shown)).count())
    }

    /// The objects of which the watch shows less than what stands, with the version that it shows.
    async fn behind(&self) -> Result<BTreeMap<Name, Option<u64>>, kube::Error> {
        let (all, listed) = self.list().await?;
        Ok(behind(&self.shown(), all, &listed))
    }
}
