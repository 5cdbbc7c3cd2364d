//! The certificate is judged before anything of HTTP is sent.

use url::Url;

use super::server::{Identity, Server, on_connecting, proxy};
use super::{CLUSTER, connected, refusal, settings};
use crate::core::failure::FailureKind;
use crate::https::observer::Unobserved;
use crate::https::settings::{Fingerprint, SettingsError, TlsSettings};

async fn server(identity: Identity) -> Server {
    Server::with(identity, |request| on_connecting(request).expect("only connecting")).await
}

#[tokio::test]
async fn a_pinned_certificate_needs_no_name_no_authority_and_no_date() {
    for expired in [false, true] {
        let server = server(Identity::self_signed(&[], expired)).await;
        let session = connected(&settings(&server.url, server.pinned())).await;
        assert_eq!(session.cluster().as_str(), CLUSTER);
        assert_eq!(session.version(), "9.2.11");
        let certificate = session.certificate().expect("a certificate");
        assert_eq!(certificate.fingerprint, server.fingerprint);
        assert_eq!(certificate.not_after, Some(if expired { 978_307_200 } else { 4_102_444_800 }));
    }
}

#[tokio::test]
async fn another_certificate_than_the_pinned_one_sees_no_credential() {
    let server = server(Identity::self_signed(&["localhost"], false)).await;
    let pin = Fingerprint::of(b"another");
    let tls = TlsSettings { fingerprints: vec![pin], ..TlsSettings::default() };
    let failure = refusal(&settings(&server.url, tls)).await;
    assert_eq!(failure.kind, FailureKind::Certificate);
    assert!(failure.message.contains(&server.fingerprint.to_string()), "{}", failure.message);
    assert!(failure.message.contains(&pin.to_string()), "{}", failure.message);
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn one_of_several_pins_is_enough_and_beats_the_ca_bundle() {
    let server = server(Identity::self_signed(&[], false)).await;
    let (_, ca) = Identity::issued(&[]);
    let fingerprints = vec![Fingerprint::of(b"another"), server.fingerprint];
    let tls = TlsSettings { fingerprints, ca_pem: Some(ca), ..TlsSettings::default() };
    connected(&settings(&server.url, tls)).await;
}

#[tokio::test]
async fn a_ca_bundle_is_trusted_for_the_names_it_signed() {
    let (identity, ca) = Identity::issued(&["127.0.0.1"]);
    let server = server(identity).await;
    let tls = TlsSettings { ca_pem: Some(ca), ..TlsSettings::default() };
    connected(&settings(&server.url, tls.clone())).await;

    let by_name = server.url.replace("127.0.0.1", "localhost");
    let failure = refusal(&settings(&by_name, tls)).await;
    assert_eq!(failure.kind, FailureKind::Certificate);
    assert!(failure.message.contains("not valid for name"), "{}", failure.message);
    assert!(failure.message.contains(&server.fingerprint.to_string()), "{}", failure.message);
}

#[tokio::test]
async fn an_unknown_authority_is_refused() {
    let (identity, _) = Identity::issued(&["127.0.0.1"]);
    let server = server(identity).await;
    let (_, other) = Identity::issued(&["127.0.0.1"]);
    let tls = TlsSettings { ca_pem: Some(other), ..TlsSettings::default() };
    assert_eq!(refusal(&settings(&server.url, tls)).await.kind, FailureKind::Certificate);
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn the_server_name_is_asked_for_and_verified_instead_of_the_host() {
    let (identity, ca) = Identity::issued(&["pve.example"]);
    let server = server(identity).await;
    let with = |name: &str| TlsSettings {
        ca_pem: Some(ca.clone()),
        server_name: Some(name.to_owned()),
        ..TlsSettings::default()
    };
    let session = connected(&settings(&server.url, with("pve.example"))).await;
    assert_eq!(session.endpoint(), server.url);
    assert!(server.asked_for().iter().all(|name| name.as_deref() == Some("pve.example")));
    assert_eq!(refusal(&settings(&server.url, with("other.example"))).await.kind, FailureKind::Certificate);
}

#[tokio::test]
async fn tls_goes_through_a_proxy_end_to_end() {
    let (identity, ca) = Identity::issued(&["10.0.0.1"]);
    let server = server(identity).await;
    let (address, seen) = proxy().await;
    let tls = TlsSettings { ca_pem: Some(ca), server_name: Some("10.0.0.1".to_owned()), ..TlsSettings::default() };
    let mut settings = settings(&server.url, tls);
    settings.proxy = Url::parse(&format!("http://{address}")).ok();
    connected(&settings).await;
    let seen = seen.lock().expect("no panic").clone();
    let target = server.url.replace("https://", "CONNECT ");
    assert!(!seen.is_empty() && seen.iter().all(|request| request.line() == target), "{seen:?}");
}

#[test]
fn settings_that_cannot_work_are_refused_at_once() {
    let refused = |change: fn(&mut crate::pve::config::Settings)| {
        let mut settings = settings("https://pve:8006", TlsSettings::default());
        change(&mut settings);
        let observer: std::sync::Arc<dyn crate::https::observer::CallObserver> = std::sync::Arc::new(Unobserved);
        crate::pve::client::Client::new(&settings, &observer).err()
    };
    let url = |text: &str| Url::parse(text).expect("a URL");
    assert_eq!(refused(|settings| settings.endpoints.clear()), Some(SettingsError::NoEndpoint));
    for text in ["http://pve", "https://me:canary@pve", "https://pve/x", "https://pve/?x"] {
        let mut settings = settings("https://pve", TlsSettings::default());
        settings.endpoints = vec![url(text)];
        let error = settings.check().expect_err(text);
        assert!(matches!(error, SettingsError::Endpoint(_)) && !error.to_string().contains("canary"), "{error}");
    }
    assert_eq!(refused(|settings| settings.proxy = Url::parse("https://proxy").ok()), Some(SettingsError::Proxy));
    let login = refused(|settings| settings.proxy = Url::parse("http://me:canary@proxy").ok());
    assert_eq!(login, Some(SettingsError::Proxy));
    let bundle = refused(|settings| settings.tls.ca_pem = Some("nothing".to_owned()));
    assert!(matches!(bundle, Some(SettingsError::CaBundle(_))), "{bundle:?}");
    let name = refused(|settings| settings.tls.server_name = Some("a b".to_owned()));
    assert!(matches!(name, Some(SettingsError::ServerName(_))), "{name:?}");
}

#[test]
fn fingerprints_are_read_as_proxmox_ve_shows_them() {
    assert_eq!(Fingerprint::parse(CLUSTER).expect("a fingerprint").to_string(), CLUSTER);
    assert!(Fingerprint::parse(&CLUSTER.to_lowercase()).is_ok());
    for bad in
        ["", "AB", &CLUSTER[3..], &format!("{CLUSTER}:00"), &CLUSTER.replace("3B", "+B"), &CLUSTER.replace(':', "")]
    {
        assert!(Fingerprint::parse(bad).is_err(), "{bad}");
    }
}
