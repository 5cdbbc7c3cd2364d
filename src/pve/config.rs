//! How to reach one cluster and as whom.

use std::fmt;
use std::time::Duration;

use sha2::{Digest, Sha256};
use url::Url;

use crate::core::ids::{TokenId, UserId};
use crate::core::secret::Secret;
use crate::core::snapshot::Credential;

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

/// How the server proves who it is. With fingerprints they alone decide, then the CA bundle, then the system's roots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// PEM certificates of the authorities to trust instead of the system's.
    pub ca_pem: Option<String>,
    /// The certificates to accept, whatever names, issuer or dates they have.
    pub fingerprints: Vec<Fingerprint>,
    /// The name to ask for and to verify, instead of the endpoint's host. Through a proxy it is only verified,
    /// since there the host that is asked for is also the one to connect to.
    pub server_name: Option<String>,
}

/// Why settings cannot be used; the message has no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A connection needs an endpoint.
    #[error("no endpoint is given")]
    NoEndpoint,
    /// An endpoint is not the bare `https` URL of a server.
    #[error("endpoint {0} is not allowed: give https://host:port, without user, path or query")]
    Endpoint(String),
    /// The proxy is not an `http` URL.
    #[error("the proxy URL is not allowed: give http://host:port, without user and path")]
    Proxy,
    /// The text of the Secret is not a token.
    #[error("the text in the Secret is no token: {0}; it must be user@realm!id=uuid")]
    Token(&'static str),
    /// Not a fingerprint.
    #[error(
        "fingerprint {0:?} is not allowed: give the SHA-256 of a certificate as 32 hexadecimal pairs joined by ':'"
    )]
    Fingerprint(String),
    /// No certificate in the CA bundle, or one that cannot be read.
    #[error("the CA bundle is not allowed: {0}")]
    CaBundle(String),
    /// No root certificate on this system.
    #[error("this system has no root certificates: give a CA bundle or fingerprints")]
    NoSystemRoots,
    /// Neither a DNS name nor an IP address.
    #[error("server name {0:?} is not allowed: give a DNS name or an IP address")]
    ServerName(String),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made: {0}")]
    Client(String),
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
        if let Some(bad) = self.endpoints.iter().find(|url| !is_bare(url, "https") || has_user(url)) {
            return Err(SettingsError::Endpoint(shown(bad)));
        }
        if self.proxy.as_ref().is_some_and(|url| !is_bare(url, "http") || has_user(url)) {
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

/// Scheme, host and port of a URL: what may be shown of it.
pub(crate) fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

fn is_bare(url: &Url, scheme: &str) -> bool {
    url.scheme() == scheme
        && url.has_host()
        && matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none()
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
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

/// The SHA-256 of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Reads `AB:CD:…` as Proxmox VE shows it; lower case is taken too.
    ///
    /// # Errors
    /// When it is not 32 pairs.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let bad = || SettingsError::Fingerprint(text.chars().take(128).collect());
        let byte = |pair: &str| {
            let hex = pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
            if hex { u8::from_str_radix(pair, 16).ok() } else { None }
        };
        let bytes = text.split(':').map(byte).collect::<Option<Vec<u8>>>().ok_or_else(bad)?;
        Ok(Self(bytes.try_into().map_err(|_| bad())?))
    }

    /// The fingerprint of a certificate.
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if at == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
