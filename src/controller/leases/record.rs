//! What stands in Leases: one for each replica, which it renews, and one that says who holds which shard.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::core::ObjectMeta;

/// The label of all Leases that belong together; its value is the name of the Lease that says who holds which shard.
pub const LABEL: &str = "proxmox-identity.dev/lease";

/// On the Lease of a replica: into how many shards it divides the connections.
const SHARDS: &str = "proxmox-identity.dev/shards";

/// Stands for a holder where there is none. No replica is called so.
const NOBODY: &str = "-";

/// A replica, as its Lease says. The identity is another one each time it joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The uid of its Lease.
    pub uid: String,
    /// The version of its Lease: another one with each renewal.
    pub version: String,
    /// How long it counts after a renewal.
    pub duration: Duration,
    /// Into how many shards it divides the connections.
    pub shards: usize,
    /// When it joined, by the clock of the apiserver, in seconds since 1970: only to tell older from younger.
    pub born: i64,
}

/// Who holds which shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The uid of its Lease.
    pub uid: String,
    /// The version of its Lease.
    pub version: String,
    /// The identity of the holder of each shard.
    pub holders: Vec<Option<String>>,
    /// How often that has changed.
    pub transitions: i32,
}

/// All Leases at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Who holds which shard; `None` before the first replica ever.
    pub table: Option<Table>,
    /// Replicas by their identities.
    pub members: BTreeMap<String, Member>,
}

impl Listed {
    /// Reads the Leases that belong to the one of this name.
    pub fn read(name: &str, leases: impl IntoIterator<Item = Lease>) -> Self {
        let mut listed = Self::default();
        for Lease { metadata, spec } in leases {
            let spec = spec.unwrap_or_default();
            if metadata.name.as_deref() == Some(name) {
                listed.table = Some(table(metadata, &spec));
            } else if let Some(identity) = spec.holder_identity.clone() {
                listed.members.insert(identity, member(metadata, &spec));
            }
        }
        listed
    }
}

fn member(metadata: ObjectMeta, spec: &LeaseSpec) -> Member {
    let shards = metadata.annotations.as_ref().and_then(|all| all.get(SHARDS)?.parse().ok());
    let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    Member {
        uid: metadata.uid.unwrap_or_default(),
        version: metadata.resource_version.unwrap_or_default(),
        duration: Duration::from_secs(seconds.unwrap_or_default()),
        shards: shards.unwrap_or_default(),
        born: metadata.creation_timestamp.map_or(0, |time| time.0.as_second()),
    }
}

pub(super) fn table(metadata: ObjectMeta, spec: &LeaseSpec) -> Table {
    let holders = spec.holder_identity.as_deref().unwrap_or(NOBODY).split(',');
    Table {
        uid: metadata.uid.unwrap_or_default(),
        version: metadata.resource_version.unwrap_or_default(),
        holders: holders.map(|holder| (holder != NOBODY).then(|| holder.to_owned())).collect(),
        transitions: spec.lease_transitions.unwrap_or_default(),
    }
}

fn metadata(name: &str, of: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        labels: Some(BTreeMap::from([(LABEL.to_owned(), of.to_owned())])),
        ..ObjectMeta::default()
    }
}

/// The name of a replica's Lease.
pub fn member_name(of: &str, identity: &str) -> String {
    format!("{of}-{identity}")
}

/// The Lease of a replica, renewed now. Times in it are for people only: nobody's clock is compared with another's.
pub fn member_lease(of: &str, identity: &str, duration: Duration, shards: usize) -> Lease {
    let now = Some(MicroTime(Timestamp::now()));
    Lease {
        metadata: ObjectMeta {
            annotations: Some(BTreeMap::from([(SHARDS.to_owned(), shards.to_string())])),
            ..metadata(&member_name(of, identity), of)
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(identity.to_owned()),
            lease_duration_seconds: i32::try_from(duration.as_secs()).ok(),
            renew_time: now,
            ..LeaseSpec::default()
        }),
    }
}

/// The Lease that says who holds which shard: in its holder, one beside the other, so that with one shard it looks as
/// every Lease does. It is not renewed itself: what counts is the Lease of each holder.
pub fn table_lease(of: &str, holders: &[Option<String>], before: Option<&Table>) -> Lease {
    let holders: Vec<&str> = holders.iter().map(|holder| holder.as_deref().unwrap_or(NOBODY)).collect();
    Lease {
        metadata: ObjectMeta {
            uid: before.map(|table| table.uid.clone()),
            resource_version: before.map(|table| table.version.clone()),
            ..metadata(of, of)
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(holders.join(",")),
            acquire_time: Some(MicroTime(Timestamp::now())),
            lease_transitions: Some(before.map_or(0, |table| table.transitions.saturating_add(1))),
            ..LeaseSpec::default()
        }),
    }
}

/// What a replica calls itself, of what names and hosts may have in them, and at a length that a Lease's name can hold.
pub fn plain(replica: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let plain: String = replica.chars().take(100).map(allowed).collect();
    match plain.trim_matches('-') {
        "" => "replica".to_owned(),
        plain => plain.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for holders in [vec![None], vec![Some("a-1")], vec![Some("a-1"), None, Some("b-2")]] {
            let holders: Vec<Option<String>> = holders.into_iter().map(|it| it.map(str::to_owned)).collect();
            let lease = table_lease("pve", &holders, None);
            let member = member_lease("pve", "a-1", Duration::from_secs(30), 3);
            let Listed { table, members } = Listed::read("pve", [member, lease]);
            assert_eq!(table.expect("a table").holders, holders);
            let member = &members["a-1"];
            assert_eq!((member.duration, member.shards), (Duration::from_secs(30), 3));
        }
    }

    #[test]
    fn a_replica_has_a_name_that_a_lease_can_have() {
        for (replica, name) in [
            ("proxmox-identity-6b8d-x2x", "proxmox-identity-6b8d-x2x"),
            ("Node_1.example.com", "node-1-example-com"),
            ("-", "replica"),
            ("", "replica"),
            ("größe", "gr--e"),
        ] {
            assert_eq!(plain(replica), name);
        }
        assert_eq!(plain(&"x".repeat(300)).len(), 100);
    }
}
