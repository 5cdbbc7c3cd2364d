//! Many walks side by side, and the scripts of those that went wrong once.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use futures::future::join_all;

use crate::ground;
use crate::random::Random;
use crate::script;
use crate::stage::{KINDS, Tally};
use crate::walk::{Found, play, shrunk, walk};

/// So many worlds at once: with more of them each would declare so slowly that every declaration had a pass of its own.
const WORLDS: usize = 3;

/// So many declarations in one world.
const STRETCH: usize = 400;

/// So far it goes where nobody says how far.
const SHORT: usize = 2000;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}: {text} is no number")))
}

/// Walks from a seed, so many declarations in all. The same seed makes the same walks in the same worlds; what the operator
/// does meanwhile may differ.
async fn walk_all(seed: u64, declarations: usize) -> Vec<String> {
    let client = ground::client().await;
    let begun = Instant::now();
    println!("WALK_SEED={seed} WALK_DECLARATIONS={declarations} cargo test --test walks");
    let mut random = Random::new(seed);
    let count = declarations.div_ceil(STRETCH).max(1);
    let walks: Vec<Random> = (0..count).map(|_| random.fork()).collect();
    let (next, total) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    let (known, told) = (Mutex::new(BTreeSet::new()), Mutex::new(Vec::new()));
    let only = variable("WALK_ONLY").map(|only| usize::try_from(only).expect("a number"));
    let worker = async || {
        while let Some((number, random)) = {
            let number = next.fetch_add(1, Ordering::SeqCst);
            walks.get(number).map(|random| (number, random.clone()))
        } {
            if only.is_some_and(|only| only != number) {
                continue;
            }
            let (tally, found) = walk(&client, random, STRETCH.min(declarations)).await;
            {
                let mut total = total.lock().expect("no panic");
                total.add(tally);
                if number % 20 == 19 {
                    let (declared, seconds) = (total.taken + total.refused, begun.elapsed().as_secs());
                    println!("walk {number} of {count}: {declared} declarations in {seconds} s");
                }
            }
            let Some(found) = found else { continue };
            println!("walk {number}: {}: {}", found.divergence.class, found.divergence.detail);
            if known.lock().expect("no panic").insert(found.divergence.class.clone()) {
                let text = tell(&client, seed, number, &found).await;
                println!("{text}");
                told.lock().expect("no panic").push(text);
            }
        }
    };
    join_all((0..WORLDS).map(|_| worker())).await;
    let total = total.into_inner().expect("no panic");
    let seconds = begun.elapsed().as_secs_f64();
    println!("{}", total.report(seconds));
    let mut told = told.into_inner().expect("no panic");
    if only.is_none() {
        told.extend(total.lacks());
    }
    told.extend(ground::judge_log().err().map(|found| format!("{}: {}", found.class, found.detail)));
    told
}

/// What went wrong, with the shortest script that goes wrong so.
async fn tell(client: &kube::Client, seed: u64, number: usize, found: &Found) -> String {
    let head = format!("# {} (seed {seed}, walk {number})", found.divergence.class);
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("walk-{seed}-{number}.txt"));
    std::fs::write(&kept, format!("{head}\n{}", script::write(&found.script))).expect("a file");
    std::fs::write(kept.with_extension("log"), &found.told).expect("a file");
    println!("walk {number}: as it was: {}", kept.display());
    let (how, script) = match shrunk(client, found).await {
        Some(script) => ("", script::write(&script)),
        None => ("# it did not happen again; as it was:\n", script::write(&found.script)),
    };
    format!("{head}\n# {}\n{how}{script}", found.divergence.detail.replace('\n', " "))
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.taken += other.taken;
        self.refused += other.refused;
        self.edits += other.edits;
        self.rests += other.rests;
        for (message, count) in other.refusals {
            *self.refusals.entry(message).or_default() += count;
        }
        for (reason, count) in other.reasons {
            *self.reasons.entry(reason).or_default() += count;
        }
    }

    /// What would make all of it say nothing: of some kind nothing ever came to be as it was declared.
    fn lacks(&self) -> Vec<String> {
        let comes_to_be = |kind: &&str| self.reasons.contains_key(&((*kind).to_owned(), "Succeeded".to_owned()));
        let never = KINDS.iter().filter(|kind| !comes_to_be(kind));
        never.map(|kind| format!("no {kind} was ever Ready")).collect()
    }

    fn report(&self, seconds: f64) -> String {
        let declared = self.taken + self.refused;
        let well_meant: usize = self.refusals.values().sum();
        let mut lines = vec![format!(
            "{declared} declarations, {} taken and {} refused, {well_meant} of these meant well; {} edits in Proxmox VE; \
             {} times at rest; {seconds:.0} s",
            self.taken, self.refused, self.edits, self.rests
        )];
        lines.extend(self.reasons.iter().map(|((kind, reason), count)| format!("  {kind} {reason}: {count}")));
        let mut refusals: Vec<_> = self.refusals.iter().collect();
        refusals.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        lines.extend(refusals.into_iter().take(12).map(|(message, count)| format!("  refused {count}: {message}")));
        lines.join("\n")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn walks_find_nothing() {
    if let Some(file) = std::env::var_os("WALK_PLAY") {
        let script = script::read(&std::fs::read_to_string(file).expect("a script"));
        let divergence = play(&ground::client().await, &script).await.expect("it goes wrong");
        let found = Found { divergence, script, told: String::new() };
        panic!("{}", tell(&ground::client().await, 0, 0, &found).await);
    }
    let declarations = variable("WALK_DECLARATIONS").map(|count| usize::try_from(count).expect("a number"));
    let fresh = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let found = match (variable("WALK_SEED"), declarations) {
        (None, None) => [walk_all(1, SHORT / 2).await, walk_all(fresh, SHORT / 2).await].concat(),
        (seed, declarations) => walk_all(seed.unwrap_or(fresh), declarations.unwrap_or(SHORT)).await,
    };
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What was found once goes well since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_found_is_mended() {
    let client = ground::client().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/walks/found");
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let scripts: Vec<_> = files.filter(|file| file.extension().is_some_and(|it| it == "txt")).collect();
    let played = scripts.iter().map(async |file| {
        let script = script::read(&std::fs::read_to_string(file).expect("a script"));
        play(&client, &script).await.map(|found| format!("{}: {}: {}", file.display(), found.class, found.detail))
    });
    let wrong: Vec<String> = join_all(played).await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
