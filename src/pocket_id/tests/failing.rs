//! What does not come back, and what must not be sent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::{
    client, connected, create_client, create_group, everything, failed, ok, raw, settings, settings_of, simulator,
};
use crate::core::failure::FailureKind::{
    AlreadyExists, Authentication, Forbidden, Gone, Invalid, Lost, Other, Unreachable,
};
use crate::core::pocket_id::ids::ClientId;
use crate::core::pocket_id::snapshot::Scope;
use crate::core::pocket_id::write::Write;
use crate::https::message::MAX_MESSAGE;
use crate::https::tests::server::{Received, Reply, answer};
use crate::permit::{Grant, Permit};
use crate::pocket_id::details::Details;
use crate::sim::pocket_id::{Fault, FaultName, Release};

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_never_sent_again() {
    let cut = || Fault::new(FaultName::Cut);
    let faults = [
        (cut(), true),
        (Fault { before: true, ..cut() }, false),
        // What a proxy says that lost the server.
        (Fault::new(FaultName::Status), false),
    ];
    for (fault, took_effect) in faults {
        let simulator = simulator(Release::V2_9).await;
        let session = connected(&settings_of(&simulator)).await;
        simulator.fault(fault.clone());
        let failure = session.write(&create_group("admins")).await.expect_err("a failure");
        assert_eq!(failure.kind, Lost, "{fault:?}: {failure}");
        assert_eq!(simulator.requests().count("POST", "/api/user-groups"), 1, "{fault:?}");
        assert_eq!(everything(&session).await.group_named("admins").is_some(), took_effect, "{fault:?}");
    }
}

#[tokio::test]
async fn a_secret_whose_answer_is_lost_is_not_asked_for_elsewhere() {
    let simulator = simulator(Release::V2_14).await;
    let session = connected(&settings_of(&simulator)).await;
    session.write(&create_client("pve")).await.expect("a client");
    simulator.fault(Fault::new(FaultName::Cut));
    let failure = session.write(&Write::IssueSecret(ClientId::observed("pve"))).await.expect_err("a failure");
    assert_eq!(failure.kind, Lost, "{failure}");
    assert_eq!(simulator.requests().count("POST", "/api/oidc/clients/pve/secret"), 1);
}

fn is_on_connecting(request: &Received) -> bool {
    request.line().ends_with("/api/version/current") || request.line().contains("/.well-known/")
}

#[tokio::test]
async fn answers_mean_what_pocket_id_means_by_them() {
    let coded = |status: &str, code: &str| {
        let body = format!(r#"{{"error":"In other words","code":"{code}","request_id":"1"}}"#);
        answer(status, "application/json; charset=utf-8", &body)
    };
    let cases = [
        (failed(404, "Record not found"), Gone, Gone),
        (coded("404 Not Found", "not_found"), Gone, Gone),
        (failed(404, "API endpoint not found"), Unreachable, Unreachable),
        (answer("404 Not Found", "text/plain", "404 page not found"), Unreachable, Lost),
        (failed(401, "You are not signed in"), Authentication, Authentication),
        (failed(403, "User account is disabled"), Authentication, Authentication),
        (failed(403, "You don't have permission to perform this action"), Forbidden, Forbidden),
        (answer("403 Forbidden", "text/html", "<h1>denied</h1>"), Unreachable, Lost),
        (failed(400, "Name is required"), Invalid, Invalid),
        (failed(400, "Name is already in use"), AlreadyExists, AlreadyExists),
        (coded("409 Conflict", "another_one"), AlreadyExists, AlreadyExists),
        (failed(415, "Content-Type must be application/json"), Invalid, Invalid),
        (failed(500, "Something went wrong"), Other, Other),
        (answer("500", "text/plain", "oops"), Unreachable, Lost),
        (failed(503, "no backend"), Unreachable, Lost),
        (answer("200 OK", "text/html", "<title>Pocket ID</title>"), Unreachable, Lost),
        (answer("307 Temporary Redirect", "", ""), Unreachable, Lost),
        (Reply::Half("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_owned()), Unreachable, Lost),
        (ok("[]"), Other, Lost),
    ];
    for (number, (reply, read, write)) in cases.into_iter().enumerate() {
        let server = raw(move |request| (!is_on_connecting(request)).then(|| reply.clone())).await;
        let session = connected(&settings(&server.url, server.pinned())).await;
        let of_read = session.snapshot(&Scope::default(), &mut Details::default()).await.expect_err("a failure");
        let of_write = session.write(&create_group("admins")).await.expect_err("a failure");
        assert_eq!((of_read.kind, of_write.kind), (read, write), "{number}: {of_read}; {of_write}");
    }
}

#[tokio::test]
async fn a_message_is_one_short_line() {
    let server =
        raw(|request| request.line().starts_with("POST").then(|| failed(400, &"long\u{7} ".repeat(200)))).await;
    let session = connected(&settings(&server.url, server.pinned())).await;
    let failure = session.write(&create_group("admins")).await.expect_err("a failure");
    assert_eq!(failure.message.chars().count(), MAX_MESSAGE);
    assert!(!failure.message.contains('\u{7}'), "{failure}");
}

#[tokio::test]
async fn without_a_lease_nothing_that_changes_something_is_sent() {
    let lease = Duration::from_secs(30);
    let simulator = simulator(Release::V2_9).await;
    let (grant, permit): (Grant, Permit) = Grant::begin(Instant::now() + lease, lease, &Arc::new(Notify::new()));
    let session = client(&settings_of(&simulator)).connect(&permit).await.expect("a session");
    session.write(&create_group("admins")).await.expect("a write with a lease");
    drop(grant);
    let failure = session.write(&create_group("others")).await.expect_err("a failure");
    assert_eq!(failure.kind, Unreachable, "{failure}");
    assert!(failure.message.contains("nothing was sent"), "{failure}");
    assert_eq!(simulator.requests().writes.len(), 1);
}
