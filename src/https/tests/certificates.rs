//! Certificates that were spoilt, as servers present them and as people paste them.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};

use super::mutate::{self, Random};
use crate::https::settings::{Fingerprint, TlsSettings};
use crate::https::tls::{Seen, client_config, not_after};

/// So many are tried in a short run.
const SHORT: u64 = 2_000;

fn certificate() -> rcgen::Certificate {
    let params = CertificateParams::new(["pve.example.com".to_owned()]).expect("a name");
    params.self_signed(&KeyPair::generate().expect("a key")).expect("a certificate")
}

#[test]
fn a_spoilt_certificate_is_read_or_not_and_never_pinned() {
    let certificate = certificate();
    let whole = certificate.der();
    assert!(not_after(whole).is_some());
    for number in 0..mutate::count(SHORT) {
        let spoilt = mutate::bytes(&mut Random::of(number), whole);
        let _ = not_after(&spoilt);
        assert_eq!(Fingerprint::of(&spoilt) == Fingerprint::of(whole), spoilt == whole.to_vec(), "number {number}");
    }
}

#[test]
fn a_spoilt_bundle_is_taken_or_refused_in_words() {
    let pem = certificate().pem();
    let trusting = |ca_pem: String| {
        client_config(&TlsSettings { ca_pem: Some(ca_pem), ..TlsSettings::default() }, Arc::<Seen>::default())
    };
    assert!(trusting(pem.clone()).is_ok());
    for number in 0..mutate::count(SHORT) {
        let mut random = Random::of(number);
        let spoilt = String::from_utf8_lossy(&mutate::bytes(&mut random, pem.as_bytes())).into_owned();
        if let Err(error) = trusting(spoilt) {
            let said = error.to_string();
            assert!(said.chars().count() < 200 && !said.contains("45, 45"), "number {number} is repeated: {said}");
        }
        let text = String::from_utf8_lossy(&mutate::bytes(&mut random, Fingerprint::of(b"a").to_string().as_bytes()))
            .into_owned();
        if let Ok(read) = Fingerprint::parse(&text) {
            assert_eq!(read.to_string(), text.to_uppercase(), "number {number}");
        }
    }
}
