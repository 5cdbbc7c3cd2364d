//! `docs/performance.md`: the prose of `template.md` with tables made of the figures.

use std::fmt::Write as _;

use crate::figures::{All, Figures, NOW};

/// The program as it was before the slowest things were mended.
const BEFORE: &str = "before";

/// The page of some figures.
pub fn of(all: &All) -> String {
    let figures = Lookup { all, label: NOW };
    let mut page = include_str!("template.md").to_owned();
    for (place, table) in [
        ("converge", converge(&figures)),
        ("resync", resync(&figures)),
        ("restart", restart(&figures)),
        ("latency", latency(&figures)),
        ("connections", connections(&figures)),
        ("criterion", criterion(&figures)),
        ("profiles", profiles(all)),
        ("mended", mended(all)),
        ("targets", targets(&figures)),
        ("load", load(&figures)),
    ] {
        page = page.replace(&format!("<!-- {place} -->\n"), &table);
    }
    page
}

/// The figures of one label.
struct Lookup<'a> {
    all: &'a All,
    label: &'a str,
}

impl Lookup<'_> {
    fn scenario(&self, scenario: &str) -> Option<&Figures> {
        self.all.get(self.label)?.get(scenario)
    }

    fn get(&self, scenario: &str, name: &str) -> Option<f64> {
        self.scenario(scenario)?.get(name)
    }

    /// A figure as text, with three digits that mean something.
    fn text(&self, scenario: &str, name: &str) -> String {
        self.get(scenario, name).map_or_else(|| "not measured".to_owned(), short)
    }
}

