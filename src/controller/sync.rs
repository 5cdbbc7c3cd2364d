//! Syncs of realms with their directories: when jobs run, and one that is asked for now.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use crate::api::SYNC_REQUESTED_AT;
use crate::api::directory::SyncJob as Declared;
use crate::api::status::{SyncJobStatus, SyncState, SyncStatus};
use crate::controller::connection::Worker;
use crate::controller::events::News;
use crate::controller::kinds::AnyObject;
use crate::controller::managed::Managed;
use crate::core::claim::Thing;
use crate::core::ids::{JobId, RealmId};
use crate::core::object::Mode;
use crate::core::snapshot::Snapshot;
use crate::core::wants::realm_id;
use crate::pve::session::Session;
use crate::pve::sync::{TaskId, TaskState};

/// How soon a running sync is looked at again.
pub(super) const POLL: Duration = Duration::from_secs(1);

impl Worker {
    /// Starts syncs that are asked for and follows those at work; true while one is.
    pub(super) async fn syncs<'a>(
        &mut self,
        session: &Session,
        objects: impl Iterator<Item = &'a AnyObject>,
        snapshot: &Snapshot,
    ) -> bool {
        let mut at_work = false;
        for any in objects.filter(|any| matches!(any.mode(), Mode::Manage | Mode::Observe)) {
            let AnyObject::Realm(realm) = any else { continue };
            if !realm.spec.sync_jobs.is_empty() || self.jobs.contains_key(any.uid()) {
                self.jobs.insert(any.uid().to_owned(), runs(&realm.spec.sync_jobs, snapshot));
            }
            let asked = any.meta().annotations.as_ref().and_then(|all| all.get(SYNC_REQUESTED_AT));
            let (Some(asked), Ok(id)) = (asked, realm_id(realm)) else { continue };
            let before = self.reporter.latest(any).sync.clone();
            let known = self.synced.get(any.uid()).cloned().or(before).filter(|sync| sync.requested_at == *asked);
            let now = match known {
                None if any.mode() == Mode::Observe => refused(asked),
                None if snapshot.shows(&Thing::Realm(id.clone())) == Ok(true) => started(session, &id, asked).await,
                Some(SyncStatus { state: SyncState::Running, task: Some(task), requested_at, message: _ }) => {
                    followed(session, task, requested_at).await
                }
                None | Some(_) => continue,
            };
            match now.state {
                SyncState::Running => at_work = true,
                SyncState::Succeeded => self.context.events.tell(&self.permit, any.target(), News::Synced(None)),
                SyncState::Failed => {
                    self.context.events.tell(&self.permit, any.target(), News::Synced(now.message.clone()));
                }
            }
            self.synced.insert(any.uid().to_owned(), now);
        }
        at_work
    }
}

/// A sync changes users and groups.
fn refused(asked: &str) -> SyncStatus {
    let message = "the realm is only observed (managementPolicy), so that no sync is started".to_owned();
    SyncStatus { requested_at: asked.to_owned(), state: SyncState::Failed, task: None, message: Some(message) }
}

async fn started(session: &Session, realm: &RealmId, asked: &str) -> SyncStatus {
    let requested_at = asked.to_owned();
    match session.sync(realm).await {
        Ok(TaskId(task)) => SyncStatus { requested_at, state: SyncState::Running, task: Some(task), message: None },
        Err(failure) => {
            SyncStatus { requested_at, state: SyncState::Failed, task: None, message: Some(failure.message) }
        }
    }
}

async fn followed(session: &Session, task: String, requested_at: String) -> SyncStatus {
    let (state, message) = match session.task(&TaskId(task.clone())).await {
        Ok(TaskState::Succeeded) => (SyncState::Succeeded, None),
        Ok(TaskState::Failed(text)) => (SyncState::Failed, Some(text)),
        // What cannot be read now is read again.
        Ok(TaskState::Running) | Err(_) => (SyncState::Running, None),
    };
    SyncStatus { requested_at, state, task: Some(task), message }
}

fn runs(jobs: &[Declared], snapshot: &Snapshot) -> Vec<SyncJobStatus> {
    let time = |at: i64| Timestamp::from_second(at).ok().map(Time);
    let listed = snapshot.jobs.as_ref().and_then(|jobs| jobs.as_ref().ok());
    jobs.iter()
        .filter_map(|job| {
            let standing = listed?.get(&JobId::observed(&job.id))?;
            let (last_run, next_run) = (standing.last_run.and_then(time), standing.next_run.and_then(time));
            Some(SyncJobStatus { id: job.id.clone(), last_run, next_run })
        })
        .collect()
}
