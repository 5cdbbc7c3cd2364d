//! Another cluster behind a connection, confirmed by a person.

use futures::future::join_all;

use crate::api::status::{ObjectStatus, SecretState, TokenStatus};
use crate::controller::connection::Worker;
use crate::controller::issuers::Issuers;
use crate::controller::kinds::AnyObject;
use crate::controller::managed::Managed;
use crate::core::plan::Memory;
use crate::pve::realms::RealmCache;

/// Nothing of a token's secret but its number, so that what its Secret holds does not count as that of the new one, and what
/// was asked for there.
fn unknown(of_the_one_before: TokenStatus) -> TokenStatus {
    let TokenStatus { secret_name, issue, last_handled_rotate_at, .. } = of_the_one_before;
    TokenStatus {
        secret_state: SecretState::Unknown,
        secret_name,
        issue,
        issued_at: None,
        next_rotation: None,
        last_handled_rotate_at,
        restoring: Vec::new(),
    }
}

impl Worker {
    /// Forgets what was learned and owned in the cluster before: whatever stands in this one, the operator has not made
    /// it. It happens before the connection takes the new cluster's id, so that a crash in between repeats it. False when
    /// it could not be stored for all objects.
    pub(super) async fn leave_cluster(&mut self, objects: &[AnyObject]) -> bool {
        self.memory = Memory::default();
        self.realms = RealmCache::default();
        self.issuers = Issuers::default();
        self.written.clear();
        self.in_hand.clear();
        self.synced.clear();
        self.jobs.clear();
        let forgetting = objects.iter().filter_map(|any| {
            let known = self.reporter.latest(any);
            let forgotten = ObjectStatus {
                ledger: Vec::new(),
                written_secret: None,
                token: known.token.clone().map(unknown),
                sync_jobs: Vec::new(),
                sync: None,
                ..known.clone().into_owned()
            };
            let (outbox, permit) = (self.context.outbox.clone(), self.permit.clone());
            (forgotten != *known).then_some(async move { outbox.store(&permit, any.target(), &forgotten).await })
        });
        join_all(forgetting).await.into_iter().all(|stored| stored)
    }
}
