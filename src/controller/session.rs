//! From a connection to a session with its cluster, and with no other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::api::{CONFIRM_CLUSTER, Reason};
use crate::controller::connection::Worker;
use crate::controller::connections::Connection;
use crate::controller::kinds::AnyObject;
use crate::controller::managed::Managed;
use crate::controller::observer::Observer;
use crate::controller::prepare;
use crate::core::object::Refusal;
use crate::https::observer::CallObserver;
use crate::pve::client::Client;
use crate::pve::config::Settings;
use crate::pve::session::Session;

/// How long the last working credential serves deletions after its Secret is gone: a namespace that is deleted takes
/// the Secret along before the objects.
pub(super) const KEEP_CREDENTIAL: Duration = Duration::from_mins(10);

impl Worker {
    /// A session with the right cluster.
    pub(super) async fn session(&mut self, connection: &Connection, objects: &[AnyObject]) -> Result<Session, Refusal> {
        let settings =
            match prepare::settings(&self.context.kubernetes, self.secret_namespace(), &connection.spec).await {
                Ok(settings) => Some(Settings { replica: self.context.replica.clone(), ..settings }),
                Err(refusal) if refusal.reason == Reason::SecretNotFound && self.may_use_last(objects) => None,
                Err(refusal) => return Err(refusal),
            };
        if let Some(settings) = settings
            && self.client.as_ref().is_none_or(|(current, _)| *current != settings)
        {
            let observer: Arc<dyn CallObserver> = Arc::new(Observer::new(&self.context, &self.key));
            let client = Client::new(&settings, &observer)?;
            self.client = Some((settings, client));
        }
        let Some((_, client)) = &self.client else {
            return Err(Refusal::new(Reason::SecretNotFound, "there is no credential"));
        };
        let session = client.connect(&self.permit).await?;
        let known = self.status_of(connection).cluster_id;
        let confirmed = connection.metadata.annotations.as_ref().and_then(|all| all.get(CONFIRM_CLUSTER));
        let here = session.cluster().as_str();
        match known {
            Some(known) if known != here && confirmed.map(String::as_str) != Some(here) => Err(Refusal::new(
                Reason::ClusterChanged,
                format!(
                    "{} is cluster {here}, not {known} as before; correct the endpoints, or confirm the new one with the \
                     annotation {CONFIRM_CLUSTER}: {here}",
                    session.endpoint()
                ),
            )),
            _ => {
                (self.worked, self.away) = (Some(Instant::now()), None);
                Ok(session)
            }
        }
    }

    /// True while the connection's status still says another cluster, which a person has confirmed to be left.
    pub(super) fn is_another(&self, connection: &Connection, session: &Session) -> bool {
        self.status_of(connection).cluster_id.is_some_and(|known| known != session.cluster().as_str())
    }

    /// Where the Secrets and ConfigMaps of the connection are.
    pub(super) fn secret_namespace(&self) -> &str {
        self.key.namespace.as_deref().unwrap_or(&self.context.own_namespace)
    }

    fn may_use_last(&self, objects: &[AnyObject]) -> bool {
        let recent = self.worked.is_some_and(|worked| worked.elapsed() < KEEP_CREDENTIAL);
        recent
            && self.client.is_some()
            && objects.iter().any(AnyObject::is_being_deleted)
            && objects.iter().all(AnyObject::is_being_deleted)
    }
}
