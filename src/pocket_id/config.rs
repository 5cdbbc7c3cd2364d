//! How to reach one Pocket ID and with which key.

use std::fmt;
use std::time::Duration;

use hyper::header::HeaderValue;
use url::Url;

use crate::core::secret::Secret;
use crate::https::settings::{SettingsError, TlsSettings, is_bare, shown};

/// Everything the client needs to know; a new value means a new client.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// The bare `https` URL of the server; Pocket ID has no API below a path.
    pub url: Url,
    /// An API key of an administrator, or the static one.
    pub api_key: Secret,
    /// How the server proves who it is.
    pub tls: TlsSettings,
    /// How long one request may take, its answer included.
    pub request_timeout: Duration,
    /// Which of several replicas asks, in letters, digits and dashes.
    pub replica: Option<String>,
}

impl Settings {
    /// Checks what can be checked without a connection.
    ///
    /// # Errors
    /// When the URL or the key has a shape that is not taken.
    pub fn check(&self) -> Result<(), SettingsError> {
        if !is_bare(&self.url, "https") {
            return Err(SettingsError::Endpoint(shown(&self.url)));
        }
        self.key_header().map(drop)
    }

    /// The key as it is sent.
    pub(crate) fn key_header(&self) -> Result<HeaderValue, SettingsError> {
        let key = self.api_key.expose();
        let header = HeaderValue::from_str(key).ok().filter(|_| !key.trim().is_empty());
        let mut header = header.ok_or(SettingsError::ApiKey)?;
        header.set_sensitive(true);
        Ok(header)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, api_key, tls, request_timeout, replica } = self;
        f.debug_struct("Settings")
            .field("url", &shown(url))
            .field("api_key", api_key)
            .field("tls", tls)
            .field("request_timeout", request_timeout)
            .field("replica", replica)
            .finish()
    }
}
