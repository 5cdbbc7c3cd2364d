//! The client of one Pocket ID.

use std::sync::Arc;

use crate::core::failure::{Failure, FailureKind};
use crate::core::pocket_id::version::PocketIdVersion;
use crate::https::observer::CallObserver;
use crate::https::settings::SettingsError;
use crate::permit::Permit;
use crate::pocket_id::config::Settings;
use crate::pocket_id::meaning::Meaning;
use crate::pocket_id::pace::Pacing;
use crate::pocket_id::request::Request;
use crate::pocket_id::server::Server;
use crate::pocket_id::session::Session;
use crate::pocket_id::transport::Transport;
use crate::pocket_id::wire;

/// A client of one Pocket ID with one key. Made anew when the settings change.
pub struct Client(Arc<Server>);

impl Client {
    /// Makes a client; nothing is sent yet.
    ///
    /// # Errors
    /// When the settings cannot be used.
    pub fn new(settings: &Settings, observer: &Arc<dyn CallObserver>) -> Result<Self, SettingsError> {
        Self::pacing(settings, observer, Pacing::default())
    }

    pub(crate) fn pacing(
        settings: &Settings,
        observer: &Arc<dyn CallObserver>,
        pacing: Pacing,
    ) -> Result<Self, SettingsError> {
        settings.check()?;
        let transport = Transport::new(settings, Arc::clone(observer), pacing)?;
        Ok(Self(Arc::new(Server::new(transport))))
    }

    /// Starts a pass: reads which version answers, and as which provider. What is written in the pass needs the permit.
    ///
    /// # Errors
    /// When it cannot be reached with an accepted certificate, refuses the key, or is no Pocket ID that can be managed.
    pub async fn connect(&self, permit: &Permit) -> Result<Session, Failure> {
        let text = self.version().await?;
        let version = PocketIdVersion::observed(&text);
        if version < PocketIdVersion::OLDEST {
            let oldest = PocketIdVersion::OLDEST;
            let sentence = format!("Pocket ID is too old; update it to {oldest} or newer");
            return Err(self.0.transport.scrubber.failure(FailureKind::Unreachable, &sentence, &text));
        }
        self.0.transport.pace.follow(version);
        let discovery = self.0.discovery().await?;
        Ok(Session { server: Arc::clone(&self.0), text, version, discovery, permit: permit.clone() })
    }

    /// Versions that cannot say which they are answer that there is no such call, or with a page; so does what is no Pocket
    /// ID at all (recording `health-version-discovery`).
    async fn version(&self) -> Result<String, Failure> {
        let answer = self.0.get(&Request::get("/api/version/current")).await;
        let wire::Version { current_version } = answer.map_err(|refusal| match refusal.meaning {
            Some(Meaning::NoEndpoint | Meaning::WebPage) => {
                let (endpoint, oldest) = (self.0.transport.endpoint.shown(), PocketIdVersion::OLDEST);
                let sentence =
                    format!("{endpoint} is no Pocket ID of version {oldest} or newer; update it, or give its APP_URL");
                self.0.failure(FailureKind::Unreachable, &sentence)
            }
            Some(_) | None => refusal.failure,
        })?;
        Ok(current_version)
    }
}
