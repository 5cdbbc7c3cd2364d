//! Sync jobs of realms, and a sync that is asked for now.

use std::collections::BTreeMap;

use reqwest::Method;

use crate::core::failure::{Failure, FailureKind};
use crate::core::fields::Fields;
use crate::core::ids::{JobId, RealmId};
use crate::core::snapshot::{Listing, OptionValue, SyncJob};
use crate::https::message::Scrubber;
use crate::pve::error::{About, Noun};
use crate::pve::request::Request;
use crate::pve::session::{Session, call};
use crate::pve::wire;

/// What of a job is an option.
const OPTIONS: [&str; 7] = ["realm", "schedule", "scope", "enabled", "enable-new", "remove-vanished", "comment"];

/// A task in PVE, by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskId(pub String);

/// How far a task has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskState {
    /// At work.
    Running,
    /// Done.
    Succeeded,
    /// Ended with an error, in PVE's words.
    Failed(String),
}

impl TaskId {
    /// The node that it runs on: `UPID:node:…`.
    fn node(&self) -> &str {
        self.0.split(':').nth(1).unwrap_or("localhost")
    }
}

impl Session {
    /// The sync jobs, where they are wanted.
    pub(crate) async fn jobs(&self, wanted: bool) -> Option<Listing<BTreeMap<JobId, SyncJob>>> {
        if !wanted {
            return None;
        }
        let listed = self.get::<Vec<wire::SyncJob>>(&Request::get("/cluster/jobs/realm-sync")).await;
        Some(listed.map(|jobs| jobs.into_iter().map(job).collect()))
    }

    /// Starts a sync of a realm with its directory, by the realm's defaults.
    ///
    /// # Errors
    /// When PVE does not start it.
    pub async fn sync(&self, realm: &RealmId) -> Result<TaskId, Failure> {
        let about = About::Thing(Noun::Realm, realm.as_str().to_owned());
        let request =
            Request::write(Method::POST, "/access/domains/{realm}/sync", &self.permit).id(realm.as_str()).about(about);
        let body = call(&self.transport, &self.login, &request).await?;
        let wire::Text(task) = wire::data(&body).unwrap_or_default();
        Ok(TaskId(task))
    }

    /// How far a task has come.
    ///
    /// # Errors
    /// When that cannot be read.
    pub async fn task(&self, task: &TaskId) -> Result<TaskState, Failure> {
        let request = Request::get("/nodes/{node}/tasks/{upid}/status").id(task.node()).id(&task.0);
        let wire::Task { status, exitstatus } = self.get(&request).await?;
        Ok(match (status.0.as_str(), exitstatus.0.as_str()) {
            ("running", _) => TaskState::Running,
            (_, "OK") => TaskState::Succeeded,
            (_, text) => {
                let sentence = "Proxmox VE's task ended with an error";
                TaskState::Failed(Scrubber::new([]).failure(FailureKind::Other, sentence, text).message)
            }
        })
    }
}

fn job(job: wire::SyncJob) -> (JobId, SyncJob) {
    let wire::SyncJob { id, last_run, next_run, options } = job;
    let time = |time: wire::Number| (time.0 > 0).then_some(time.0);
    let options: Fields = options
        .iter()
        .filter(|(name, _)| OPTIONS.contains(&name.as_str()))
        .filter_map(|(name, value)| {
            let wire::Text(text) = serde::Deserialize::deserialize(value).ok()?;
            Some((name.clone(), OptionValue::Plain(text)))
        })
        .collect();
    (JobId::observed(&id.0), SyncJob { options, last_run: time(last_run), next_run: time(next_run) })
}
