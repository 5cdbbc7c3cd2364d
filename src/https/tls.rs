//! The server proves who it is within the handshake: nothing of HTTP is sent before.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

use crate::https::settings::{Fingerprint, SettingsError, TlsSettings};

/// The certificate that a server presented, accepted or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Certificate {
    /// Its SHA-256.
    pub fingerprint: Fingerprint,
    /// Seconds since 1970 after which it is not valid; `None` where that cannot be read.
    pub not_after: Option<i64>,
}

/// Where the verifier leaves the certificate it saw last.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<Option<Certificate>>);

impl Seen {
    /// The certificate of the last full handshake.
    pub(crate) fn certificate(&self) -> Option<Certificate> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, certificate: Certificate) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(certificate);
    }
}

/// Why a certificate was not accepted; found again in the chain of the HTTP client's error.
#[derive(Debug)]
pub(crate) struct Refused {
    presented: Fingerprint,
    why: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "presented {}, {}", self.presented, self.why)
    }
}

impl std::error::Error for Refused {}

/// The TLS configuration for one endpoint. The provider is given, so that nothing depends on an installed default.
pub(crate) fn client_config(settings: &TlsSettings, seen: Arc<Seen>) -> Result<ClientConfig, SettingsError> {
    let provider = Arc::new(ring::default_provider());
    let name = server_name(settings)?;
    let trust = Trust::new(settings, &provider)?;
    let verifier = Verifier { trust, name, provider: Arc::clone(&provider), seen };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SettingsError::Client(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

/// The name to ask for instead of the endpoint's host.
pub(crate) fn server_name(settings: &TlsSettings) -> Result<Option<ServerName<'static>>, SettingsError> {
    let parse = |name: &String| {
        ServerName::try_from(name.clone()).map_err(|_| SettingsError::ServerName(name.chars().take(255).collect()))
    };
    settings.server_name.as_ref().map(parse).transpose()
}

#[derive(Debug)]
enum Trust {
    Pins(BTreeSet<Fingerprint>),
    Roots(Arc<WebPkiServerVerifier>),
}

impl Trust {
    fn new(settings: &TlsSettings, provider: &Arc<CryptoProvider>) -> Result<Self, SettingsError> {
        if !settings.fingerprints.is_empty() {
            return Ok(Self::Pins(settings.fingerprints.iter().copied().collect()));
        }
        let roots = match &settings.ca_pem {
            Some(pem) => bundle(pem)?,
            None => system_roots()?,
        };
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
            .build()
            .map(Self::Roots)
            .map_err(|error| SettingsError::CaBundle(error.to_string()))
    }
}

fn bundle(pem: &str) -> Result<RootCertStore, SettingsError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        // The error itself would repeat what it could not read, and that may be a key.
        let certificate = certificate.map_err(|_| SettingsError::CaBundle("its PEM cannot be read".to_owned()))?;
        roots.add(certificate).map_err(|error| SettingsError::CaBundle(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(SettingsError::CaBundle("it has no PEM certificate".to_owned()));
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, SettingsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(SettingsError::NoSystemRoots) } else { Ok(roots) }
}

#[derive(Debug)]
struct Verifier {
    trust: Trust,
    name: Option<ServerName<'static>>,
    provider: Arc<CryptoProvider>,
    seen: Arc<Seen>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let presented = Fingerprint::of(end_entity);
        self.seen.note(Certificate { fingerprint: presented, not_after: not_after(end_entity) });
        let verdict = match &self.trust {
            Trust::Pins(pins) if pins.contains(&presented) => Ok(ServerCertVerified::assertion()),
            Trust::Pins(pins) => Err(pinned(pins)),
            Trust::Roots(roots) => roots
                .verify_server_cert(
                    end_entity,
                    intermediates,
                    self.name.as_ref().unwrap_or(server_name),
                    ocsp_response,
                    now,
                )
                .map_err(|error| error.to_string()),
        };
        verdict.map_err(|why| {
            Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(Refused { presented, why }))))
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn pinned(pins: &BTreeSet<Fingerprint>) -> String {
    let first = pins.first().map(ToString::to_string).unwrap_or_default();
    match pins.len() {
        0 | 1 => format!("pinned {first}"),
        more => format!("pinned {first} and {} more", more - 1),
    }
}

pub(super) fn not_after(der: &[u8]) -> Option<i64> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

/// The refusal of our verifier or another complaint of TLS about the certificate, if that is what `error` comes from.
pub(crate) fn certificate_refusal(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(Error::InvalidCertificate(why)) = error.downcast_ref::<Error>() {
            return Some(match why {
                CertificateError::Other(OtherError(inner)) => inner.to_string(),
                other => other.to_string(),
            });
        }
        // An io::Error hides the error that it wraps from `source`.
        next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}
