//! The one Pocket ID of a client, and what is remembered of it from pass to pass.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use serde::de::DeserializeOwned;

use crate::core::failure::{Failure, FailureKind};
use crate::core::pocket_id::ids::ClientId;
use crate::pocket_id::meaning::{Meaning, Refusal};
use crate::pocket_id::request::Request;
use crate::pocket_id::transport::Transport;
use crate::pocket_id::wire;

/// How long what it says of itself as a provider is believed.
const DISCOVERED_FOR: Duration = Duration::from_mins(10);

pub(crate) struct Server {
    pub(crate) transport: Transport,
    /// What it says of itself as a provider, and when it said so.
    discovered: Mutex<Option<(Instant, Arc<wire::Discovery>)>>,
    /// Clients that were written since they were read.
    written: Mutex<BTreeSet<ClientId>>,
}

impl Server {
    pub(crate) fn new(transport: Transport) -> Self {
        Self { transport, discovered: Mutex::default(), written: Mutex::default() }
    }

    /// Sends one request.
    pub(crate) async fn send(&self, request: &Request) -> Result<Bytes, Refusal> {
        self.transport.send(request).await.inspect_err(|refusal| {
            if is_doubtful(refusal.meaning) {
                *lock(&self.discovered) = None;
            }
        })
    }

    /// Sends a request and reads the JSON of its answer.
    pub(crate) async fn get<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Refusal> {
        let body = self.send(request).await?;
        Ok(serde_json::from_slice(&body).map_err(|error| {
            // The line and column of the error say enough; its text would quote the body.
            let (line, column) = (error.line(), error.column());
            let (method, path) = (&request.method, request.template);
            let sentence =
                format!("Pocket ID's answer to {method} {path} has an unknown shape at line {line} column {column}");
            self.failure(FailureKind::Other, &sentence)
        })?)
    }

    /// What it says of itself as a provider.
    pub(crate) async fn discovery(&self) -> Result<Arc<wire::Discovery>, Failure> {
        let known = lock(&self.discovered).clone();
        if let Some((_, discovery)) = known.filter(|(at, _)| at.elapsed() < DISCOVERED_FOR) {
            return Ok(discovery);
        }
        let discovery = Arc::new(self.get(&Request::get("/.well-known/openid-configuration")).await?);
        *lock(&self.discovered) = Some((Instant::now(), Arc::clone(&discovery)));
        Ok(discovery)
    }

    /// A client is about to be written: what is known of it is to be read again, whether or not the answer comes.
    pub(crate) fn writes(&self, client: &ClientId) {
        lock(&self.written).insert(client.clone());
    }

    /// The clients that were written since this was last asked.
    pub(crate) fn take_written(&self) -> BTreeSet<ClientId> {
        std::mem::take(&mut lock(&self.written))
    }

    /// A failure in our own words.
    pub(crate) fn failure(&self, kind: FailureKind, sentence: &str) -> Failure {
        self.transport.scrubber.failure(kind, sentence, "")
    }
}

/// Whether another server may stand there now.
fn is_doubtful(meaning: Option<Meaning>) -> bool {
    matches!(meaning, None | Some(Meaning::NoEndpoint | Meaning::WebPage | Meaning::Foreign))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
