//! Helm and the chart.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use proxmox_identity::sim::control_plane::ControlPlane;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// The name of the releases in these tests.
pub const RELEASE: &str = "proxmox-identity";

/// A file or folder of the chart.
pub fn chart(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/proxmox-identity").join(name)
}

/// The values for each of the main variants, by their names.
pub fn variants() -> Vec<(String, PathBuf)> {
    let files = fs::read_dir(chart("ci")).expect("values").map(|entry| entry.expect("an entry").path());
    let name = |path: &PathBuf| path.file_name().expect("a name").to_string_lossy().replace("-values.yaml", "");
    let mut variants: Vec<_> = files.map(|path| (name(&path), path)).collect();
    variants.sort();
    assert!(!variants.is_empty());
    variants
}

/// `helm`, which knows no cluster and leaves nothing behind but in the build's folder.
pub fn helm() -> Command {
    let mut command = Command::new(program());
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("helm");
    for variable in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        command.env(variable, &home);
    }
    command.env("KUBECONFIG", "/nonexistent");
    command
}

/// `helm` for a control plane.
pub fn helm_on(plane: &ControlPlane) -> Command {
    let mut command = helm();
    command.env("KUBECONFIG", plane.kubeconfig());
    command
}

fn program() -> PathBuf {
    if let Some(program) = env::var_os("HELM") {
        return program.into();
    }
    // As tests/helm/build.sh.
    let parts = [include_bytes!("../helm/go.sum").as_slice(), include_bytes!("../helm/build.sh").as_slice()];
    let digest = Sha256::digest(parts.concat());
    let version = digest.iter().take(8).fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .unwrap_or_default();
    let program = cache.join("proxmox-identity/helm").join(version).join("helm");
    assert!(program.is_file(), "no {}: run `make helm`, or set HELM", program.display());
    program
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

/// Runs a command that must work; answers with what it prints.
pub fn done(command: &mut Command) -> String {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{command:?}\n{}", errors(&output));
    String::from_utf8(output.stdout).expect("text")
}

/// Runs a command that must be refused; answers with what it says.
pub fn refused(command: &mut Command) -> String {
    let output = command.output().expect("it runs");
    assert!(!output.status.success(), "{command:?} is taken");
    errors(&output)
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What the chart renders with these more arguments.
pub fn rendered(arguments: &[&str]) -> Vec<Value> {
    let text = done(helm().args(["template", RELEASE]).arg(chart("")).args(arguments));
    let documents = serde_saphyr::from_multiple::<Value>(&text).expect("YAML");
    documents.into_iter().filter(|document| !document.is_null()).collect()
}

/// The objects of a kind among those.
pub fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

/// The texts of a list.
pub fn texts(list: &Value) -> Vec<&str> {
    list.as_array().map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}
