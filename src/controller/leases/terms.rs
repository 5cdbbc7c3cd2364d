//! Which shards this replica holds, for those who work on connections.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::controller::connections::ConnectionKey;
use crate::permit::Permit;

/// The shards that this replica holds, each with a permit to write.
#[derive(Clone)]
pub struct Terms {
    held: watch::Receiver<Vec<Option<Permit>>>,
    /// Kept where nobody else does.
    _holder: Option<Arc<watch::Sender<Vec<Option<Permit>>>>>,
}

impl Terms {
    /// Those of a process that shares its work with no other.
    pub fn unlimited() -> Self {
        let (holder, held) = watch::channel(vec![Some(Permit::unlimited())]);
        Self { held, _holder: Some(Arc::new(holder)) }
    }

    /// Those that come and go, each with as many places as there are shards.
    pub(super) fn changing(held: watch::Receiver<Vec<Option<Permit>>>) -> Self {
        Self { held, _holder: None }
    }

    /// Into how many shards connections are divided.
    pub fn shards(&self) -> usize {
        self.held.borrow().len()
    }

    /// The shard of a connection: by the cluster that it leads to once that is known, and by its name before. So all
    /// connections to one cluster are in the hands of one replica, which judges their objects by one view of Kubernetes,
    /// and only the replica that holds a connection can move it to another shard: by storing which cluster it leads to.
    pub fn shard(&self, key: &ConnectionKey, cluster: Option<&str>) -> usize {
        let text = cluster.map_or_else(|| format!("{} {key}", key.kind()), str::to_owned);
        shard(&text, self.shards())
    }

    /// The permit for a shard, while this replica holds it.
    pub fn permit(&self, shard: usize) -> Option<Permit> {
        self.held.borrow().get(shard).cloned().flatten()
    }

    /// Waits until shards come or go.
    pub async fn changed(&mut self) {
        if self.held.changed().await.is_err() {
            // Nothing changes any more: the operator ends.
            std::future::pending::<()>().await;
        }
    }
}

/// The same in every version of the operator and on every machine.
fn shard(text: &str, shards: usize) -> usize {
    let digest = Sha256::digest(text);
    let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    usize::try_from(number % (shards.max(1) as u64)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::object::System;

    #[test]
    fn the_shard_of_a_connection_is_the_same_for_ever() {
        for (text, shards, expected) in
            [("", 1, 0), ("ProxmoxConnection a/b", 1, 0), ("ProxmoxConnection a/b", 16, 2), ("3B:82", 16, 0)]
        {
            assert_eq!(shard(text, shards), expected, "{text:?} of {shards}");
        }
    }

    #[test]
    fn connections_to_one_cluster_are_in_one_shard_and_the_others_are_spread() {
        let (_holder, held) = watch::channel(vec![None; 8]);
        let terms = Terms::changing(held);
        let key = |number: usize| ConnectionKey {
            system: System::ProxmoxVe,
            namespace: Some("a".to_owned()),
            name: format!("pve-{number}"),
        };
        assert_eq!(terms.shard(&key(1), Some("3B:82")), terms.shard(&key(2), Some("3B:82")));
        let used: std::collections::BTreeSet<usize> = (0..64).map(|number| terms.shard(&key(number), None)).collect();
        assert_eq!(used.len(), 8);
    }
}
