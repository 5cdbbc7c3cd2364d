//! Nothing is changed without a lease, nor for longer than it lasts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::server::{Reply, Server, ok, on_connecting};
use super::{client, create_group, settings};
use crate::core::failure::FailureKind;
use crate::core::ids::RealmId;
use crate::permit::{Grant, Permit};
use crate::pve::session::Session;

const LEASE: Duration = Duration::from_secs(2);

/// Answers reads, and never a write.
async fn silent() -> Server {
    Server::start(|request| on_connecting(request).unwrap_or(Reply::Hang)).await
}

async fn session(server: &Server) -> (Grant, Session) {
    let (grant, permit): (Grant, Permit) = Grant::begin(Instant::now() + LEASE, LEASE, &Arc::new(Notify::new()));
    let session = client(&settings(&server.url, server.pinned())).connect(&permit).await.expect("a session");
    (grant, session)
}

#[tokio::test]
async fn without_a_lease_nothing_that_changes_something_is_sent() {
    let server = Server::start(|request| on_connecting(request).unwrap_or_else(|| ok("null"))).await;
    let (grant, session) = session(&server).await;
    session.write(&create_group()).await.expect("a write with a lease");
    drop(grant);
    let before = server.lines().len();
    let failure = session.write(&create_group()).await.expect_err("a failure");
    assert_eq!(failure.kind, FailureKind::Unreachable, "{failure}");
    assert!(failure.message.contains("nothing was sent"), "{failure}");
    assert!(session.sync(&RealmId::observed("ldap")).await.is_err());
    assert_eq!(server.lines().len(), before);
}

#[tokio::test]
async fn a_write_without_an_answer_is_given_up_before_the_lease_runs_out() {
    let server = silent().await;
    let (_grant, session) = session(&server).await;
    let began = Instant::now();
    // A request may take 5 s here.
    let failure = session.write(&create_group()).await.expect_err("a failure");
    assert_eq!(failure.kind, FailureKind::Lost, "{failure}");
    assert!(began.elapsed() < LEASE, "{:?}", began.elapsed());
}
