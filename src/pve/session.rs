//! One endpoint for the time of a pass.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::core::failure::{Failure, FailureKind};
use crate::core::ids::ClusterId;
use crate::core::snapshot::Credential;
use crate::https::message::Scrubber;
use crate::https::tls::Certificate;
use crate::permit::Permit;
use crate::pve::login::Login;
use crate::pve::request::Request;
use crate::pve::transport::Transport;
use crate::pve::wire;

/// A connection to one endpoint whose cluster is known. It stays there: what it reads and writes is one story.
pub struct Session {
    pub(crate) transport: Arc<Transport>,
    pub(crate) login: Arc<Login>,
    pub(crate) cluster: ClusterId,
    pub(crate) version: Arc<str>,
    /// The right to write in this pass.
    pub(crate) permit: Permit,
}

impl Session {
    /// The cluster that answers here.
    pub fn cluster(&self) -> &ClusterId {
        &self.cluster
    }

    /// The version of Proxmox VE, such as `9.1.2`, as read when this endpoint was first used.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// As whom requests are judged.
    pub fn credential(&self) -> Credential {
        self.login.credential()
    }

    /// Scheme, host and port of the endpoint.
    pub fn endpoint(&self) -> &str {
        self.transport.endpoint()
    }

    /// The certificate that the endpoint presented last.
    pub fn certificate(&self) -> Option<Certificate> {
        self.transport.certificate()
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Failure> {
        get(&self.transport, &self.login, request).await
    }
}

/// Sends a request and reads the `data` of its answer.
pub(crate) async fn get<T: DeserializeOwned>(
    transport: &Transport,
    login: &Login,
    request: &Request,
) -> Result<T, Failure> {
    let body = call(transport, login, request).await?;
    wire::data(&body).map_err(|error| {
        // The line and column of the error say enough; its text would quote the body.
        let sentence = format!(
            "Proxmox VE's answer to {} {} has an unknown shape at line {} column {}",
            request.method,
            request.template,
            error.line(),
            error.column()
        );
        Scrubber::new([]).failure(FailureKind::Other, &sentence, "")
    })
}

/// Sends a request; with a ticket that is refused once more with a new one, which is safe also for a write: a 401
/// comes before anything is done (FACTS 8).
pub(crate) async fn call(
    transport: &Transport,
    login: &Login,
    request: &Request,
) -> Result<hyper::body::Bytes, Failure> {
    let authorization = login.authorize(transport, request.is_write(), None).await?;
    let first = transport.send(request, &authorization).await;
    match first {
        Err(failure) if failure.kind == FailureKind::Authentication && authorization.ticket.is_some() => {
            let renewed = login.authorize(transport, request.is_write(), authorization.ticket).await?;
            transport.send(request, &renewed).await
        }
        done => done,
    }
}
