//! The quickstart of the documentation, as a reader types it. What needs a registry is left out: the operator is a process
//! here, with the account that was installed.

use std::path::Path;
use std::process::Command;

use proxmox_identity::sim::child::GuardedChild;
use proxmox_identity::sim::control_plane::ControlPlane;
use proxmox_identity::sim::pve::{Options, Simulator};
use serde_json::{Value, json};

use crate::helm::{RELEASE, done, helm, installable};

/// The namespace of the page.
const HOME: &str = "proxmox-identity";

/// What the page cannot know: where the simulator is, and its credentials.
fn personal(text: &str, pve: &Simulator) -> String {
    text.replace("https://pve1.example.com:8006", &pve.url())
        .replace(&["00"; 32].join(":"), &pve.fingerprint())
        .replace("proxmox-identity@pve!operator=00000000-0000-0000-0000-000000000000", &pve.token())
}

/// The text of a heading up to the next one.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
    rest.split("\n## ").next().unwrap_or(rest)
}

/// The only block of a language.
fn block<'a>(text: &'a str, language: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("```{language}\n")).unwrap_or_else(|| panic!("no {language}"));
    rest.split_once("```").expect("an end").0
}

/// A folder with what a checkout has, where commands are typed.
fn checkout(page: &str, pve: &Simulator) -> (tempfile::TempDir, tempfile::TempDir) {
    let (dir, chart) = (tempfile::tempdir().expect("a folder"), installable());
    std::fs::create_dir(dir.path().join("charts")).expect("a folder");
    let link = dir.path().join("charts/proxmox-identity");
    std::os::unix::fs::symlink(chart.path(), link).expect("a link");
    let manifest = block(page, "yaml");
    let name = manifest.lines().next().and_then(|line| line.strip_prefix("# ")).expect("the name of a file");
    std::fs::write(dir.path().join(name), personal(manifest, pve)).expect("a file");
    (dir, chart)
}

/// Starts the operator as the pod of the Deployment would run it.
fn operator(plane: &ControlPlane, dir: &Path) -> GuardedChild {
    let token = done(plane.kubectl().args(["create", "token", RELEASE, "--namespace", HOME]));
    let text = std::fs::read_to_string(plane.kubeconfig()).expect("a kubeconfig");
    let mut kubeconfig: Value = serde_json::from_str(&text).expect("JSON");
    kubeconfig["users"][0]["user"] = json!({"token": token.trim()});
    let path = dir.join("operator-kubeconfig");
    std::fs::write(&path, kubeconfig.to_string()).expect("a file");
    let words = vec![
        format!("KUBECONFIG={}", path.display()),
        format!("POD_NAMESPACE={HOME}"),
        env!("CARGO_BIN_EXE_proxmox-identity").to_owned(),
        "run".to_owned(),
        "--listen=127.0.0.1:0".to_owned(),
    ];
    GuardedChild::start(Path::new("/usr/bin/env"), |_| Ok(words)).expect("the operator starts")
}

/// Types what a section of the page says.
async fn typed(heading: &str) {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/quickstart.md")).expect("the page");
    let plane = ControlPlane::start().await.unwrap_or_else(|error| panic!("no control plane: {error}"));
    let pve = Simulator::start(Options { time_scale: 0.02, ..Options::default() }).await.expect("a simulator");
    let (dir, _chart) = checkout(&page, &pve);
    let kubectl = plane.kubectl();
    let functions = format!(
        "helm() {{ {} \"$@\"; }}; kubectl() {{ {} \"$@\"; }};",
        Path::new(helm().get_program()).display(),
        Path::new(kubectl.get_program()).display()
    );
    let mut running = None;
    let mut commands = 0;
    for part in block(section(&page, heading), "console").split("$ ").skip(1) {
        let (command, printed) = part.split_once('\n').expect("a line");
        commands += 1;
        if command.starts_with("make ") {
            made(command, dir.path());
            continue;
        }
        let mut shell = Command::new("sh");
        shell.args(["-ec", &format!("{functions} {}", personal(command, &pve))]).current_dir(dir.path());
        shell.envs(kubectl.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let said = done(&mut shell);
        for line in printed.lines() {
            assert!(said.contains(line), "{command} prints {line}: {said}");
        }
        // There are no nodes: what the Deployment would run is run by us.
        if running.is_none() {
            done(plane.kubectl().args(["wait", "--for=condition=Established", "crd", "--all"]));
            running = Some(operator(&plane, dir.path()));
        }
    }
    assert!((4..=5).contains(&commands), "five commands at most, not {commands}");
    assert!(running.is_some());
}

/// What `make` of the page leaves behind, without the image, which needs a registry.
fn made(command: &str, dir: &Path) {
    if command.contains("release-manifests") {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/manifests.sh");
        let mut write = Command::new(script);
        done(write.arg(dir.join("dist")).env("HELM", helm().get_program()).env("REGISTRY", "registry.example.com"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_helm_it_is_five_commands_to_the_first_group() {
    typed("With Helm").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_kubectl_it_is_five_commands_to_the_first_group() {
    typed("With kubectl").await;
}
