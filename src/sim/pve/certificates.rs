//! The cluster's own authority, made once with the state, and the certificate this node serves.

use std::fmt::Write as _;

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// Certificates and the key of the node, as PEM.
#[derive(Clone, Serialize, Deserialize)]
pub struct Certificates {
    /// `pve-root-ca.pem`
    pub authority: String,
    /// `pve-ssl.pem`
    pub node: String,
    /// Key of [`Self::node`].
    pub node_key: String,
}

impl Certificates {
    /// Makes an authority the way PVE does, and a certificate of this node that it signs.
    pub fn new() -> Result<Self, rcgen::Error> {
        let cluster = super::secrets::random_uuid();
        let mut authority = CertificateParams::default();
        authority.distinguished_name = name(&[
            (DnType::CommonName, "Proxmox Virtual Environment"),
            (DnType::OrganizationalUnitName, &cluster),
            (DnType::OrganizationName, "PVE Cluster Manager CA"),
        ]);
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_key = KeyPair::generate()?;
        let authority_certificate = authority.self_signed(&authority_key)?;

        let names = ["127.0.0.1", "::1", "localhost", "pve1", "pve1.example.com"];
        let mut node = CertificateParams::new(names.map(str::to_owned).to_vec())?;
        node.distinguished_name = name(&[
            (DnType::OrganizationalUnitName, "PVE Cluster Node"),
            (DnType::OrganizationName, "Proxmox Virtual Environment"),
            (DnType::CommonName, "pve1.example.com"),
        ]);
        node.use_authority_key_identifier_extension = true;
        let node_key = KeyPair::generate()?;
        let node_certificate = node.signed_by(&node_key, &Issuer::new(authority, authority_key))?;
        Ok(Self {
            authority: authority_certificate.pem(),
            node: node_certificate.pem(),
            node_key: node_key.serialize_pem(),
        })
    }

    /// SHA-256 of the node's certificate, as PVE shows it.
    pub fn fingerprint(&self) -> String {
        der(&self.node).map(|der| fingerprint(&der)).unwrap_or_default()
    }

    /// What `GET /nodes/localhost/certificates/info` answers (FACTS 94).
    pub fn info(&self) -> Value {
        let files = [("pve-root-ca.pem", &self.authority), ("pve-ssl.pem", &self.node)];
        files.iter().filter_map(|(file, pem)| describe(file, pem)).collect()
    }
}

fn name(parts: &[(DnType, &str)]) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    for (kind, value) in parts {
        name.push(kind.clone(), *value);
    }
    name
}

fn der(pem: &str) -> Option<Vec<u8>> {
    x509_parser::pem::parse_x509_pem(pem.as_bytes()).ok().map(|(_, pem)| pem.contents)
}

fn fingerprint(der: &[u8]) -> String {
    let bytes: Vec<String> = Sha256::digest(der).iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

fn describe(file: &str, pem: &str) -> Option<Value> {
    let der = der(pem)?;
    let (_, certificate) = X509Certificate::from_der(&der).ok()?;
    let names = certificate.subject_alternative_name().ok().flatten();
    let names: Vec<String> =
        names.iter().flat_map(|names| &names.value.general_names).filter_map(alternative).collect();
    Some(json!({
        "filename": file,
        "fingerprint": fingerprint(&der),
        "issuer": slashes(certificate.issuer()),
        "subject": slashes(certificate.subject()),
        "notbefore": certificate.validity().not_before.timestamp(),
        "notafter": certificate.validity().not_after.timestamp(),
        "public-key-type": "id-ecPublicKey",
        "public-key-bits": 256,
        "san": names,
        "pem": pem,
    }))
}

fn alternative(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
            Ok(v4) => Some(std::net::Ipv4Addr::from(v4).to_string()),
            Err(_) => <[u8; 16]>::try_from(*bytes).ok().map(|v6| std::net::Ipv6Addr::from(v6).to_string()),
        },
        _ => None,
    }
}

/// `/CN=…/OU=…`, OpenSSL's old form.
fn slashes(name: &x509_parser::x509::X509Name<'_>) -> String {
    let mut text = String::new();
    for attribute in name.iter_attributes() {
        let key = x509_parser::objects::oid2abbrev(attribute.attr_type(), x509_parser::objects::oid_registry());
        let _ = write!(text, "/{}={}", key.unwrap_or("?"), attribute.as_str().unwrap_or_default());
    }
    text
}
