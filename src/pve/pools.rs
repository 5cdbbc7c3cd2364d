//! Pools with their members, and what of the cluster may be in them.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{join, join_all};

use crate::core::claim::PoolItem;
use crate::core::failure::Failure;
use crate::core::ids::{GuestId, PoolId, StorageId};
use crate::core::snapshot::{Listing, Pool, Resources};
use crate::pve::error::{About, Noun};
use crate::pve::read::SnapshotScope;
use crate::pve::request::Request;
use crate::pve::session::Session;
use crate::pve::wire;

impl Session {
    pub(crate) async fn pools(&self, scope: &SnapshotScope) -> Listing<BTreeMap<PoolId, Pool>> {
        let listed: Vec<wire::Pool> = self.get(&Request::get("/pools")).await?;
        let mut pools: BTreeMap<PoolId, Pool> = listed
            .into_iter()
            .map(|wire::Pool { poolid, comment }| {
                (PoolId::observed(&poolid.0), Pool { comment: comment.0, members: None })
            })
            .collect();
        let asked: Vec<PoolId> =
            pools.keys().filter(|pool| scope.every_pool || scope.pools.contains(*pool)).cloned().collect();
        let read = join_all(asked.iter().map(|pool| self.members(pool))).await;
        for (pool, members) in asked.iter().zip(read) {
            pools.entry(pool.clone()).and_modify(|pool| pool.members = Some(members));
        }
        Ok(pools)
    }

    /// Always by the query: a nested pool has no path of its own (FACTS 79).
    async fn members(&self, pool: &PoolId) -> Listing<BTreeSet<PoolItem>> {
        let about = About::Thing(Noun::Pool, pool.as_str().to_owned());
        let request = Request::get("/pools").query("poolid", pool.as_str()).about(about);
        let details: Vec<wire::PoolDetails> = self.get(&request).await?;
        Ok(details.into_iter().flat_map(|details| details.members).filter_map(|member| item(&member)).collect())
    }

    /// Guests and storages, where something that is to be in a pool is not.
    pub(crate) async fn resources(
        &self,
        scope: &SnapshotScope,
        pools: &Listing<BTreeMap<PoolId, Pool>>,
    ) -> Option<Listing<Resources>> {
        let is_in = |pool: &PoolId, item: &PoolItem| {
            let members = pools.as_ref().ok()?.get(pool)?.members.as_ref()?.as_ref().ok()?;
            Some(members.contains(item))
        };
        if scope.members.iter().all(|(pool, item)| is_in(pool, item) == Some(true)) {
            return None;
        }
        let (guests, storages) = join(self.resources_of("vm"), self.resources_of("storage")).await;
        Some(guests.and_then(|guests| Ok((guests, storages?))).map(|(guests, storages)| {
            Resources {
                guests: guests
                    .iter()
                    .filter_map(|guest| match item(guest)? {
                        PoolItem::Guest(id) => {
                            let pool = (!guest.pool.0.is_empty()).then(|| PoolId::observed(&guest.pool.0));
                            Some((id, pool))
                        }
                        PoolItem::Storage(_) => None,
                    })
                    .collect(),
                storages: storages.iter().map(|storage| StorageId::observed(&storage.storage.0)).collect(),
            }
        }))
    }

    async fn resources_of(&self, kind: &'static str) -> Result<Vec<wire::Resource>, Failure> {
        self.get(&Request::get("/cluster/resources").query("type", kind)).await
    }
}

fn item(resource: &wire::Resource) -> Option<PoolItem> {
    match resource.kind.0.as_str() {
        "qemu" | "lxc" => Some(PoolItem::Guest(GuestId::observed(&resource.vmid.0))),
        "storage" => Some(PoolItem::Storage(StorageId::observed(&resource.storage.0))),
        _ => None,
    }
}
