//! How a request leaves for Proxmox VE.

use std::sync::Arc;
use std::time::Instant;

use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, WWW_AUTHENTICATE};
use url::Url;

use crate::core::failure::{Failure, FailureKind};
use crate::core::secret::Secret;
use crate::https::endpoint::{Endpoint, Way};
use crate::https::exchange::{Outgoing, RawAnswer};
use crate::https::message::Scrubber;
use crate::https::observer::CallObserver;
use crate::https::settings::SettingsError;
use crate::https::tls;
use crate::pve::answer::Answer;
use crate::pve::config::Settings;
use crate::pve::request::Request;

/// One endpoint.
pub(crate) struct Transport(Endpoint);

/// Headers that say who asks, and what must not come back in messages for that.
#[derive(Default)]
pub(crate) struct Authorization {
    pub(crate) headers: HeaderMap,
    pub(crate) secrets: Vec<Secret>,
    /// Since when the ticket is held, if it is one: it can be renewed.
    pub(crate) ticket: Option<Instant>,
}

impl Transport {
    pub(crate) fn new(
        settings: &Settings,
        endpoint: &Url,
        observer: Arc<dyn CallObserver>,
    ) -> Result<Self, SettingsError> {
        let way = Way {
            system: "Proxmox VE",
            url: endpoint,
            tls: &settings.tls,
            proxy: settings.proxy.as_ref(),
            request_timeout: settings.request_timeout,
            replica: settings.replica.as_deref(),
        };
        Endpoint::new(&way, observer).map(Self)
    }

    /// Scheme, host and port as configured.
    pub(crate) fn endpoint(&self) -> &str {
        self.0.shown()
    }

    /// What the server presented last.
    pub(crate) fn certificate(&self) -> Option<tls::Certificate> {
        self.0.certificate()
    }

    /// Sends one request once and gives the body of Proxmox VE's answer.
    pub(crate) async fn send(&self, request: &Request, authorization: &Authorization) -> Result<Bytes, Failure> {
        let scrubber = Scrubber::new(authorization.secrets.iter().chain(&request.secrets));
        let Some(path) = request.path() else {
            let sentence = "Proxmox VE's API cannot address an id that is only dots";
            return Err(scrubber.failure(FailureKind::Invalid, sentence, ""));
        };
        let outgoing = Outgoing {
            method: request.method.clone(),
            template: request.template,
            path: format!("/api2/json{path}"),
            query: &request.query,
            headers: authorization.headers.clone(),
            body: request.body(),
            permit: request.permit.as_ref(),
        };
        self.0.send(&outgoing, &scrubber, |raw| judge(raw, request, &scrubber)).await
    }
}

fn judge(raw: &RawAnswer, request: &Request, scrubber: &Scrubber) -> Result<Bytes, Failure> {
    let content_type = raw.header(&CONTENT_TYPE);
    let answer = Answer {
        status: raw.status,
        reason: &raw.reason,
        content_type: content_type.as_deref(),
        challenges: raw.headers.contains_key(WWW_AUTHENTICATE),
        body: &raw.body,
    };
    if answer.is_success() {
        Ok(raw.body.clone())
    } else {
        Err(answer.failure(&request.about, request.is_write(), scrubber))
    }
}
