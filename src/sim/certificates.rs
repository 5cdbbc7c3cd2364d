//! An authority of a simulator's own, made once with its state, and the certificate that it serves.

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Certificates and the key of the served one, as PEM.
#[derive(Clone, Serialize, Deserialize)]
pub struct Certificates {
    /// The authority that signed [`Self::served`].
    pub authority: String,
    /// What the listener serves.
    pub served: String,
    /// Key of [`Self::served`].
    pub key: String,
}

impl Certificates {
    /// Makes an authority, and a certificate for loopback and `host` that it signs.
    pub fn issue(
        authority: &[(DnType, &str)],
        served: &[(DnType, &str)],
        hosts: &[&str],
    ) -> Result<Self, rcgen::Error> {
        let mut issuer = CertificateParams::default();
        issuer.distinguished_name = name(authority);
        issuer.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        issuer.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer_key = KeyPair::generate()?;
        let authority = issuer.self_signed(&issuer_key)?;

        let names = ["127.0.0.1", "::1", "localhost"].iter().chain(hosts);
        let mut leaf = CertificateParams::new(names.map(|&name| name.to_owned()).collect::<Vec<_>>())?;
        leaf.distinguished_name = name(served);
        leaf.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let served = leaf.signed_by(&key, &Issuer::new(issuer, issuer_key))?;
        Ok(Self { authority: authority.pem(), served: served.pem(), key: key.serialize_pem() })
    }

    /// SHA-256 of the served certificate, as `openssl x509 -fingerprint` shows it.
    pub fn fingerprint(&self) -> String {
        der(&self.served).map(|der| fingerprint(&der)).unwrap_or_default()
    }
}

fn name(parts: &[(DnType, &str)]) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    for (kind, value) in parts {
        name.push(kind.clone(), *value);
    }
    name
}

/// The bytes of a certificate.
pub fn der(pem: &str) -> Option<Vec<u8>> {
    x509_parser::pem::parse_x509_pem(pem.as_bytes()).ok().map(|(_, pem)| pem.contents)
}

/// SHA-256 of a certificate.
pub fn fingerprint(der: &[u8]) -> String {
    let bytes: Vec<String> = Sha256::digest(der).iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}
