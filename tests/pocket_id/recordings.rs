//! The recordings of the real Pocket ID in `tests/recordings-pocket-id`, replayed on the simulator.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::play::{Report, play};
use super::random::Random;
use super::rename::Letters;
use super::scenarios::scenarios;

/// The folder.
const FOLDER: &str = "recordings-pocket-id";
/// The recordings have so many names in requests and answers at least.
const LEAST_RENAMED: usize = 500;
/// So many at once.
const AT_ONCE: usize = 4;

/// Plays all scenarios, each on a simulator of its own, and fails with every difference.
async fn replay(scenarios: Vec<Value>) {
    let (at_once, mut tasks) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    for scenario in scenarios {
        let at_once = at_once.clone();
        tasks.spawn(async move {
            let _permit = at_once.acquire().await.expect("open");
            play(&scenario).await
        });
    }
    let mut total = Report::default();
    while let Some(report) = tasks.join_next().await {
        let report = report.expect("no panic");
        total.passed += report.passed;
        total.failures.extend(report.failures);
    }
    total.failures.sort();
    println!("{} passed, {} failed", total.passed, total.failures.len());
    assert!(total.failures.is_empty(), "\n{}", total.failures.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_simulator_answers_as_recorded() {
    replay(scenarios(FOLDER)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_simulator_answers_so_for_any_names() {
    let mut random = Random::new();
    let mut count = 0;
    let renamed = scenarios(FOLDER).into_iter().map(|scenario| {
        let mut letters = Letters::draw(&mut random);
        let renamed = letters.apply(&scenario);
        count += letters.changed();
        renamed
    });
    let renamed = renamed.collect();
    println!("{count} names changed");
    assert!(count > LEAST_RENAMED, "the renaming finds too little to say anything");
    replay(renamed).await;
}
