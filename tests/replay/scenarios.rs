//! Reading recordings.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// All scenarios of a folder of `tests`, by name.
pub fn scenarios(folder: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut files: Vec<PathBuf> =
        folder.read_dir().expect("recordings").map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let read = |file: &PathBuf| {
        let text = std::fs::read_to_string(file).expect("a readable recording");
        serde_json::from_str::<Value>(&text).expect("a recording")
    };
    files.iter().map(read).collect()
}
