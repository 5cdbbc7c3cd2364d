//! What is believed and what is not, over the wire.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use super::server::{Received, Reply, Server, answer, failed, ok, on_connecting};
use super::{client, connected, create_group, refusal, settings};
use crate::core::failure::FailureKind;
use crate::core::ids::{AclPath, GroupId, RoleId, Subject};
use crate::core::write::{AclBatch, AclChange, Write};
use crate::https::settings::{Fingerprint, TlsSettings};
use crate::permit::Permit;

/// Connects, then answers everything else so.
async fn server(reply: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |request| on_connecting(request).unwrap_or_else(|| reply(request))).await
}

async fn written(server: &Server) -> FailureKind {
    let session = connected(&settings(&server.url, server.pinned())).await;
    let failure = session.write(&create_group()).await.expect_err("a failure");
    assert!(!failure.message.contains("docs.rs"), "{failure}");
    failure.kind
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = Server::start(|_| ok("[]")).await;
    let location = other.url.clone();
    let server = Server::start(move |_| {
        Reply::Raw(format!("HTTP/1.1 302 Found\r\nLocation: {location}/api2/json/version\r\nContent-Length: 0\r\n\r\n"))
    })
    .await;
    let mut settings = settings(&server.url, server.pinned());
    settings.tls.fingerprints.push(other.fingerprint);
    assert_eq!(refusal(&settings).await.kind, FailureKind::Unreachable);
    assert!(other.received().is_empty());
}

#[tokio::test]
async fn a_web_page_is_not_proxmox_ve() {
    for status in ["200 OK", "404 Not Found", "502 Bad Gateway"] {
        let server = Server::start(move |_| answer(status, "text/html", "<html>")).await;
        assert_eq!(refusal(&settings(&server.url, server.pinned())).await.kind, FailureKind::Unreachable, "{status}");
    }
}

#[tokio::test]
async fn a_write_without_an_answer_of_proxmox_ve_is_lost() {
    let page = server(|_| answer("502 Bad Gateway", "text/html", "<html>")).await;
    assert_eq!(written(&page).await, FailureKind::Lost);
    let empty = server(|_| answer("200 OK", "", "")).await;
    assert_eq!(written(&empty).await, FailureKind::Lost);
    let cut = server(|_| Reply::Cut).await;
    assert_eq!(written(&cut).await, FailureKind::Lost);
    let half = server(|_| {
        Reply::Half(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: 99\r\n\r\n{".into(),
        )
    })
    .await;
    assert_eq!(written(&half).await, FailureKind::Lost);
    for server in [page, empty, cut, half] {
        let writes = server.lines().into_iter().filter(|line| line == "POST /access/groups").count();
        assert_eq!(writes, 1, "a lost write is never sent again");
    }
}

#[tokio::test]
async fn an_answer_without_measure_is_not_read() {
    let server = Server::start(|_| {
        let kind = "Content-Type: application/json;charset=UTF-8";
        Reply::Half(format!("HTTP/1.1 200 OK\r\n{kind}\r\nContent-Length: 33554433\r\n\r\n{{"))
    })
    .await;
    let failure = refusal(&settings(&server.url, server.pinned())).await;
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(failure.message.contains("more than 33554432 bytes"), "{}", failure.message);
}

#[tokio::test]
async fn a_write_that_takes_too_long_is_lost() {
    let server = server(|_| Reply::Hang).await;
    let mut settings = settings(&server.url, server.pinned());
    settings.request_timeout = Duration::from_millis(300);
    let failure = connected(&settings).await.write(&create_group()).await.expect_err("a failure");
    assert_eq!(failure.kind, FailureKind::Lost);
    assert!(failure.message.contains("too long"), "{}", failure.message);
}

#[tokio::test]
async fn a_refused_connection_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let tls = TlsSettings { fingerprints: vec![Fingerprint::of(b"any")], ..TlsSettings::default() };
    let failure = refusal(&settings(&url, tls)).await;
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(failure.message.contains("refused"), "{}", failure.message);
}

#[tokio::test]
async fn a_write_whose_connection_is_refused_is_not_lost() {
    let mut server = Server::start(|request| match on_connecting(request) {
        Some(Reply::Raw(text)) => Reply::Half(text),
        _ => ok("null"),
    })
    .await;
    let session = connected(&settings(&server.url, server.pinned())).await;
    server.stop().await;
    let failure = session.write(&create_group()).await.expect_err("a failure");
    assert_eq!(failure.kind, FailureKind::Unreachable, "{failure}");
}

