//! How a request leaves for Pocket ID: at its turn, and once more after the rate limit refused it.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::{HeaderMap, HeaderName};

use crate::core::failure::FailureKind;
use crate::https::endpoint::{Endpoint, Way};
use crate::https::exchange::Outgoing;
use crate::https::message::Scrubber;
use crate::https::observer::CallObserver;
use crate::https::settings::SettingsError;
use crate::pocket_id::config::Settings;
use crate::pocket_id::meaning::{Meaning, Refusal, judge};
use crate::pocket_id::pace::{Pace, Pacing};
use crate::pocket_id::request::Request;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// How often a request is sent that the rate limit refuses.
const TRIES: u32 = 4;
/// Whoever is told to come again later than this is refused for now.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The server, with the key and the pace of one client.
pub(crate) struct Transport {
    pub(crate) endpoint: Endpoint,
    pub(crate) scrubber: Scrubber,
    pub(crate) pace: Pace,
    headers: HeaderMap,
}

impl Transport {
    pub(crate) fn new(
        settings: &Settings,
        observer: Arc<dyn CallObserver>,
        pacing: Pacing,
    ) -> Result<Self, SettingsError> {
        let way = Way {
            system: "Pocket ID",
            url: &settings.url,
            tls: &settings.tls,
            proxy: None,
            request_timeout: settings.request_timeout,
            replica: settings.replica.as_deref(),
        };
        Ok(Self {
            endpoint: Endpoint::new(&way, observer)?,
            scrubber: Scrubber::new([&settings.api_key]),
            pace: Pace::new(pacing),
            headers: HeaderMap::from_iter([(API_KEY, settings.key_header()?)]),
        })
    }

    /// Sends one request and gives the body of Pocket ID's answer. What the rate limit refuses changed nothing, so that
    /// also a write may be sent again.
    pub(crate) async fn send(&self, request: &Request) -> Result<Bytes, Refusal> {
        let Some(path) = request.path() else {
            let sentence = "Pocket ID's API cannot address an id that is only dots";
            return Err(self.scrubber.failure(FailureKind::Invalid, sentence, "").into());
        };
        let outgoing = Outgoing {
            method: request.method.clone(),
            template: request.template,
            path,
            query: &request.query,
            headers: self.headers.clone(),
            body: request.body(),
            permit: request.permit.as_ref(),
        };
        let (mut pause, mut tries) = (self.pace.pacing.pause, 1);
        loop {
            self.pace.turn().await;
            let judged = |raw: &_| judge(raw, request.is_write(), &self.scrubber);
            let answer = self.endpoint.send(&outgoing, &self.scrubber, judged).await;
            let Err(Refusal { meaning: Some(Meaning::TooMany(said)), .. }) = &answer else { return answer };
            self.pace.exhausted();
            let wait = said.unwrap_or(pause);
            if tries == TRIES || wait > LONGEST_PAUSE {
                return answer;
            }
            tokio::time::sleep(wait).await;
            (pause, tries) = (pause * 2, tries + 1);
        }
    }
}
