//! Certificates that a proxy serves.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

/// For which years a certificate is good.
#[derive(Debug, Clone, Copy)]
pub enum Years {
    /// Now too.
    Now,
    /// It has expired.
    Past,
    /// It is not good yet, as on a machine whose clock is late.
    Future,
}

/// A certificate with its key.
#[derive(Clone)]
pub struct Identity {
    pem: String,
    der: CertificateDer<'static>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl Identity {
    /// A certificate that nobody else signed.
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let certificate = params(Years::Now).self_signed(&key).expect("a certificate");
        Self::of(&certificate, &key)
    }

    fn of(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        Self { pem: certificate.pem(), der: certificate.der().clone(), key: Arc::new(key) }
    }

    /// The certificate.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// SHA-256 of it, as Proxmox VE shows it.
    pub fn fingerprint(&self) -> String {
        let pairs: Vec<String> = Sha256::digest(&self.der).iter().map(|byte| format!("{byte:02X}")).collect();
        pairs.join(":")
    }

    /// Serves it.
    pub fn acceptor(&self) -> TlsAcceptor {
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder.with_no_client_auth().with_single_cert(vec![self.der.clone()], self.key.clone_key())
            });
        TlsAcceptor::from(Arc::new(config.expect("a certificate that can be served")))
    }
}

/// Who signs certificates.
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new one, of the same name as all others.
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// Its certificate.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate that it signed.
    pub fn signs(&self, years: Years) -> Identity {
        let key = KeyPair::generate().expect("a key");
        Identity::of(&params(years).signed_by(&key, &self.issuer).expect("a certificate"), &key)
    }
}

fn params(years: Years) -> CertificateParams {
    let names = ["127.0.0.1", "localhost"].map(str::to_owned);
    let mut params = CertificateParams::new(names).expect("names");
    let (from, to) = match years {
        Years::Now => (2000, 4000),
        Years::Past => (2000, 2001),
        Years::Future => (3999, 4000),
    };
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    params
}