#[tokio::test]
async fn the_reason_of_the_status_line_is_read() {
    // The body of older versions has no message.
    let server = server(|_| {
        answer(
            "500 create group failed: group 'g1' already exists",
            "application/json;charset=UTF-8",
            r#"{"data":null}"#,
        )
    })
    .await;
    assert_eq!(written(&server).await, FailureKind::AlreadyExists);
}

#[tokio::test]
async fn the_next_endpoint_serves_when_one_cannot_and_is_kept() {
    let dead = Server::start(|_| answer("502 Bad Gateway", "text/html", "")).await;
    let alive = server(|_| ok("null")).await;
    let mut settings = settings(&dead.url, dead.pinned());
    settings.tls.fingerprints.push(alive.fingerprint);
    settings.endpoints.extend(alive.url.parse());
    let client = client(&settings);
    for _ in 0..2 {
        assert_eq!(client.connect(&Permit::unlimited()).await.expect("a session").endpoint(), alive.url);
    }
    let certificates = "GET /nodes/localhost/certificates/info";
    let asked = |server: &Server| server.lines().iter().filter(|line| *line == certificates).count();
    assert_eq!((asked(&dead), asked(&alive)), (1, 2));
    let versions = alive.lines().iter().filter(|line| *line == "GET /version").count();
    assert_eq!(versions, 1, "the version is read on connecting only");
}

#[tokio::test]
async fn a_refused_credential_is_not_tried_elsewhere() {
    let refusing = Server::start(|_| answer("401 Authentication failed!", "", "")).await;
    let alive = server(|_| ok("null")).await;
    let mut settings = settings(&refusing.url, refusing.pinned());
    settings.tls.fingerprints.push(alive.fingerprint);
    settings.endpoints.extend(alive.url.parse());
    assert_eq!(refusal(&settings).await.kind, FailureKind::Authentication);
    assert!(alive.received().is_empty());
}

#[tokio::test]
async fn of_several_failures_the_certificate_is_shown() {
    let dead = Server::start(|_| answer("502 Bad Gateway", "text/html", "")).await;
    let other = Server::start(|_| ok("null")).await;
    let mut settings = settings(&dead.url, dead.pinned());
    settings.endpoints.extend(other.url.parse());
    let failure = refusal(&settings).await;
    assert_eq!(failure.kind, FailureKind::Certificate);
    assert!(failure.message.starts_with("none of 2 endpoints works: "), "{}", failure.message);
    assert!(failure.message.contains(&other.fingerprint.to_string()), "{}", failure.message);
}

#[tokio::test]
async fn a_missing_subject_means_gone_only_for_a_single_entry() {
    let server = server(|_| failed(500, "ACL update failed: group 'a' does not exist")).await;
    let session = connected(&settings(&server.url, server.pinned())).await;
    let revoke = |groups: &[&str]| {
        Write::Acl(AclBatch {
            path: AclPath::root(),
            roles: [RoleId::observed("R")].into(),
            subjects: groups.iter().map(|group| Subject::Group(GroupId::observed(group))).collect(),
            change: AclChange::Revoke,
        })
    };
    let kind = async |write: Write| session.write(&write).await.expect_err("a failure").kind;
    assert_eq!(kind(revoke(&["a"])).await, FailureKind::Gone);
    assert_eq!(kind(revoke(&["a", "b"])).await, FailureKind::MissingReference);
}

/// Counts calls, and never lets go of the one that it is to stop at.
struct StopAt(&'static str, std::sync::Mutex<Vec<String>>);

impl crate::https::observer::CallObserver for StopAt {
    fn before<'a>(&'a self, call: &'a crate::https::observer::Call) -> futures::future::BoxFuture<'a, u64> {
        self.1.lock().expect("no panic").push(format!("{} {}", call.method, call.path));
        if call.path == self.0 { Box::pin(std::future::pending()) } else { Box::pin(std::future::ready(0)) }
    }
}

#[tokio::test]
async fn an_observer_can_stop_before_a_call() {
    let server = server(|_| ok("null")).await;
    let observer = Arc::new(StopAt("/access/groups", std::sync::Mutex::default()));
    let hook: Arc<dyn crate::https::observer::CallObserver> = observer.clone();
    let client = crate::pve::client::Client::new(&settings(&server.url, server.pinned()), &hook).expect("a client");
    let session = client.connect(&Permit::unlimited()).await.expect("a session");
    let write = tokio::time::timeout(Duration::from_millis(100), async { session.write(&create_group()).await }).await;
    assert!(write.is_err(), "it is stopped");
    assert!(!server.lines().contains(&"POST /access/groups".to_owned()));
    assert_eq!(observer.1.lock().expect("no panic").last().map(String::as_str), Some("POST /access/groups"));
}
