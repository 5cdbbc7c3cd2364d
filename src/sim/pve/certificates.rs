//! The certificates of a cluster: its own authority, and what this node serves.

use std::fmt::Write as _;

use rcgen::DnType;
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::sim::certificates::{Certificates, der, fingerprint};
use crate::sim::secrets::random_uuid;

/// Makes an authority the way PVE does, and a certificate of this node that it signs.
pub fn issue() -> Result<Certificates, rcgen::Error> {
    let cluster = random_uuid();
    let authority = [
        (DnType::CommonName, "Proxmox Virtual Environment"),
        (DnType::OrganizationalUnitName, &cluster),
        (DnType::OrganizationName, "PVE Cluster Manager CA"),
    ];
    let node = [
        (DnType::OrganizationalUnitName, "PVE Cluster Node"),
        (DnType::OrganizationName, "Proxmox Virtual Environment"),
        (DnType::CommonName, "pve1.example.com"),
    ];
    Certificates::issue(&authority, &node, &["pve1", "pve1.example.com"])
}

/// What `GET /nodes/localhost/certificates/info` answers (FACTS 94).
pub fn info(certificates: &Certificates) -> Value {
    let files = [("pve-root-ca.pem", &certificates.authority), ("pve-ssl.pem", &certificates.served)];
    files.iter().filter_map(|(file, pem)| describe(file, pem)).collect()
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
