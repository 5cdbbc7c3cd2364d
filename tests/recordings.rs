//! The recordings of the real PVE API in `tests/recordings`, replayed on the simulator.

mod replay;

use std::sync::Arc;

use replay::random::Random;
use replay::rename::Names;
use replay::scenarios::scenarios;
use replay::{Report, play};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// The user of the recorded tickets.
const TICKET_USER: &str = "u@pve";
/// The recordings create more ids than this.
const LEAST_RENAMED: usize = 200;
/// The recordings have so many answers about permissions at least.
const LEAST_PERMISSIONS: usize = 30;
/// So many at once.
const AT_ONCE: usize = 8;

/// Plays all scenarios at once, each on a simulator of its own, and fails with every difference.
async fn replay(scenarios: Vec<(Value, String)>) {
    let (at_once, mut tasks) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    for (scenario, ticket_user) in scenarios {
        let at_once = at_once.clone();
        tasks.spawn(async move {
            let _permit = at_once.acquire().await.expect("open");
            play(&scenario, &ticket_user).await
        });
    }
    let mut total = Report::default();
    while let Some(report) = tasks.join_next().await {
        let report = report.expect("no panic");
        total.passed += report.passed;
        total.permissions += report.permissions;
        total.failures.extend(report.failures);
    }
    total.failures.sort();
    println!("{} passed, {} failed", total.passed, total.failures.len());
    println!("{} answers about permissions are what the model makes of the lists", total.permissions);
    assert!(total.permissions >= LEAST_PERMISSIONS, "there is too little about permissions to say anything");
    assert!(total.failures.is_empty(), "\n{}", total.failures.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_simulator_answers_as_recorded() {
    replay(scenarios("recordings").into_iter().map(|scenario| (scenario, TICKET_USER.to_owned())).collect()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_simulator_answers_so_for_any_names() {
    let mut random = Random::new();
    let mut count = 0;
    // The people of a directory have the names that they have there.
    let renamable = scenarios("recordings").into_iter().filter(|scenario| !replay::needs_directory(scenario));
    let renamed = renamable.map(|scenario| {
        let names = Names::draw(&scenario, &mut random);
        count += names.count();
        (names.apply(&scenario), names.user(TICKET_USER))
    });
    let renamed = renamed.collect();
    println!("{count} ids renamed");
    assert!(count > LEAST_RENAMED, "the renaming finds too little to say anything");
    replay(renamed).await;
}
