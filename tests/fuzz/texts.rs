//! Texts in Secrets, specs and ConfigMaps.

use std::time::Duration;

use proxmox_identity::core::ids::{RealmId, TokenId, UserId};
use proxmox_identity::core::roster::Present;
use proxmox_identity::core::secret::Secret;
use proxmox_identity::https::settings::TlsSettings;
use proxmox_identity::pocket_id;
use proxmox_identity::pve::config::{Auth, Settings};
use url::Url;

use crate::mutate::{self, Random};

/// So many texts are tried in a short run.
const SHORT: u64 = 20_000;

fn spoilt(random: &mut Random, seeds: &[&str]) -> String {
    let seed = random.one_of(seeds).as_bytes();
    String::from_utf8_lossy(&mutate::bytes(random, seed)).into_owned()
}

#[test]
fn a_token_is_whole_or_refused_without_being_repeated() {
    const KEY: &str = "c0ffee00-0123-4567-89ab-cdefc0ffee00";
    let seeds = [&format!("ops@pve!full={KEY}\n"), &format!("root@pam!a={KEY}"), &format!("a@b@pve!t={KEY}")];
    let seeds = seeds.map(String::as_str);
    for number in 0..mutate::count(SHORT) {
        let mut random = Random::of(number);
        let text = spoilt(&mut random, &seeds);
        match Auth::token(&text) {
            Ok(Auth::Token { token, secret }) => {
                assert!(TokenId::parse(token.as_str()).is_ok(), "number {number}: {text:?}");
                assert_eq!(
                    format!("{}={}", token.as_str(), secret.expose()),
                    text.trim_end_matches(['\r', '\n']),
                    "number {number}"
                );
            }
            Ok(Auth::Ticket { .. }) => panic!("number {number}: {text:?}"),
            Err(error) => assert!(!error.to_string().contains("c0ffee00"), "number {number}: {error}"),
        }
    }
}

#[test]
fn an_endpoint_is_the_bare_address_of_a_server_or_refused() {
    let seeds = ["https://pve.example.com:8006", "https://[::1]:8006/", "https://user:secret@h/path?q#f", "http://h"];
    for number in 0..mutate::count(SHORT) {
        let mut random = Random::of(number);
        let Ok(url) = Url::parse(&spoilt(&mut random, &seeds)) else { continue };
        let settings = Settings {
            endpoints: vec![url.clone()],
            auth: Auth::token("ops@pve!full=c0ffee00-0123-4567-89ab-cdefc0ffee00").expect("a token"),
            tls: TlsSettings::default(),
            proxy: None,
            request_timeout: Duration::from_secs(1),
            replica: None,
        };
        let bare = url.scheme() == "https"
            && url.username().is_empty()
            && url.password().is_none()
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none();
        assert!(settings.check().is_err() || bare, "number {number}: {url}");
        let settings = pocket_id::config::Settings {
            url: url.clone(),
            api_key: Secret::new("a-key-of-some-length"),
            tls: TlsSettings::default(),
            request_timeout: Duration::from_secs(1),
            replica: None,
        };
        assert!(
            settings.check().is_err() || (url.scheme() == "https" && url.password().is_none()),
            "number {number}: {url}"
        );
    }
}

#[test]
fn a_list_of_users_is_read_whole_or_refused() {
    let realm = RealmId::parse("oid").expect("a realm");
    let seeds = ["ann\nbob\ncleo@oid\n", "# all\nann\n\nbob\n", "[\"ann\", \"bob\"]", "- ann\n- bob\n", "ann,bob"];
    for number in 0..mutate::count(SHORT) {
        let mut random = Random::of(number);
        let text = spoilt(&mut random, &seeds);
        let Ok(present) = Present::parse(&text, &realm) else { continue };
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            // Whoever is left out counts as gone.
            let whole = UserId::observed(line);
            let named = UserId::observed(&format!("{line}@{realm}"));
            assert!(present.has(&whole) || present.has(&named), "number {number}: {line:?} of {text:?}");
        }
    }
}
