//! Helm and the chart.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use proxmox_identity::sim::control_plane::ControlPlane;
use serde_json::Value;
use tempfile::TempDir;

#[path = "../support/helm.rs"]
mod program;

use program::errors;
pub use program::{RELEASE, chart, done, helm, rendered};

/// The values for each of the main variants, by their names.
pub fn variants() -> Vec<(String, PathBuf)> {
    let files = fs::read_dir(chart("ci")).expect("values").map(|entry| entry.expect("an entry").path());
    let name = |path: &PathBuf| path.file_name().expect("a name").to_string_lossy().replace("-values.yaml", "");
    let mut variants: Vec<_> = files.map(|path| (name(&path), path)).collect();
    variants.sort();
    assert!(!variants.is_empty());
    variants
}

/// `helm` for a control plane.
pub fn helm_on(plane: &ControlPlane) -> Command {
    let mut command = helm();
    command.env("KUBECONFIG", plane.kubeconfig());
    command
}

/// A copy of the chart that says nothing of versions of Kubernetes: the apiserver of the tests was built without one.
pub fn installable() -> TempDir {
    let copy = TempDir::new().expect("a folder");
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        fs::create_dir_all(copy.path().join(&folder)).expect("a folder");
        for entry in fs::read_dir(chart("").join(&folder)).expect("a folder") {
            let entry = entry.expect("an entry");
            let (from, name) = (entry.path(), folder.join(entry.file_name()));
            if from.is_dir() {
                folders.push(name);
            } else {
                fs::copy(&from, copy.path().join(&name)).expect("a copy");
            }
        }
    }
    let file = copy.path().join("Chart.yaml");
    let lines = fs::read_to_string(&file).expect("Chart.yaml");
    let lines: Vec<&str> = lines.lines().filter(|line| !line.starts_with("kubeVersion:")).collect();
    fs::write(&file, lines.join("\n")).expect("a file");
    copy
}

/// Runs a command that must be refused; answers with what it says.
pub fn refused(command: &mut Command) -> String {
    let output = command.output().expect("it runs");
    assert!(!output.status.success(), "{command:?} is taken");
    errors(&output)
}

/// The objects of a kind among those.
pub fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

/// The texts of a list.
pub fn texts(list: &Value) -> Vec<&str> {
    list.as_array().map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}
