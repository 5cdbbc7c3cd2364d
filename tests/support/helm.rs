//! Helm, as `make helm` has built it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::built;

/// The name of the releases in these tests.
pub const RELEASE: &str = "proxmox-identity";

/// A file or folder of the chart.
pub fn chart(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/proxmox-identity").join(name)
}

/// `helm`, which knows no cluster and leaves nothing behind but in the build's folder.
pub fn helm() -> Command {
    let mut command = Command::new(built::program("helm", "HELM"));
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("helm");
    for variable in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        command.env(variable, &home);
    }
    command.env("KUBECONFIG", "/nonexistent");
    command
}

/// Runs a command that must work; answers with what it prints.
pub fn done(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}\n{}", errors(&output));
    String::from_utf8(output.stdout).expect("text")
}

/// What a command wrote about what went wrong.
pub fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What the chart renders with these more arguments.
pub fn rendered(arguments: &[&str]) -> Vec<Value> {
    let text = done(helm().args(["template", RELEASE]).arg(chart("")).args(arguments));
    let documents = serde_saphyr::from_multiple::<Value>(&text).expect("YAML");
    documents.into_iter().filter(|document| !document.is_null()).collect()
}
