//! How to reach one cluster and as whom.

use std::fmt;
use std::time::Duration;

use url::Url;

use crate::core::ids::{TokenId, UserId};
use crate::core::secret::Secret;
use crate::core::snapshot::Credential;
use crate::https::settings::{is_bare, shown};

use crate::https::settings::{SettingsError, TlsSettings};

/// Everything the client needs to know; a new value means a new client.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// `https` URLs of the nodes of one cluster, in order of preference.
    pub endpoints: Vec<Url>,
    /// As whom.
    pub auth: Auth,
    /// How the server proves who it is.
    pub tls: TlsSettings,
    /// An `http` proxy that takes CONNECT: TLS goes through it, end to end. The environment is never asked.
    pub proxy: Option<Url>,
    /// How long one request may take, its answer included. Proxmox VE waits up to 10 s for its lock.
    pub request_timeout: Duration,
    /// Which of several replicas asks, in letters, digits and dashes; Proxmox VE has it in its access log.
    pub replica: Option<String>,
}

/// A credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// An API token.
    Token {
        /// Its id.
        token: TokenId,
        /// Its value, a UUID.
        secret: Secret,
    },
    /// A login with a password, kept as a ticket that is renewed.
    Ticket {
        /// Who logs in.
        user: UserId,
        /// The password.
        password: Secret,
    },
}

impl Settings {
    /// Checks what can be checked without a connection.
    ///
    /// # Errors
    /// When an endpoint or the proxy has a shape that is not taken.
    pub fn check(&self) -> Result<(), SettingsError> {
        if self.endpoints.is_empty() {
            return Err(SettingsError::NoEndpoint);
        }
        if let Some(bad) = self.endpoints.iter().find(|url| !is_bare(url, "https")) {
            return Err(SettingsError::Endpoint(shown(bad)));
        }
        if self.proxy.as_ref().is_some_and(|url| !is_bare(url, "http")) {
            return Err(SettingsError::Proxy);
        }
        Ok(())
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoints, auth, tls, proxy, request_timeout, replica } = self;
        f.debug_struct("Settings")
            .field("endpoints", &endpoints.iter().map(shown).collect::<Vec<_>>())
            .field("auth", auth)
            .field("tls", tls)
            .field("proxy", &proxy.as_ref().map(shown))
            .field("request_timeout", request_timeout)
            .field("replica", replica)
            .finish()
    }
}

impl Auth {
    /// Reads a token from the text of a Secret, `user@realm!id=uuid`.
    ///
    /// One line break at the end is not part of it: Secrets are made with `echo`. Nothing else is forgiven, since
    /// Proxmox VE answers any difference with a plain 401, three seconds late (recording `auth-token`).
    ///
    /// # Errors
    /// When the text has another shape. The message does not repeat it.
    pub fn token(text: &str) -> Result<Self, SettingsError> {
        let line = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
        if line.starts_with("PVEAPIToken=") {
            return Err(SettingsError::Token("it begins with 'PVEAPIToken=', which belongs to the header"));
        }
        let (id, uuid) = line.rsplit_once('=').ok_or(SettingsError::Token("it has no '='"))?;
        let token = TokenId::parse(id).map_err(|_| SettingsError::Token("what is before '=' is not user@realm!id"))?;
        if !is_uuid(uuid) {
            return Err(SettingsError::Token("what stands after '=' is not a UUID in lower case"));
        }
        Ok(Self::Token { token, secret: Secret::new(uuid) })
    }

    /// As whom requests are judged.
    pub fn credential(&self) -> Credential {
        match self {
            Self::Token { token, .. } => Credential::Token(token.clone()),
            Self::Ticket { user, .. } => Credential::User(user.clone()),
        }
    }
}

fn is_uuid(text: &str) -> bool {
    let hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && text.split('-').all(hex)
}
