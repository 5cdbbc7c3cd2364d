//! The calls about Leases. Each write is for what was seen last, or it is refused.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{DeleteParams, ListParams, PostParams, Preconditions};
use kube::{Api, Client};

use super::record::{LABEL, Listed, Member, Table, member_lease, member_name, table, table_lease};
use crate::api::FIELD_MANAGER;

/// What became of a write.
#[derive(Debug)]
pub enum Written<T> {
    /// It took effect.
    Done(T),
    /// Somebody else was faster; it did not take effect.
    Refused,
    /// There was no answer, or none that says: it may take effect yet.
    Unknown(kube::Error),
    /// The apiserver did not answer in time: it may take effect yet.
    Late,
}

/// Calls about the Leases of a name.
pub struct Calls {
    api: Api<Lease>,
    name: String,
    /// How long a call may take.
    timeout: Duration,
}

impl Calls {
    /// Calls in a namespace.
    pub fn new(client: Client, namespace: &str, name: String, timeout: Duration) -> Self {
        Self { api: Api::namespaced(client, namespace), name, timeout }
    }

    /// All Leases as they are now: from etcd, not from a cache.
    ///
    /// # Errors
    /// When the apiserver refuses or does not answer in time.
    pub async fn list(&self) -> Result<Listed, Written<()>> {
        let params = ListParams::default().labels(&format!("{LABEL}={}", self.name));
        match tokio::time::timeout(self.timeout, self.api.list(&params)).await {
            Ok(Ok(list)) => Ok(Listed::read(&self.name, list.items)),
            Ok(Err(error)) => Err(Written::Unknown(error)),
            Err(_) => Err(Written::Late),
        }
    }

    /// Makes the Lease of a replica; answers with its uid and version.
    pub async fn join(&self, identity: &str, duration: Duration, shards: usize) -> Written<(String, String)> {
        let lease = member_lease(&self.name, identity, duration, shards);
        self.write(self.api.create(&params(), &lease)).await.map(seen)
    }

    /// Renews the Lease of a replica; answers with its uid and version.
    pub async fn renew(
        &self,
        identity: &str,
        (uid, version): (&str, &str),
        duration: Duration,
        shards: usize,
    ) -> Written<(String, String)> {
        let mut lease = member_lease(&self.name, identity, duration, shards);
        (lease.metadata.uid, lease.metadata.resource_version) = (Some(uid.to_owned()), Some(version.to_owned()));
        let name = member_name(&self.name, identity);
        self.write(self.api.replace(&name, &params(), &lease)).await.map(seen)
    }

    /// Deletes the Lease of a replica, as it was seen.
    pub async fn bury(&self, identity: &str, member: &Member) -> Written<()> {
        let seen = Preconditions { uid: Some(member.uid.clone()), resource_version: Some(member.version.clone()) };
        let params = DeleteParams::default().preconditions(seen);
        self.write(self.api.delete(&member_name(&self.name, identity), &params)).await.map(drop)
    }

    /// Says who holds which shard.
    pub async fn assign(&self, holders: &[Option<String>], before: Option<&Table>) -> Written<Table> {
        let lease = table_lease(&self.name, holders, before);
        let written = match before {
            Some(_) => self.write(self.api.replace(&self.name, &params(), &lease)).await,
            None => self.write(self.api.create(&params(), &lease)).await,
        };
        written.map(|lease| table(lease.metadata, &lease.spec.unwrap_or_default()))
    }

    async fn write<T>(&self, call: impl Future<Output = Result<T, kube::Error>>) -> Written<T> {
        match tokio::time::timeout(self.timeout, call).await {
            Ok(Ok(done)) => Written::Done(done),
            Ok(Err(kube::Error::Api(status))) if matches!(status.code, 404 | 409) => Written::Refused,
            Ok(Err(error)) => Written::Unknown(error),
            Err(_) => Written::Late,
        }
    }
}

fn params() -> PostParams {
    PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() }
}

fn seen(lease: Lease) -> (String, String) {
    (lease.metadata.uid.unwrap_or_default(), lease.metadata.resource_version.unwrap_or_default())
}

impl<T> Written<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Written<U> {
        match self {
            Self::Done(done) => Written::Done(change(done)),
            Self::Refused => Written::Refused,
            Self::Unknown(error) => Written::Unknown(error),
            Self::Late => Written::Late,
        }
    }

    /// What it took effect as, if it did; tells of what went wrong.
    pub fn done(self, what: &str) -> Option<T> {
        match self {
            Self::Done(done) => return Some(done),
            Self::Refused => tracing::debug!("somebody else was faster than {what}"),
            Self::Unknown(kube::Error::Api(status)) if status.code == 403 => {
                tracing::warn!("{what} is forbidden (RBAC): {}", status.message);
            }
            Self::Unknown(error) => tracing::warn!(%error, "{what} failed; it is tried again"),
            Self::Late => tracing::warn!("{what} got no answer in time; it is tried again"),
        }
        None
    }
}
