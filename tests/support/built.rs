//! Programs that `make` builds once from Go modules, into a cache that `cargo clean` spares.

use std::path::{Path, PathBuf};
use std::{env, fs};

use sha2::{Digest, Sha256};

/// The program of `tests/<name>/build.sh`; or the one that a variable names.
pub fn program(name: &str, variable: &str) -> PathBuf {
    if let Some(program) = env::var_os(variable) {
        return program.into();
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name);
    let entries = fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut sources: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|it| it == "go")).collect();
    sources.sort();
    // As tests/build-once.sh.
    let mut digest = Sha256::new();
    for file in ["go.sum", "build.sh", "../build-once.sh"].map(|name| folder.join(name)).iter().chain(&sources) {
        digest.update(fs::read(file).expect("a file"));
    }
    let version = digest.finalize().iter().take(8).fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .unwrap_or_default();
    let program = cache.join("proxmox-identity").join(name).join(version).join(name);
    assert!(program.is_file(), "no {}: run `make {name}`, or set {variable}", program.display());
    program
}
