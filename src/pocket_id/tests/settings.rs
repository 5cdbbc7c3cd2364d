//! The server proves who it is before the key is sent.

use super::{client, raw, refusal, settings, simulator};
use crate::core::failure::FailureKind;
use crate::core::secret::Secret;
use crate::https::settings::{Fingerprint, SettingsError, TlsSettings};
use crate::https::tests::server::Identity;
use crate::permit::Permit;
use crate::pocket_id::config::Settings;
use crate::sim::pocket_id::Release;

#[tokio::test]
async fn a_pinned_certificate_is_accepted_and_shown() {
    let simulator = simulator(Release::V2_9).await;
    let pin = Fingerprint::parse(&simulator.fingerprint()).expect("a fingerprint");
    let tls = TlsSettings { fingerprints: vec![pin], ..TlsSettings::default() };
    let session = client(&settings(&simulator.url(), tls)).connect(&Permit::unlimited()).await.expect("a session");
    assert_eq!(session.certificate().expect("a certificate").fingerprint, pin);
    assert_eq!(session.endpoint(), simulator.url());
}

#[tokio::test]
async fn another_certificate_sees_no_key() {
    let server = raw(|_| None).await;
    let (_, other) = Identity::issued(&["127.0.0.1"]);
    let pinned = TlsSettings { fingerprints: vec![Fingerprint::of(b"another")], ..TlsSettings::default() };
    let authority = TlsSettings { ca_pem: Some(other), ..TlsSettings::default() };
    for tls in [pinned, authority] {
        let failure = refusal(&settings(&server.url, tls)).await;
        assert_eq!(failure.kind, FailureKind::Certificate, "{failure}");
        assert!(failure.message.contains(&server.fingerprint.to_string()), "{failure}");
    }
    assert!(server.received().is_empty());
}

#[test]
fn settings_that_cannot_work_are_refused_at_once() {
    let of = |url: &str, key: &str| Settings { api_key: Secret::new(key), ..settings(url, TlsSettings::default()) };
    for url in ["http://id.example.com", "https://id.example.com/pocket", "https://me:canary@id.example.com"] {
        let error = of(url, "key").check().expect_err(url);
        assert!(matches!(error, SettingsError::Endpoint(_)) && !error.to_string().contains("canary"), "{error}");
    }
    for key in ["", " ", "two\nlines", "zero\0"] {
        assert_eq!(of("https://id.example.com", key).check(), Err(SettingsError::ApiKey), "{key:?}");
    }
    assert_eq!(of("https://id.example.com:1411/", "key").check(), Ok(()));
}
