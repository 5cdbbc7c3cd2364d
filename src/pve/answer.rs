//! Whose answer it is. Something in between may answer in Proxmox VE's place: only what looks like Proxmox VE's
//! own answer is believed.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::core::failure::{Failure, FailureKind};
use crate::https::exchange::lost;
use crate::https::message::Scrubber;
use crate::pve::error::{About, Refusal, Verdict, parameters, sentence, text};
use crate::pve::wire::is_object;

/// An answer as it came in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'a> {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The reason phrase of the status line.
    pub(crate) reason: &'a str,
    /// The content type, if there is one.
    pub(crate) content_type: Option<&'a str>,
    /// Whether it asks for a login in HTTP's way, which Proxmox VE never does.
    pub(crate) challenges: bool,
    /// The body.
    pub(crate) body: &'a [u8],
}

impl Answer<'_> {
    /// True when this is a success of Proxmox VE, as far as the envelope tells.
    pub(crate) fn is_success(&self) -> bool {
        self.status == 200 && self.is_json() && has_data(self.body)
    }

    /// What a failed answer means. `write` says whether the request may have changed something.
    pub(crate) fn failure(&self, about: &About, write: bool, scrubber: &Scrubber) -> Failure {
        let (kind, detail) = self.verdict(about).unwrap_or_else(|| (lost(write), self.foreign()));
        scrubber.failure(kind, sentence(kind), &detail)
    }

    fn is_json(&self) -> bool {
        let plain = |text: &str| text.replace(' ', "").to_ascii_lowercase();
        self.content_type.is_some_and(|text| plain(text) == "application/json;charset=utf-8")
    }

    /// `None`: not an answer of Proxmox VE, or one of its own gateway.
    fn verdict(&self, about: &About) -> Option<Verdict> {
        let refusal = if self.is_json() {
            if !has_data(self.body) {
                return None;
            }
            serde_json::from_slice(self.body).ok()?
        } else if self.is_bare() {
            Refusal::default()
        } else {
            return None;
        };
        let said = || self.reason.to_owned();
        match self.status {
            400 => Some(parameters(self.reason, &refusal)),
            401 => Some((FailureKind::Authentication, said())),
            403 => Some((FailureKind::Forbidden, said())),
            500 => Some(text(refusal.message.as_deref().unwrap_or(self.reason), about)),
            404 | 501 | 506 => Some((FailureKind::Other, said())),
            _ => None,
        }
    }

    /// Failures before Proxmox VE's API proper have no content type, and for a body nothing or the reason once more
    /// (recordings `auth-none`, `http-methods`, `http-bodies`). The reason is never the standard one for the status,
    /// which is what a proxy would say.
    fn is_bare(&self) -> bool {
        let reason = self.reason.trim();
        let standard = reqwest::StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        let body = String::from_utf8_lossy(self.body);
        matches!(self.status, 401 | 500 | 501 | 506)
            && self.content_type.is_none()
            && !self.challenges
            && !reason.is_empty()
            && !standard.is_some_and(|standard| standard.eq_ignore_ascii_case(reason))
            && (body.trim().is_empty() || body.trim() == reason)
    }

    fn foreign(&self) -> String {
        let kind = self.content_type.unwrap_or("no content type");
        match self.status {
            300..400 => format!("HTTP {} {} redirects, which is not followed", self.status, self.reason),
            595..=599 => format!("HTTP {} {}, the node cannot reach its own API", self.status, self.reason),
            _ => format!("HTTP {} {} with {kind} is not an answer of Proxmox VE", self.status, self.reason),
        }
    }
}

fn has_data(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Envelope {
        #[serde(rename = "data", deserialize_with = "Option::<IgnoredAny>::deserialize")]
        _data: Option<IgnoredAny>,
    }
    is_object(body) && serde_json::from_slice::<Envelope>(body).is_ok()
}
