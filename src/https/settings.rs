//! How a server is reached and how it proves who it is.

use std::fmt;

use sha2::{Digest, Sha256};
use url::Url;

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
    /// The text of the Secret is not a token of Proxmox VE.
    #[error("the text in the Secret is no token: {0}; it must be user@realm!id=uuid")]
    Token(&'static str),
    /// The text of the Secret is not an API key of Pocket ID.
    #[error("the text in the Secret is no API key: it is empty, or has characters that HTTP cannot carry")]
    ApiKey,
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

/// Scheme, host and port of a URL: what may be shown of it.
pub(crate) fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

/// Whether a URL is nothing but this scheme, a host and a port.
pub(crate) fn is_bare(url: &Url, scheme: &str) -> bool {
    url.scheme() == scheme
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none()
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
