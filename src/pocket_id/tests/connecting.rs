//! What is found out on connecting.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{RELEASES, client, connected, failed, ok, raw, refusal, settings, settings_of, simulator};
use crate::core::failure::FailureKind;
use crate::core::secret::Secret;
use crate::https::tests::server::{Reply, answer};
use crate::permit::Permit;
use crate::pocket_id::config::Settings;
use crate::sim::ANY_REQUEST;
use crate::sim::pocket_id::{Fault, FaultName, Release};

#[tokio::test]
async fn each_release_says_which_it_is_and_as_which_provider() {
    for release in RELEASES {
        let simulator = simulator(release).await;
        let session = connected(&settings_of(&simulator)).await;
        assert_eq!(session.version(), release.version());
        assert_eq!(session.issuer(), simulator.url());
        assert!(session.scopes().iter().any(|scope| scope == "groups"), "{release:?}");
        assert!(session.claims().iter().any(|claim| claim == "preferred_username"), "{release:?}");
    }
}

#[tokio::test]
async fn the_provider_is_asked_once_and_again_after_a_failure() {
    let simulator = simulator(Release::V2_9).await;
    let client = client(&settings_of(&simulator));
    let asked = || simulator.requests().count("GET", "/.well-known/openid-configuration");
    for _ in 0..3 {
        client.connect(&Permit::unlimited()).await.expect("a session");
    }
    assert_eq!(asked(), 1);
    simulator.fault(Fault { file: Some(ANY_REQUEST.to_owned()), ..Fault::new(FaultName::Status) });
    let failure = client.connect(&Permit::unlimited()).await.err().expect("a failure");
    assert_eq!(failure.kind, FailureKind::Unreachable, "{failure}");
    client.connect(&Permit::unlimited()).await.expect("a session");
    assert_eq!(asked(), 2);
}

#[tokio::test]
async fn the_issuer_is_taken_as_it_is_said() {
    let server = raw(|_| None).await;
    let session = connected(&settings(&server.url, server.pinned())).await;
    assert_eq!(session.issuer(), "https://id.example.com");
}

#[tokio::test]
async fn a_wrong_key_is_told() {
    let simulator = simulator(Release::V2_14).await;
    let wrong = Settings { api_key: Secret::new("another-static-api-key"), ..settings_of(&simulator) };
    let failure = refusal(&wrong).await;
    assert_eq!(failure.kind, FailureKind::Authentication, "{failure}");
    assert!(failure.message.contains("check it, its expiry"), "{failure}");
}

#[tokio::test]
async fn what_is_no_pocket_id_or_too_old_is_told_what_to_do() {
    let page = answer("200 OK", "text/html; charset=utf-8", "<!doctype html><title>Pocket ID</title>");
    let moved = Reply::Raw("HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n".to_owned());
    let not_it = "is no Pocket ID of version 2.3 or newer; update it, or give its APP_URL";
    let cases = [
        (failed(404, "API endpoint not found"), not_it),
        (page, not_it),
        (ok(r#"{"currentVersion":"2.2.0"}"#), "Pocket ID is too old; update it to 2.3 or newer: 2.2.0"),
        (ok(r#"{"data":[]}"#), "Pocket ID's answer to GET /api/version/current has an unknown shape"),
        (moved, "HTTP 301 Moved redirects, which is not followed"),
        (answer("502 Bad Gateway", "text/html", "<h1>"), "HTTP 502 Bad Gateway with text/html is not an answer"),
    ];
    for (reply, sentence) in cases {
        let server = raw(move |request| request.line().ends_with("/current").then(|| reply.clone())).await;
        let failure = refusal(&settings(&server.url, server.pinned())).await;
        assert!(matches!(failure.kind, FailureKind::Unreachable | FailureKind::Other), "{failure:?}");
        assert!(failure.message.contains(sentence), "{failure}");
        assert_eq!(server.received().len(), 1, "{failure}");
    }
}

#[tokio::test]
async fn an_update_of_the_server_is_noticed_in_the_next_pass() {
    let asked = AtomicUsize::new(0);
    let server = raw(move |request| {
        let version = if asked.load(Ordering::SeqCst) == 0 { "2.13.0" } else { "2.14.0" };
        let is_asked = request.line().ends_with("/current");
        asked.fetch_add(usize::from(is_asked), Ordering::SeqCst);
        is_asked.then(|| ok(&format!(r#"{{"currentVersion":"{version}"}}"#)))
    })
    .await;
    let client = client(&settings(&server.url, server.pinned()));
    for version in ["2.13.0", "2.14.0"] {
        assert_eq!(client.connect(&Permit::unlimited()).await.expect("a session").version(), version);
    }
}
