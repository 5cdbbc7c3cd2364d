//! Killed before or after any call to another system, the operator goes on where it was: same end, nothing left behind,
//! nothing made twice.

#[expect(dead_code, reason = "only a part of it is used here")]
#[path = "../support/account.rs"]
mod account;
#[expect(dead_code, reason = "only a part of it is used here")]
#[path = "../support/both.rs"]
mod both;
#[path = "../support/built.rs"]
mod built;
#[path = "../support/canary.rs"]
mod canary;
mod census;
mod death;
#[path = "../support/helm.rs"]
mod helm;
mod life;
mod objects;
mod standing;
#[path = "../support/mod.rs"]
mod support;
#[expect(dead_code, reason = "only a part of it is used here")]
#[path = "../support/world/mod.rs"]
mod world;
mod written;

use std::panic::AssertUnwindSafe;

use futures::{FutureExt, StreamExt};
use proxmox_identity::sim::{pocket_id, pve};

use crate::census::Census;
use crate::life::{Call, Releases, Side, live};

/// So many lives go on at once: most of each is waiting.
const AT_ONCE: usize = 4;

/// So many points of a life are tried, if not all are asked for.
const SAMPLE: usize = 20;

/// The variable that asks for all points.
const ALL: &str = "KILL_EVERYWHERE";

/// The variable that asks for the points whose call has this in it.
const ONLY: &str = "KILL_ONLY";

async fn killed_anywhere_it_ends_the_same(releases: Releases) {
    let clean = live(releases, None, None).await;
    let calls = clean.calls.len();
    assert!(calls > 150 && !clean.was_killed, "a life makes only {calls} calls");
    let points = points(&Call::each(&clean.calls));
    assert!(!points.is_empty(), "no call is called so");
    let mut census = Census::new(releases, points.len());
    let mut lives = futures::stream::iter(points)
        .map(async |(call, side)| {
            // One that fails does not end the others.
            let life = AssertUnwindSafe(live(releases, Some((&call, side)), Some(&clean))).catch_unwind().await;
            (call, side, life)
        })
        .buffer_unordered(AT_ONCE);
    while let Some((call, side, outcome)) = lives.next().await {
        match outcome {
            Ok(life) => census.count(call, side, life.was_killed, life.wrote_more_than(&clean)),
            Err(_) => census.failed(&call, side),
        }
    }
    census.tell(calls);
}

/// All points of a life with these calls, or a sample of those where something was about to change or had just changed.
fn points(calls: &[Call]) -> Vec<(Call, Side)> {
    let sides = |call: &Call| [(call.clone(), Side::Before), (call.clone(), Side::After)];
    if let Ok(only) = std::env::var(ONLY) {
        return calls.iter().filter(|call| call.to_string().contains(&only)).flat_map(sides).collect();
    }
    if std::env::var_os(ALL).is_some() {
        return calls.iter().flat_map(sides).collect();
    }
    let changes = calls.iter().filter(|call| !call.what.starts_with("GET"));
    let points: Vec<(Call, Side)> = changes.flat_map(sides).collect();
    (0..SAMPLE).map(|sample| points[sample * points.len() / SAMPLE + sample % 2].clone()).collect()
}

#[tokio::test]
async fn killed_anywhere_with_the_newest_releases_it_ends_the_same() {
    let releases = Releases { pve: pve::Release::default(), pocket_id: pocket_id::Release::V2_14 };
    killed_anywhere_it_ends_the_same(releases).await;
}

#[tokio::test]
async fn killed_anywhere_with_releases_that_cannot_replace_a_secret_it_ends_the_same() {
    let releases = Releases { pve: pve::Release::V9_1, pocket_id: pocket_id::Release::V2_9 };
    killed_anywhere_it_ends_the_same(releases).await;
}
