//! Other connections to the same cluster: what their objects claim counts here too, so that nobody fights. What the
//! credential of another one could not write does not count: else whoever has any login could keep others from all.

use std::collections::BTreeSet;

use crate::api::management::DeletionPolicy;
use crate::controller::connection::Worker;
use crate::controller::connections::{Connection, ConnectionKey};
use crate::controller::gather::{object, wants_of};
use crate::controller::kinds::AnyObject;
use crate::controller::managed::Managed;
use crate::controller::way;
use crate::core::claim::Claim;
use crate::core::ids::ClusterId;
use crate::core::ledger::from_rows;
use crate::core::needs;
use crate::core::object::{Mode, Object};
use crate::core::policy::Policy;
use crate::core::wants::Wants;

/// Whose object it is may be nothing for who reads it.
const UNREADABLE: &str =
    "an object of another connection to the cluster, or its ledger, cannot be read; the operator's log names it";

/// What objects of other connections claim, with the policies that they are judged by.
#[derive(Default)]
pub(super) struct Peers {
    /// Policies, by connection.
    pub policies: Vec<Policy>,
    /// Objects; their connection counts from 1.
    pub objects: Vec<Object>,
    /// Why nothing may be removed now.
    pub frozen: Option<String>,
}

impl Worker {
    /// Looks at all other connections to a cluster.
    pub(super) async fn peers(&self, cluster: &ClusterId) -> Peers {
        let mut peers = Peers::default();
        for (key, connection) in self.context.index.connections_to(cluster.as_str()) {
            if key != self.key {
                let policy = Policy::parse(connection.spec.policy.as_ref(), key.proxmox_kind());
                // With a policy that cannot be read nothing is allowed, as there.
                peers.policies.push(policy.unwrap_or_else(|_| Policy::nothing()));
                self.enter(&mut peers, &key, &connection).await;
            }
        }
        peers
    }

    async fn enter(&self, peers: &mut Peers, key: &ConnectionKey, connection: &Connection) {
        if let Some(unreadable) = self.context.index.unreadable(key) {
            tracing::warn!(connection = %self.key, object = %unreadable, "it cannot be read, so that nothing is removed");
            peers.frozen = Some(UNREADABLE.to_owned());
        }
        let objects = self.context.index.objects(key);
        let status = connection.status.iter().flat_map(|status| &status.missing_privileges);
        let missing: BTreeSet<(&str, &str)> = status.map(|it| (it.privilege.as_str(), it.path.as_str())).collect();
        // Where the list was cut off it cannot be said what else is missing.
        let counts = |claim: &Claim| missing.len() < way::LISTED && !needs::is_lacked(claim, &missing);
        let references = self.references(&objects).await;
        for any in &objects {
            // What is under way to Kubernetes may never be stored, and then nobody would answer for what passes to it.
            let previous = self.reporter.stored(any);
            let Ok(mut ledger) = from_rows(&previous.ledger) else {
                if any.management().deletion_policy != Some(DeletionPolicy::Orphan) {
                    tracing::warn!(connection = %self.key, object = %any.key(), "its ledger cannot be read, so that nothing is removed");
                    peers.frozen = Some(UNREADABLE.to_owned());
                }
                continue;
            };
            let Wants { external_id: _, mut wanted, refusals: _, unsure, exact, open, roster: _ } =
                wants_of(any, references.of(any.namespace()));
            ledger.retain(|claim, _| counts(claim));
            wanted.retain(|wanted| counts(&wanted.claim));
            peers.objects.push(Object {
                connection: peers.policies.len(),
                admission: self.context.index.admission(any.namespace(), connection),
                mode: mode(any, connection),
                ledger,
                wanted,
                exact,
                open,
                unsure,
                ..object(any, &previous)
            });
        }
    }
}

/// Objects of a suspended connection are so themselves.
fn mode(any: &AnyObject, connection: &Connection) -> Mode {
    match (any.mode(), connection.spec.suspend) {
        (Mode::Deleting, true) => Mode::DeletingSuspended,
        (Mode::Manage, true) => Mode::Suspended,
        (mode, _) => mode,
    }
}
