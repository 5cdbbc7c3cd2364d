//! What the operator costs: its own process on a real control plane, against simulators of Proxmox VE.
//!
//! `cargo bench --bench scale -- [SCENARIO…]` measures, keeps the figures in `figures.json`, and writes
//! `docs/performance.md` from them; with `--as LABEL --program PATH` another build of the operator, for comparison. Under
//! `cargo test` all scenarios run small, and only what they count is judged.

#[path = "../../tests/support/account.rs"]
#[expect(dead_code, reason = "only a part of it is used here")]
mod account;
mod apiserver;
mod bare;
#[path = "../../tests/support/built.rs"]
mod built;
mod connections;
mod converge;
mod criteria;
mod figures;
mod fleet;
#[path = "../../tests/support/helm.rs"]
mod helm;
mod latency;
mod page;
mod process;
mod resync;
#[path = "../../tests/support/mod.rs"]
mod support;
#[path = "../../tests/support/world/mod.rs"]
#[expect(dead_code, reason = "only a part of it is used here")]
mod world;

use std::path::PathBuf;
use std::time::Instant;

use figures::{Figures, NOW};

/// How large scenarios are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// As many as the page tells of.
    Full,
    /// As few as show that the rig works.
    Smoke,
}

/// Everything that can be measured, in the order of the page.
const SCENARIOS: [&str; 5] = ["converge", "resync", "latency", "connections", "criterion"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // cargo says so to whatever it runs with `cargo bench`.
    let scale = if arguments.iter().any(|it| it == "--bench") { Scale::Full } else { Scale::Smoke };
    let words: Vec<&str> = arguments.iter().map(String::as_str).filter(|it| *it != "--bench").collect();
    let (label, named) = match words.as_slice() {
        ["--as", label, "--program", program, named @ ..] => {
            fleet::OTHER_PROGRAM.set(PathBuf::from(program)).expect("nobody has set it");
            (*label, named)
        }
        named => (NOW, named),
    };
    if scale == Scale::Full && named == ["page"] {
        return page::write();
    }
    if scale == Scale::Full
        && let Some(unknown) = named.iter().find(|it| !SCENARIOS.contains(it))
    {
        eprintln!("there is no {unknown}; there are {}", SCENARIOS.join(", "));
        std::process::exit(2);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    // Ten thousand objects take a while to make: one scenario leaves them to the next.
    let mut left = None;
    for scenario in SCENARIOS.into_iter().filter(|it| named.is_empty() || named.contains(it)) {
        let (mut figures, begun) = (Figures::default(), Instant::now());
        eprintln!("{scenario}: load {:.1}", process::load());
        figures.set("load", process::load());
        runtime.block_on(async {
            match scenario {
                "converge" => Box::pin(converge::measure(scale, &mut figures)).await,
                "resync" => left = Some(Box::pin(resync::measure(scale, &mut figures)).await),
                "latency" => Box::pin(latency::measure(scale, left.take(), &mut figures)).await,
                "connections" => Box::pin(connections::measure(scale, &mut figures)).await,
                _ => criteria::measure(&mut figures),
            }
        });
        figures.set("took_s", begun.elapsed().as_secs_f64());
        eprint!("{figures}");
        if scale == Scale::Full {
            figures::keep(label, scenario, figures);
            page::write();
        }
    }
}
