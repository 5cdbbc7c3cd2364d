//! Which pools reach a path.

use std::cmp::Ordering;

use super::Directory;
use crate::core::ids::{AclPath, PoolId};

/// The pools of each guest and storage: pairs in order, which are made and searched faster than maps.
pub(super) struct Members<'a> {
    /// The pools, and where the entries of each stand.
    of: Vec<(&'a PoolId, AclPath)>,
    guests: Vec<(u64, usize)>,
    storages: Vec<(&'a str, usize)>,
}

impl<'a> Members<'a> {
    pub fn of(directory: &'a Directory) -> Self {
        let of = directory.pools.keys().map(|id| (id, id.acl_path())).collect();
        let pools = || directory.pools.values().enumerate();
        let mut guests: Vec<_> = pools().flat_map(|(at, pool)| pool.guests.iter().map(move |it| (*it, at))).collect();
        let storages = pools().flat_map(|(at, pool)| pool.storages.iter().map(move |it| (it.as_str(), at)));
        let mut storages: Vec<_> = storages.collect();
        guests.sort_unstable();
        storages.sort_unstable();
        Self { of, guests, storages }
    }

    /// The pools that have what this path is about, and where the entries of each stand.
    pub fn pools(&self, path: &str) -> impl Iterator<Item = (&'a PoolId, &AclPath)> {
        // Another spelling of a number is another path.
        let number = |text: &str| text.parse().ok().filter(|_| text == "0" || !text.starts_with(['0', '+']));
        let guests = path.strip_prefix("/vms/").and_then(number).map(|guest| within(&self.guests, |it| it.cmp(&guest)));
        let storages = path.strip_prefix("/storage/").map(|storage| within(&self.storages, |it| (*it).cmp(storage)));
        let guests = guests.into_iter().flatten().map(|(_, at)| *at);
        guests.chain(storages.into_iter().flatten().map(|(_, at)| *at)).map(|at| (self.of[at].0, &self.of[at].1))
    }
}

/// The pairs whose key compares as equal.
fn within<K>(pairs: &[(K, usize)], compare: impl Fn(&K) -> Ordering) -> &[(K, usize)] {
    let start = pairs.partition_point(|(it, _)| compare(it) == Ordering::Less);
    let end = pairs.partition_point(|(it, _)| compare(it) != Ordering::Greater);
    &pairs[start..end]
}
