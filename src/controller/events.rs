//! Events: what happened to an object, told once. They name fields, never values.

use kube::runtime::events::{Event, EventType};
use tokio::sync::mpsc;

use crate::api::Reason;
use crate::controller::kubernetes::{Kubernetes, Target};
use crate::core::claim::Claim;
use crate::core::plan::{Purpose, Step};
use crate::permit::Permit;

/// What is told.
#[derive(Debug, Clone)]
pub enum News {
    /// A step was carried out for the object.
    Done(Purpose, Vec<Claim>),
    /// Things that stood before us are ours to keep now.
    Adopted(Vec<Claim>),
    /// Things that nobody manages went along with something that was removed.
    Fell(Vec<Claim>),
    /// A sync that was asked for has ended, with what went wrong.
    Synced(Option<String>),
    /// Things stay in PVE although the object goes.
    Left(Vec<Claim>),
    /// A check that failed holds again: what decides it.
    Holds(String),
    /// It is not ready, for another reason than before.
    NotReady(Reason, String),
    /// Something is worth knowing though it is ready, and was not so before.
    Warned(Reason, String),
}

/// The longest note that Kubernetes takes is 1 KiB.
const MAX_NOTE: usize = 1000;

/// How many untold Events may wait: more are dropped, since nothing depends on them.
const WAITING: usize = 4096;

/// The entrance for Events.
#[derive(Clone)]
pub struct Events(mpsc::Sender<(Permit, Target, News)>);

impl Events {
    /// Starts to tell.
    pub fn start(kubernetes: Kubernetes, tasks: &mut tokio::task::JoinSet<()>) -> Self {
        let (sender, mut news) = mpsc::channel::<(Permit, Target, News)>(WAITING);
        tasks.spawn(async move {
            while let Some((permit, target, news)) = news.recv().await {
                kubernetes.publish(&permit, &target, &event(news)).await;
            }
        });
        Self(sender)
    }

    /// Tells something about an object.
    pub fn tell(&self, permit: &Permit, target: Target, news: News) {
        if self.0.try_send((permit.clone(), target, news)).is_err() {
            tracing::debug!("too many Events wait, one is dropped");
        }
    }
}

fn event(news: News) -> Event {
    let (type_, reason, action, note) = match news {
        News::Done(purpose, claims) => {
            let what = list(&claims);
            let (reason, action, note) = match purpose {
                Purpose::Create => ("Created", "Create", format!("created {what}")),
                Purpose::Restore => ("DriftCorrected", "Create", format!("created {what} again: gone from Proxmox VE")),
                Purpose::Update(fields) => ("Updated", "Update", format!("changed {} of {what}", fields.join(", "))),
                Purpose::Correct(fields) => {
                    ("DriftCorrected", "Update", format!("changed {} of {what} back", fields.join(", ")))
                }
                Purpose::Remove => ("Deleted", "Delete", format!("removed {what}")),
                Purpose::Disable => ("Disabled", "Disable", disabled(&what)),
            };
            (EventType::Normal, reason, action, note)
        }
        News::Adopted(claims) => {
            let note = format!("took over {}: it stands in Proxmox VE already", list(&claims));
            (EventType::Normal, "Adopted", "Adopt", note)
        }
        News::Fell(claims) => {
            let note = format!("Proxmox VE removed {} along with it, which no object manages", list(&claims));
            (EventType::Warning, "RemovedAlong", "Delete", note)
        }
        News::Synced(None) => {
            (EventType::Normal, "Synced", "Sync", "the realm was synced with its directory".to_owned())
        }
        News::Synced(Some(error)) => (EventType::Warning, "SyncFailed", "Sync", error),
        News::Left(claims) => (EventType::Normal, "Left", "Delete", format!("left {} in Proxmox VE", list(&claims))),
        News::Holds(message) => (EventType::Normal, "AssertionHolds", "Reconcile", message),
        News::NotReady(reason, message) => {
            let type_ = if reason == Reason::DependencyNotReady { EventType::Normal } else { EventType::Warning };
            (type_, reason.as_str(), "Reconcile", message)
        }
        News::Warned(reason, message) => (EventType::Warning, reason.as_str(), "Warn", message),
    };
    Event { type_, reason: reason.to_owned(), note: Some(short(&note)), action: action.to_owned(), secondary: None }
}

/// What a step did, in a sentence.
pub fn sentence(step: &Step, claims: &[Claim]) -> String {
    let what = list(claims);
    match &step.purpose {
        Purpose::Create | Purpose::Restore => format!("created {what}"),
        Purpose::Update(fields) | Purpose::Correct(fields) => format!("changed {} of {what}", fields.join(", ")),
        Purpose::Remove => format!("removed {what}"),
        Purpose::Disable => disabled(&what),
    }
}

fn disabled(what: &str) -> String {
    format!("disabled {what}: not in the source of its realm")
}

fn list(claims: &[Claim]) -> String {
    const SHOWN: usize = 3;
    let names: Vec<String> = claims.iter().take(SHOWN).map(Claim::to_string).collect();
    match claims.len().checked_sub(SHOWN) {
        Some(rest) if rest > 0 => format!("{} and {rest} more", names.join(", ")),
        _ => names.join(", "),
    }
}

fn short(note: &str) -> String {
    note.chars()
        .scan(0, |bytes, c| {
            *bytes += c.len_utf8();
            (*bytes <= MAX_NOTE).then_some(c)
        })
        .collect()
}
