//! From objects without entries to entries: against the same PUTs sent bare, and against one object at a time.

use std::time::{Duration, Instant};

use proxmox_identity::sim::Write;
use proxmox_identity::sim::pve::Options;

use crate::Scale;
use crate::apiserver::Writes;
use crate::bare::{Bare, first_to_last};
use crate::figures::{Figures, count};
use crate::fleet::{Fleet, Layout, recorded};
use crate::process;

/// What each entry that stands adds to a write, by the recordings: 6 ms without entries, 60 to 70 ms with 1,000.
const GROWTH: Duration = Duration::from_micros(60);

/// How many entries, and of how many it is measured what one object at a time costs.
pub const SIZES: [(usize, usize); 3] = [(100, 100), (1000, 1000), (10_000, 200)];

/// Measures all sizes.
pub async fn measure(scale: Scale, figures: &mut Figures) {
    let sizes = if scale == Scale::Smoke { &[(10, 10)] } else { SIZES.as_slice() };
    // Who finds the lock taken looks again the sooner where only counts are judged.
    let time_scale = if scale == Scale::Smoke { 0.05 } else { 1.0 };
    for &(entries, sample) in sizes {
        // With 10,000 entries a write would take 0.6 s, and this the whole day. Quick writes show the operator's own
        // share all the more.
        let growth = if entries <= 1000 { GROWTH } else { Duration::ZERO };
        let options = Options { write_latency_per_entry: growth, time_scale, ..recorded() };
        let puts = Box::pin(operator(entries, &options, figures)).await;
        let bare = Bare::new(options.clone()).await;
        let bare = bare.replay(&puts).await;
        figures.set(format!("{entries}.bare_s"), bare.as_secs_f64());
        let ours = first_to_last(&puts);
        figures.set(format!("{entries}.ratio"), ours.as_secs_f64() / bare.as_secs_f64());
        for (name, at_once) in [("single", 1), ("ten", 10)] {
            Box::pin(one_by_one(name, (entries, sample), at_once, &options, figures)).await;
        }
    }
}

/// The operator with that many objects; answers with its PUTs.
async fn operator(entries: usize, options: &Options, figures: &mut Figures) -> Vec<Write> {
    let mut fleet = Fleet::new(options.clone(), Layout::PathEach).await;
    fleet.grow_to(entries).await;
    let client = fleet.world.client.clone();
    let (writes, begun) = (Writes::until_now(&client).await, Instant::now());
    fleet.start_operator().await;
    fleet.all_ready().await;
    let took = begun.elapsed();
    let cpu = process::cpu(fleet.world.process());
    Writes::settled(&client).await;
    let writes = writes.since(&client).await;
    let puts: Vec<Write> = fleet.world.pve.requests().writes.into();
    assert_eq!(puts.len(), entries, "a PUT for each path");
    let of_each = |all: f64| all / count(entries);
    for (name, value) in [
        ("puts_s", first_to_last(&puts).as_secs_f64()),
        ("whole_s", took.as_secs_f64()),
        ("cpu_s", cpu.as_secs_f64()),
        ("writes_each", of_each(writes.patches)),
        ("events_each", of_each(writes.events)),
        ("peak_mib", process::memory(fleet.world.process()).peak),
    ] {
        figures.set(format!("{entries}.{name}"), value);
    }
    // A finalizer, the ledger and the outcome for each, and a few for the connection itself.
    assert!(writes.patches <= 3.0 * count(entries) + 10.0 && writes.events <= count(entries) + 10.0, "{writes:?}");
    puts
}

/// One object at a time: a PUT for each, and then a look at each, as applying and then planning again does.
async fn one_by_one(
    name: &str,
    (entries, sample): (usize, usize),
    at_once: usize,
    options: &Options,
    figures: &mut Figures,
) {
    let bare = Bare::new(options.clone()).await;
    if sample < entries {
        // Only the last ones are measured, when the file is as large as it gets; the others come to be without a wait.
        bare.fill(entries - sample).await;
    }
    let numbers = entries - sample..entries;
    let (apply, refresh) = (bare.apply(numbers.clone(), at_once).await, bare.refresh(numbers, at_once).await);
    for (what, value) in [
        ("apply_s", apply.took.as_secs_f64()),
        ("refresh_s", refresh.took.as_secs_f64()),
        ("refused", count(apply.refused)),
        ("of", count(sample)),
    ] {
        figures.set(format!("{entries}.{name}.{what}"), value);
    }
}
