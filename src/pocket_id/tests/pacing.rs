//! The rate limit is kept, and where it strikes all the same it is told.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use super::{UNHURRIED, UNPACED, connected, create_group, paced, raw, settings, settings_of, start};
use crate::core::failure::FailureKind;
use crate::https::tests::server::{Reply, Server};
use crate::permit::Permit;
use crate::pocket_id::pace::{Limit, Pacing};
use crate::sim::pocket_id::{Fault, FaultName, Options, Release, Simulator};

/// How much faster time passes here.
const FASTER: u32 = 100;

fn faster(limit: Limit) -> Limit {
    Limit { every: limit.every / FASTER, ..limit }
}

/// 2.9, which lets one request a second pass after the first 100.
async fn limited() -> Simulator {
    let options = Options { time_scale: 1.0 / f64::from(FASTER), limit_loopback: true, ..Options::default() };
    start(Options { release: Release::V2_9, ..options }).await
}

fn refused(simulator: &Simulator) -> u64 {
    simulator.requests().counts.iter().filter(|count| count.status == 429).map(|count| count.count).sum()
}

#[tokio::test]
async fn at_its_own_pace_the_client_is_never_refused() {
    let simulator = limited().await;
    let usual = Pacing::default();
    let pacing = Pacing { low: faster(usual.low), high: UNHURRIED, pause: usual.pause };
    let client = paced(&settings_of(&simulator), pacing);
    for _ in 0..200 {
        client.connect(&Permit::unlimited()).await.expect("a session");
    }
    assert_eq!(refused(&simulator), 0);
}

#[tokio::test]
async fn what_is_refused_is_sent_again_a_little_later() {
    let simulator = limited().await;
    let pacing = Pacing { pause: Duration::from_millis(1), ..UNPACED };
    let session = paced(&settings_of(&simulator), pacing).connect(&Permit::unlimited()).await.expect("a session");
    simulator.fault(Fault { status: 429, count: 2, ..Fault::new(FaultName::Status) });
    session.write(&create_group("admins")).await.expect("a group");
    let posts = simulator.requests().counts.into_iter().filter(|count| count.method == "POST");
    let posts: BTreeMap<u16, u64> = posts.map(|count| (count.status, count.count)).collect();
    assert_eq!(posts, BTreeMap::from([(201, 1), (429, 2)]));
}

/// Refuses all writes.
async fn stubborn(headers: &'static str, body: &'static str) -> Server {
    raw(move |request| {
        let length = body.len();
        let text = format!("HTTP/1.1 429 Too Many Requests\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
        request.line().starts_with("POST").then_some(Reply::Raw(text))
    })
    .await
}

#[tokio::test]
async fn a_refusal_that_stays_is_told_after_a_few_tries() {
    const JSON: &str = "Content-Type: application/json\r\n";
    for (headers, body, sent) in [
        (JSON, r#"{"error":"Too many requests"}"#, 4),
        ("Content-Type: application/json\r\nRetry-After: 0\r\n", r#"{"error":"Too many requests"}"#, 4),
        // By something in between.
        ("Content-Type: text/html\r\n", "<h1>slow down</h1>", 4),
        // Nobody waits for so long.
        ("Content-Type: application/json\r\nRetry-After: 3600\r\n", r#"{"error":"Too many requests"}"#, 1),
    ] {
        let server = stubborn(headers, body).await;
        let session = connected(&settings(&server.url, server.pinned())).await;
        let failure = session.write(&create_group("admins")).await.expect_err("a failure");
        assert_eq!(failure.kind, FailureKind::Unreachable, "nothing was changed: {failure}");
        assert!(failure.message.contains("rate limit"), "{failure}");
        assert_eq!(server.lines().iter().filter(|line| line.starts_with("POST")).count(), sent, "{headers}");
    }
}

#[tokio::test]
async fn after_a_refusal_everybody_waits_for_a_turn() {
    let refused = Mutex::new(false);
    let server = raw(move |request| {
        let first =
            request.line().starts_with("POST") && !std::mem::replace(&mut *refused.lock().expect("no panic"), true);
        first.then(|| Reply::Raw("HTTP/1.1 429 \r\nContent-Length: 0\r\n\r\n".to_owned()))
    })
    .await;
    let client = paced(&settings(&server.url, server.pinned()), UNPACED);
    let session = client.connect(&Permit::unlimited()).await.expect("a session");
    assert!(session.server.transport.pace.has_room());
    session.write(&create_group("admins")).await.expect_err("not there");
    assert!(!session.server.transport.pace.has_room());
}