/// Three digits, and all of a larger whole number.
fn short(value: f64) -> String {
    match value.abs() {
        it if it >= 100.0 || value.fract() == 0.0 => thousands(value),
        it if it >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut text = format!("| {} |\n|{}\n", heads.join(" | "), "---|".repeat(heads.len()));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

fn converge(figures: &Lookup<'_>) -> String {
    let rows = [100, 1000, 10_000].map(|entries| {
        let text = |name: &str| figures.text("converge", &format!("{entries}.{name}"));
        let get = |name: &str| figures.get("converge", &format!("{entries}.{name}"));
        let one_by_one = |name: &str| {
            let of = |what: &str| get(&format!("{name}.{what}"));
            let (Some(apply), Some(refresh), Some(sample)) = (of("apply_s"), of("refresh_s"), of("of")) else {
                return "not measured".to_owned();
            };
            let whole = format!("{} + {}", short(apply), short(refresh));
            let refused = of("refused").filter(|it| *it > 0.0);
            let refused = refused.map_or(String::new(), |it| format!(", {} refused", short(it)));
            if sample < f64::from(entries) {
                format!("{whole} for the last {}{refused}", short(sample))
            } else {
                format!("{whole}{refused}")
            }
        };
        vec![
            thousands(entries.into()),
            text("puts_s"),
            text("bare_s"),
            text("ratio"),
            text("whole_s"),
            one_by_one("single"),
            one_by_one("ten"),
            text("writes_each"),
            text("events_each"),
            text("peak_mib"),
        ]
    });
    let heads = [
        "entries",
        "operator, first to last PUT",
        "the same PUTs bare",
        "ratio",
        "operator, all Ready",
        "one at a time: apply + refresh",
        "ten at a time: apply + refresh",
        "Kubernetes writes for each",
        "Events for each",
        "MiB at most",
    ];
    table(&heads, rows)
}

fn resync(figures: &Lookup<'_>) -> String {
    let rows = [10, 100, 1000, 10_000].map(|objects| {
        let names = ["requests", "bytes", "pve_writes", "status_writes", "cpu_ms", "resident_mib", "peak_mib"];
        let texts = names.map(|name| figures.text("resync", &format!("{objects}.{name}")));
        std::iter::once(thousands(objects.into())).chain(texts).collect()
    });
    let heads = [
        "objects",
        "requests",
        "bytes of answers",
        "writes to Proxmox VE",
        "status writes",
        "CPU ms",
        "MiB resident",
        "MiB at most",
    ];
    table(&heads, rows)
}

fn restart(figures: &Lookup<'_>) -> String {
    let names = ["ready_s", "judged_s", "pve_writes", "status_writes", "resident_mib", "peak_mib"];
    let row = names.map(|name| figures.text("resync", &format!("restart.{name}")));
    let heads = [
        "s until readyz",
        "s until all are judged",
        "writes to Proxmox VE",
        "status writes",
        "MiB resident",
        "MiB at most",
    ];
    table(&heads, [row.to_vec()])
}

fn latency(figures: &Lookup<'_>) -> String {
    let row = ["samples", "p50_ms", "p99_ms", "max_ms"].map(|name| figures.text("latency", name));
    table(&["samples", "p50 ms", "p99 ms", "longest ms"], [row.to_vec()])
}

fn connections(figures: &Lookup<'_>) -> String {
    let whole = ["whole_s", "resident_mib", "peak_mib", "cpu_percent"].map(|name| figures.text("connections", name));
    let heads = ["s until all are Ready", "MiB resident", "MiB at most", "% of a CPU at rest"];
    let of = |which: &str| {
        let names = ["samples", "p50_ms", "p99_ms", "max_ms"].map(|name| format!("{which}.{name}"));
        names.map(|name| figures.text("connections", &name))
    };
    let times = [("while none hangs", "alone"), ("while one hangs", "beside")]
        .map(|(what, which)| std::iter::once(what.to_owned()).chain(of(which)).collect());
    table(&heads, [whole.to_vec()]) + "\n" + &table(&["", "samples", "p50 ms", "p99 ms", "longest ms"], times)
}

/// What criterion measures, by its names.
const CRITERIA: [(&str, &str); 8] = [
    ("plan of 100,000 entries/all to be made", "plan: 100,000 entries are to be made"),
    ("plan of 100,000 entries/all stand", "plan: 100,000 entries stand"),
    ("plan of 100,000 entries/an object for each stands", "plan: 100,000 objects whose entries stand"),
    ("batches/100,000 entries on 1,000 paths", "batching: 100,000 entries on 1,000 paths"),
    ("batches/10,000 entries on one path", "batching: 10,000 entries on one path"),
    ("10,000 users, 10,000 entries/everywhere, of one user", "all rights of one of 10,000 users with 10,000 entries"),
    (
        "10,000 users, 10,000 entries/from a snapshot to what rights follow from",
        "from such a snapshot to what rights follow from",
    ),
    ("10,000 users, 10,000 entries/all administrators, from a snapshot", "all administrators, from such a snapshot"),
];

fn criterion(figures: &Lookup<'_>) -> String {
    let rows = CRITERIA.map(|(name, what)| vec![what.to_owned(), figures.text("criterion", name)]);
    table(&["what", "ms"], rows)
}

/// What is compared between builds.
const COMPARED: [(&str, &str, &str); 6] = [
    ("resync", "binary_mib", "MiB of the program"),
    ("resync", "idle.resident_mib", "MiB idle"),
    ("resync", "1000.resident_mib", "MiB at 1,000 objects"),
    ("resync", "10000.resident_mib", "MiB at 10,000"),
    ("resync", "10000.peak_mib", "MiB at most"),
    ("resync", "10000.cpu_ms", "CPU ms of a resync at 10,000"),
];

fn profiles(all: &All) -> String {
    let others = all.keys().map(String::as_str).filter(|label| *label != NOW && *label != BEFORE);
    let rows = std::iter::once(NOW).chain(others).map(|label| {
        let figures = Lookup { all, label };
        let name = if label == NOW { "as it is" } else { label };
        std::iter::once(name.to_owned())
            .chain(COMPARED.map(|(scenario, name, _)| figures.text(scenario, name)))
            .collect()
    });
    let heads: Vec<&str> = std::iter::once("build").chain(COMPARED.map(|(_, _, head)| head)).collect();
    table(&heads, rows)
}

/// What became better.
const MENDED: [(&str, &str, &str); 5] = [
    ("resync", "10000.cpu_ms", "10,000 objects: CPU ms of a resync"),
    ("resync", "1000.resident_mib", "1,000 objects: MiB resident"),
    ("resync", "10000.resident_mib", "10,000 objects: MiB resident"),
    ("latency", "p50_ms", "a change among 10,000 objects: p50 ms"),
    ("latency", "p99_ms", "a change among 10,000 objects: p99 ms"),
];

fn mended(all: &All) -> String {
    let rows = MENDED.map(|(scenario, name, what)| {
        let texts = [BEFORE, NOW].map(|label| Lookup { all, label }.text(scenario, name));
        std::iter::once(what.to_owned()).chain(texts).collect()
    });
    table(&["what", "before", "now"], rows)
}

/// A number that is to be reached.
struct Target {
    what: &'static str,
    figure: (&'static str, &'static str),
    most: f64,
    unit: &'static str,
}

const fn target(what: &'static str, figure: (&'static str, &'static str), most: f64, unit: &'static str) -> Target {
    Target { what, figure, most, unit }
}

const TARGETS: [Target; 23] = [
    target("requests of a resync with 10 objects", ("resync", "10.requests"), 9.0, ""),
    target("requests of a resync with 10,000 objects", ("resync", "10000.requests"), 9.0, ""),
    target("writes to Proxmox VE in resyncs", ("resync", "10000.pve_writes"), 0.0, ""),
    target("status writes in resyncs", ("resync", "10000.status_writes"), 0.0, ""),
    target("100 entries, first to last PUT against bare ones", ("converge", "100.ratio"), 1.1, "×"),
    target("1,000 entries, the same", ("converge", "1000.ratio"), 1.1, "×"),
    target("10,000 entries, the same", ("converge", "10000.ratio"), 1.1, "×"),
    target("Kubernetes writes for a new object, beside Events", ("converge", "1000.writes_each"), 3.05, ""),
    target("Events for a new object", ("converge", "1000.events_each"), 1.05, ""),
    target("restart with 10,000 objects: writes to Proxmox VE", ("resync", "restart.pve_writes"), 0.0, ""),
    target("restart with 10,000 objects: status writes", ("resync", "restart.status_writes"), 0.0, ""),
    target("planning 100,000 entries", ("criterion", CRITERIA[0].0), 1000.0, "ms"),
    target("the same when all stand", ("criterion", CRITERIA[1].0), 1000.0, "ms"),
    target("the same with 100,000 objects", ("criterion", CRITERIA[2].0), 1000.0, "ms"),
    target("one changed object among 10,000 until Ready, p50", ("latency", "p50_ms"), 300.0, "ms"),
    target("the same, p99", ("latency", "p99_ms"), 1000.0, "ms"),
    target("memory, idle", ("resync", "idle.resident_mib"), 25.0, "MiB"),
    target("memory, 1,000 objects", ("resync", "1000.resident_mib"), 60.0, "MiB"),
    target("memory, 10,000 objects", ("resync", "10000.resident_mib"), 150.0, "MiB"),
    target("memory, 10,000 objects, at most", ("resync", "10000.peak_mib"), 150.0, "MiB"),
    target("memory while 10,000 objects are made, at most", ("converge", "10000.peak_mib"), 150.0, "MiB"),
    target("latency beside a connection that hangs against without, p50", ("connections", "ratio"), 1.2, "×"),
    target("the same, p99", ("connections", "worst_ratio"), 1.5, "×"),
];

fn targets(figures: &Lookup<'_>) -> String {
    let rows = TARGETS.map(|Target { what, figure: (scenario, name), most, unit }| {
        let text = |value: f64| format!("{} {unit}", short(value)).trim_end().to_owned();
        let measured = figures.get(scenario, name);
        let verdict = match measured {
            Some(it) if it <= most => "met",
            Some(_) => "**missed**",
            None => "not measured",
        };
        let most = if most == 0.0 { "0".to_owned() } else { format!("≤ {}", text(most)) };
        vec![what.to_owned(), most, measured.map_or_else(String::new, text), verdict.to_owned()]
    });
    table(&["what", "target", "measured", ""], rows)
}

fn load(figures: &Lookup<'_>) -> String {
    let scenarios = ["converge", "resync", "latency", "connections"];
    let row = scenarios.map(|scenario| figures.text(scenario, "load"));
    let took = scenarios.map(|scenario| figures.text(scenario, "took_s"));
    let first = |what: &str, texts: [String; 4]| std::iter::once(what.to_owned()).chain(texts).collect();
    let rows: [Vec<String>; 2] = [first("load when it began", row), first("s that it took", took)];
    table(&["", "converge", "resync", "latency", "connections"], rows)
}

/// Makes the page of all figures anew.
pub fn write() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/performance.md");
    std::fs::write(file, of(&crate::figures::all())).expect("a file");
}
