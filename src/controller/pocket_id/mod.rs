//! Pocket ID: its objects, and who works on one connection to it.
//!
//! The same way as for Proxmox VE: [`gather`] reads what objects refer to, [`pass`] compares them with what stands,
//! [`execute`] carries out the plan, [`deliver`] takes secrets into Kubernetes, and [`way`] tells of the connection itself.

mod changes;
mod deliver;
mod execute;
mod gather;
mod pass;
mod way;

pub(super) use changes::Changes;
pub(super) use way::settings;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::api::object::System;
use crate::api::pocket_id_connection::PocketIdConnectionStatus;
use crate::api::{PocketIdClient, PocketIdGroup, Reason};
use crate::controller::Context;
use crate::controller::connections::ConnectionKey;
use crate::controller::execute::Clock;
use crate::controller::kubernetes::Target;
use crate::controller::managed::{Managed, managed};
use crate::controller::parcel::InHand;
use crate::controller::said::Stored;
use crate::controller::settled::Settled;
use crate::controller::tell::Reporter;
use crate::controller::turn::{Ending, Turn};
use crate::controller::wait::{jittered, longest_back_off};
use crate::core::object::Refusal;
use crate::core::plan::FailedClaim;
use crate::core::pocket_id::claim::Claim;
use crate::core::pocket_id::object::Wanted;
use crate::core::pocket_id::write::Write;
use crate::permit::Permit;
use crate::pocket_id::client::Client;
use crate::pocket_id::config::Settings;
use crate::pocket_id::details::Details;

/// An object of any kind that is written to Pocket ID.
#[derive(Debug, Clone)]
pub enum PocketIdObject {
    /// A PocketIdGroup.
    Group(Arc<PocketIdGroup>),
    /// A PocketIdClient.
    Client(Arc<PocketIdClient>),
}

managed!(PocketIdObject for System::PocketId, Group, Client);

/// A connection to Pocket ID at work.
pub(super) struct Worker {
    key: ConnectionKey,
    context: Arc<Context>,
    permit: Permit,
    /// Wakes this worker.
    wake: Arc<Notify>,
    /// Tells Kubernetes of the objects.
    reporter: Reporter,
    client: Option<(Settings, Client)>,
    /// When Pocket ID last took the credential.
    worked: Option<Instant>,
    /// What is known of clients beyond their list.
    details: Details,
    /// Claims whose last step failed.
    failures: BTreeMap<Claim, FailedClaim>,
    /// What was to be made and nothing was sent for yet: what stands of it then somebody else has made.
    unsent: BTreeSet<Claim>,
    /// What was written for claims that have not been seen to stand since.
    written: BTreeMap<Claim, Vec<Write>>,
    /// Secrets of clients that were shown and are not in Kubernetes yet.
    in_hand: HashMap<String, InHand>,
    /// The logo that each client was given, beyond what its status may say yet.
    logos: HashMap<String, String>,
    /// The generation of each object's spec that was last seen to be so in Pocket ID.
    settled: Settled<Option<Wanted>>,
    /// When the API key expires, and when that was asked.
    key_expiry: Option<(Instant, Option<i64>)>,
    /// What the connection's own status says.
    said: Option<Stored<PocketIdConnectionStatus>>,
    /// How many passes failed in a row.
    tries: u32,
    begun: Instant,
    resync: Duration,
}

impl Turn for Worker {
    fn reporter(&mut self) -> &mut Reporter {
        &mut self.reporter
    }

    fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Nothing of the connection decides its shard but its name.
    fn is_ours(&self) -> bool {
        true
    }

    async fn pass(&mut self) -> Option<Duration> {
        let all = self.context.index.pocket_id_objects(&self.key);
        let connection = self.context.index.pocket_id(&self.key);
        let present: HashSet<String> = all.iter().map(|any| any.uid().to_owned()).collect();
        self.reporter.catch_up(&all, &present);
        self.settled.keep(&present);
        self.logos.retain(|uid, _| present.contains(uid));
        let itself = connection.iter().filter_map(|connection| connection.metadata.uid.clone());
        self.reporter.count(&present.into_iter().chain(itself).collect());
        let objects: Vec<_> = all.into_iter().filter(|any| !self.reporter.is_released(any)).collect();
        let Some(connection) = connection else {
            self.without_connection(&objects).await;
            return (!objects.is_empty()).then(|| jittered(self.resync));
        };
        self.resync = connection.spec.resync_interval();
        match self.reporter.hold(&connection.metadata, &Target::of(connection.as_ref()), !objects.is_empty()).await {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => {
                tracing::warn!(connection = %self.key, %error, "the finalizer of the connection could not be written");
                self.tries = self.tries.saturating_add(1);
                return Some(self.back_off());
            }
        }
        if connection.spec.suspend {
            self.client = None;
            self.suspended(&connection, &objects).await;
            return Some(jittered(self.resync));
        }
        let ending = self.ending();
        match self.judge(&connection, &objects).await {
            Ok(next) => {
                self.tries = 0;
                Some(next)
            }
            Err(_) if ending.is_reached() => None,
            Err(refusal) => {
                self.unreachable(&connection, &objects, &refusal).await;
                Some(self.back_off())
            }
        }
    }

    fn back_off(&self) -> Duration {
        jittered(Duration::from_millis(self.clock().back_off(self.tries.max(1))))
    }
}

impl Worker {
    pub(super) fn new(key: ConnectionKey, context: Arc<Context>, wake: Arc<Notify>, permit: Permit) -> Self {
        Self {
            reporter: Reporter::new(key.clone(), Arc::clone(&context), permit.clone()),
            key,
            context,
            permit,
            wake,
            client: None,
            worked: None,
            details: Details::default(),
            failures: BTreeMap::new(),
            unsent: BTreeSet::new(),
            written: BTreeMap::new(),
            in_hand: HashMap::new(),
            logos: HashMap::new(),
            settled: Settled::default(),
            key_expiry: None,
            said: None,
            tries: 0,
            begun: Instant::now(),
            resync: Duration::from_mins(1),
        }
    }

    /// The namespace of the connection and of all its objects.
    fn namespace(&self) -> &str {
        self.key.namespace.as_deref().unwrap_or_default()
    }

    fn clock(&self) -> Clock {
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Clock { now, longest: longest_back_off(self.resync) }
    }

    fn ending(&self) -> Ending {
        Ending::new(&self.context, &self.permit)
    }
}

fn connection_not_ready(key: &ConnectionKey, why: &Refusal) -> Refusal {
    Refusal::new(Reason::ConnectionNotReady, format!("{} is not ready: {}", key.short(), why.reason))
}
