//! Tokens and tickets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::server::{Received, Reply, Server, answer, failed, ok, on_connecting};
use super::{PASSWORD, UUID, client, connected, create_group, refusal, settings, ticket};
use crate::core::failure::FailureKind;
use crate::core::ids::{TokenId, UserId};
use crate::core::secret::Secret;
use crate::core::snapshot::Credential;
use crate::https::observer::{CallObserver, Unobserved};
use crate::https::settings::SettingsError;
use crate::permit::Permit;
use crate::pve::client::Client;
use crate::pve::config::{Auth, Settings};
use crate::pve::read::SnapshotScope;
use crate::pve::realms::RealmCache;

/// Gives tickets `T:1`, `T:2`, … and takes only the last one; asks for its token on writes.
async fn server() -> (Server, Arc<AtomicUsize>) {
    let given = Arc::new(AtomicUsize::new(0));
    let valid = Arc::clone(&given);
    let server = Server::start(move |request| {
        if request.line() == "POST /api2/json/access/ticket" {
            let number = given.fetch_add(1, Ordering::SeqCst) + 1;
            return ok(&format!(
                r#"{{"username":"u@pve","ticket":"T:{number}=","CSRFPreventionToken":"C:{number}","cap":{{}}}}"#
            ));
        }
        let number = given.load(Ordering::SeqCst);
        if request.header("cookie") != Some(format!("PVEAuthCookie=T%3A{number}%3D").as_str()) {
            return answer("401 Authentication failed!", "", "");
        }
        let token = request.header("csrfpreventiontoken");
        if !request.line().starts_with("GET") && token != Some(format!("C:{number}").as_str()) {
            return answer("401 Permission denied - invalid csrf token", "", "");
        }
        on_connecting(request).unwrap_or_else(|| data(request))
    })
    .await;
    (server, valid)
}

fn data(request: &Received) -> Reply {
    let object = request.line().ends_with("/permissions") || request.line().ends_with("/pam");
    ok(if object { "{}" } else { "[]" })
}

fn with_ticket(server: &Server) -> Settings {
    Settings { auth: ticket(), ..settings(&server.url, server.pinned()) }
}

fn logins(server: &Server) -> usize {
    server.lines().iter().filter(|line| *line == "POST /access/ticket").count()
}

#[tokio::test]
async fn a_token_is_sent_in_its_header() {
    let server = Server::start(|request| on_connecting(request).expect("only connecting")).await;
    connected(&settings(&server.url, server.pinned())).await;
    let header = format!("PVEAPIToken=ops@pve!full={UUID}");
    assert!(server.received().iter().all(|request| request.header("authorization") == Some(header.as_str())));
    let session = connected(&settings(&server.url, server.pinned())).await;
    assert_eq!(session.credential(), Credential::Token(TokenId::observed("ops@pve!full")));
}

#[tokio::test]
async fn the_id_of_a_token_is_encoded_where_a_header_needs_it() {
    let server = Server::start(|request| on_connecting(request).expect("only connecting")).await;
    let auth = Auth::Token { token: TokenId::observed("ä%@pve!full"), secret: Secret::new(UUID) };
    connected(&Settings { auth, ..settings(&server.url, server.pinned()) }).await;
    let header = format!("PVEAPIToken=%C3%A4%25@pve!full={UUID}");
    assert_eq!(server.received().first().and_then(|request| request.header("authorization")), Some(header.as_str()));
}

#[tokio::test]
async fn a_refused_token_is_not_tried_again() {
    let server = Server::start(|_| answer("401 Authentication failed!", "", "")).await;
    assert_eq!(refusal(&settings(&server.url, server.pinned())).await.kind, FailureKind::Authentication);
    assert!(server.received().len() <= 2, "the two reads of connecting, once each");
}

