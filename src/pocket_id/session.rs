//! One Pocket ID for the time of a pass.

use std::sync::Arc;

use crate::core::failure::Failure;
use crate::core::pocket_id::version::PocketIdVersion;
use crate::https::tls::Certificate;
use crate::permit::Permit;
use crate::pocket_id::server::Server;
use crate::pocket_id::wire;

/// A connection to a Pocket ID whose version is known.
pub struct Session {
    pub(crate) server: Arc<Server>,
    /// The version as it says it.
    pub(crate) text: String,
    pub(crate) version: PocketIdVersion,
    pub(crate) discovery: Arc<wire::Discovery>,
    /// The right to write in this pass.
    pub(crate) permit: Permit,
}

impl Session {
    /// The version of Pocket ID, such as `2.9.0`.
    pub fn version(&self) -> &str {
        &self.text
    }

    /// The issuer of its tokens, exactly as a realm has to name it.
    pub fn issuer(&self) -> &str {
        &self.discovery.issuer
    }

    /// The scopes that it knows.
    pub fn scopes(&self) -> &[String] {
        &self.discovery.scopes_supported
    }

    /// The claims that it knows, beside custom ones.
    pub fn claims(&self) -> &[String] {
        &self.discovery.claims_supported
    }

    /// Scheme, host and port of the server.
    pub fn endpoint(&self) -> &str {
        self.server.transport.endpoint.shown()
    }

    /// The certificate that the server presented last.
    pub fn certificate(&self) -> Option<Certificate> {
        self.server.transport.endpoint.certificate()
    }

    /// When the API key expires, in seconds since 1970; `None` for the static one, which never does. Only a person can
    /// renew a key (recording `api-keys-life-cycle`).
    ///
    /// # Errors
    /// When that cannot be read.
    pub async fn key_expiry(&self) -> Result<Option<i64>, Failure> {
        let keys: Vec<wire::ApiKey> = self.server.list("/api/api-keys", "createdAt").await?;
        // These are all keys of its user. Our own is the one that was used last: for this very list. The moment is in
        // seconds: of several keys that are in use the first to expire is told.
        let last = keys.iter().filter_map(|key| key.last_used_at).max();
        let own = keys.iter().filter(|key| key.last_used_at.is_some() && key.last_used_at == last);
        Ok(own.map(|key| key.expires_at.as_second()).min())
    }
}
