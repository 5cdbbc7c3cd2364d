//! What is released, and how: the image, its SBOM, the toolchain, the workflows, and what SECURITY.md promises.

#[expect(dead_code, reason = "only a part of it is used here")]
#[path = "../support/account.rs"]
mod account;
#[path = "../support/built.rs"]
mod built;
mod dns;
#[path = "../support/helm.rs"]
mod helm;
mod image;
mod sbom;
mod security;
#[path = "../support/mod.rs"]
mod support;
mod toolchain;
mod workflows;
#[expect(dead_code, reason = "only a part of it is used here")]
#[path = "../support/world/mod.rs"]
mod world;

use std::path::{Path, PathBuf};
use std::process::Command;

use helm::{done, errors};

/// A file or folder of the project.
fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The text of a file of the project.
fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Runs a command that must be refused; answers with what it says.
fn refused(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(!output.status.success(), "{command:?} is taken");
    errors(&output)
}
