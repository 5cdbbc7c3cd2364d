//! Events: what happened to an object, told once. They name fields, never values.

use std::fmt::Display;

use kube::runtime::events::{Event, EventType};
use tokio::sync::mpsc;

use crate::api::Reason;
use crate::api::object::System;
use crate::controller::kubernetes::{Kubernetes, Target};
use crate::core::plan::Purpose;
use crate::core::text::first_of;
use crate::permit::Permit;

/// What is told.
#[derive(Debug, Clone)]
pub enum News {
    /// A step was carried out for the object, for claims as [`list`] names them.
    Done(System, Purpose, String),
    /// Things that stood before us are ours to keep now.
    Adopted(System, String),
    /// Things that nobody manages went along with something that was removed.
    Fell(String),
    /// A sync that was asked for has ended, with what went wrong.
    Synced(Option<String>),
    /// Things stay although the object goes.
    Left(System, String),
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
        News::Done(system, purpose, what) => {
            let (reason, action, note) = match purpose {
                Purpose::Create => ("Created", "Create", format!("created {what}")),
                Purpose::Restore => {
                    ("DriftCorrected", "Create", format!("created {what} again: gone from {}", system.name()))
                }
                Purpose::Update(fields) => ("Updated", "Update", format!("changed {} of {what}", fields.join(", "))),
                Purpose::Correct(fields) => {
                    ("DriftCorrected", "Update", format!("changed {} of {what} back", fields.join(", ")))
                }
                Purpose::Remove => ("Deleted", "Delete", format!("removed {what}")),
                Purpose::Disable => ("Disabled", "Disable", disabled(&what)),
            };
            (EventType::Normal, reason, action, note)
        }
        News::Adopted(system, what) => {
            let note = format!("took over {what}: it stands in {} already", system.name());
            (EventType::Normal, "Adopted", "Adopt", note)
        }
        News::Fell(what) => {
            let note = format!("Proxmox VE removed {what} along with it, which no object manages");
            (EventType::Warning, "RemovedAlong", "Delete", note)
        }
        News::Synced(None) => {
            (EventType::Normal, "Synced", "Sync", "the realm was synced with its directory".to_owned())
        }
        News::Synced(Some(error)) => (EventType::Warning, "SyncFailed", "Sync", error),
        News::Left(system, what) => (EventType::Normal, "Left", "Delete", format!("left {what} in {}", system.name())),
        News::Holds(message) => (EventType::Normal, "AssertionHolds", "Reconcile", message),
        News::NotReady(reason, message) => {
            let type_ = if reason == Reason::DependencyNotReady { EventType::Normal } else { EventType::Warning };
            (type_, reason.as_str(), "Reconcile", message)
        }
        News::Warned(reason, message) => (EventType::Warning, reason.as_str(), "Warn", message),
    };
    Event { type_, reason: reason.to_owned(), note: Some(short(&note)), action: action.to_owned(), secondary: None }
}

/// What was done, in a sentence.
pub fn sentence(purpose: &Purpose, what: &str) -> String {
    match purpose {
        Purpose::Create | Purpose::Restore => format!("created {what}"),
        Purpose::Update(fields) | Purpose::Correct(fields) => format!("changed {} of {what}", fields.join(", ")),
        Purpose::Remove => format!("removed {what}"),
        Purpose::Disable => disabled(what),
    }
}

fn disabled(what: &str) -> String {
    format!("disabled {what}: not in the source of its realm")
}

/// Names the first few of many claims.
pub fn list(claims: &[impl Display]) -> String {
    first_of(claims, 3, ", ")
}

fn short(note: &str) -> String {
    note.chars()
        .scan(0, |bytes, c| {
            *bytes += c.len_utf8();
            (*bytes <= MAX_NOTE).then_some(c)
        })
        .collect()
}
