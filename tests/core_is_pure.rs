//! The core decides and never acts: no client, no runtime, no clock, no I/O in its code.

use std::fs;
use std::path::Path;

/// What `src/core` must not name.
const FORBIDDEN: [&str; 11] = [
    "tokio",
    "reqwest",
    "hyper",
    "kube::Client",
    "kube::Api",
    "kube::runtime",
    "std::fs",
    "std::net",
    "Instant::now",
    "SystemTime",
    "Timestamp::now",
];

fn sources(dir: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_core_names_no_client_runtime_clock_or_io() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/core"), &mut files);
    assert!(files.len() > 10, "the core was found");
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file");
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for name in FORBIDDEN {
                assert!(!line.contains(name), "{}:{} names {name}", file.display(), number + 1);
            }
        }
    }
}