#[tokio::test]
async fn a_password_is_sent_once_and_the_ticket_after_that() {
    let (server, _) = server().await;
    let session = connected(&with_ticket(&server)).await;
    assert_eq!(session.credential(), Credential::User(UserId::observed("u@pve")));
    session.snapshot(&SnapshotScope::default(), &RealmCache::default()).await.expect("a snapshot");
    session.write(&create_group()).await.expect("a write with its CSRF token");
    assert_eq!(logins(&server), 1);
    let login = server.received().into_iter().find(|request| request.line().contains("ticket")).expect("a login");
    assert_eq!(login.body(), "username=u%40pve&password=canary-pass+word%25%26");
    assert_eq!((login.header("authorization"), login.header("cookie")), (None, None));
    let reads = server.received().into_iter().filter(|request| request.line().starts_with("GET"));
    assert!(reads.into_iter().all(|request| request.header("csrfpreventiontoken").is_none()));
}

#[tokio::test]
async fn a_ticket_that_is_refused_is_renewed_once_for_all() {
    let (server, valid) = server().await;
    let session = connected(&with_ticket(&server)).await;
    valid.store(7, Ordering::SeqCst);
    session.snapshot(&SnapshotScope::default(), &RealmCache::default()).await.expect("a snapshot");
    assert_eq!(logins(&server), 2);
    valid.store(20, Ordering::SeqCst);
    session.write(&create_group()).await.expect("a write");
    assert_eq!(logins(&server), 3);
}

#[tokio::test]
async fn a_ticket_is_renewed_before_it_ends() {
    let (server, _) = server().await;
    let observer: Arc<dyn CallObserver> = Arc::new(Unobserved);
    let client = Client::renewing(&with_ticket(&server), &observer, Duration::from_millis(50)).expect("a client");
    let session = client.connect(&Permit::unlimited()).await.expect("a session");
    tokio::time::sleep(Duration::from_millis(60)).await;
    session.write(&create_group()).await.expect("a write");
    assert!(logins(&server) >= 2);
    let refused = server.received().iter().filter(|request| request.header("cookie").is_none()).count();
    assert_eq!(refused, logins(&server), "no request was made without a ticket");
}

#[tokio::test]
async fn a_refused_password_is_an_authentication_failure_for_all_who_wait() {
    let server = Server::start(|_| failed(401, "authentication failure")).await;
    let failure = refusal(&with_ticket(&server)).await;
    assert_eq!(failure.kind, FailureKind::Authentication);
    assert_eq!(logins(&server), 1);
    assert!(!failure.message.contains(PASSWORD));
}

#[tokio::test]
async fn a_second_factor_is_said_to_be_in_the_way() {
    let server =
        Server::start(|_| ok(r#"{"username":"u@pve","ticket":"PVE:!tfa!x","CSRFPreventionToken":"C","NeedTFA":1}"#))
            .await;
    let failure = refusal(&with_ticket(&server)).await;
    assert_eq!(failure.kind, FailureKind::Authentication);
    assert!(failure.message.contains("second factor"), "{}", failure.message);
}

#[test]
fn a_token_is_read_from_a_secret_with_one_line_break_at_most() {
    for text in ["ops@pve!full=UUID", "ops@pve!full=UUID\n", "ops@pve!full=UUID\r\n"] {
        let auth = Auth::token(&text.replace("UUID", UUID)).expect(text);
        let expected = Auth::Token { token: TokenId::observed("ops@pve!full"), secret: Secret::new(UUID) };
        assert_eq!(auth, expected);
    }
    let bad = [
        "",
        "UUID",
        "ops@pve!full UUID",
        " ops@pve!full=UUID",
        "ops@pve!full=UUID ",
        "ops@pve!full=UUID\n\n",
        "ops@pve=UUID",
        "PVEAPIToken=ops@pve!full=UUID",
    ];
    for text in bad {
        let error = Auth::token(&text.replace("UUID", UUID)).expect_err(text);
        assert!(matches!(error, SettingsError::Token(_)) && !error.to_string().contains(UUID), "{error}");
    }
    let upper = Auth::token(&format!("ops@pve!full={}", UUID.to_uppercase())).expect_err("upper case");
    assert!(upper.to_string().contains("lower case"), "{upper}");
}

#[tokio::test]
async fn nothing_is_sent_before_connecting() {
    let (server, _) = server().await;
    drop(client(&with_ticket(&server)));
    assert!(server.received().is_empty());
}
