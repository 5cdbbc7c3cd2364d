//! What criterion has measured of pure code; `cargo bench --bench plan --bench permissions` does it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::figures::Figures;

/// Takes over the means, in milliseconds.
pub fn measure(figures: &mut Figures) {
    let folder = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from);
    collect(&folder.join("criterion"), figures);
}

fn collect(folder: &Path, figures: &mut Figures) {
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path.ends_with("new") {
            let read =
                |name: &str| -> Option<Value> { serde_json::from_str(&fs::read_to_string(path.join(name)).ok()?).ok() };
            if let (Some(benchmark), Some(estimates)) = (read("benchmark.json"), read("estimates.json"))
                && let (Some(name), Some(mean)) =
                    (benchmark["full_id"].as_str(), estimates["mean"]["point_estimate"].as_f64())
            {
                figures.set(name, mean / 1_000_000.0);
            }
        } else if path.is_dir() {
            collect(&path, figures);
        }
    }
}
