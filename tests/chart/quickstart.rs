//! The quickstart of the documentation, as a reader types it. What needs a registry is left out: the operator is a process
//! here, which does what the installed Deployment says.

use std::path::Path;
use std::process::Command;

use proxmox_identity::sim::child::GuardedChild;
use proxmox_identity::sim::control_plane::ControlPlane;
use proxmox_identity::sim::pve::{Options, Simulator};

use crate::deployed;
use crate::helm::{done, helm, installable};
use crate::page::{Deed, personal, read};

/// The namespace of the page.
const HOME: &str = "proxmox-identity";

/// A command of the page, and what it prints.
type Typed = (String, Vec<String>);

/// The manifest of the page, and the commands of one way: from the image on, up to the next one.
fn way(taken: impl Fn(&str) -> bool) -> (String, Vec<Typed>) {
    let (mut manifest, mut ways) = (None, Vec::<Vec<Typed>>::new());
    for deed in read("docs/quickstart.md") {
        match deed {
            Deed::Apply(text) => manifest = Some(text),
            Deed::Run(command, printed) => {
                if command.starts_with("make image") {
                    ways.push(Vec::new());
                }
                ways.last_mut().expect("an image first").push((command, printed));
            }
            Deed::SignIn(visit) => panic!("nobody signs in here: {visit:?}"),
        }
    }
    let way = ways.into_iter().find(|way| way.iter().any(|(command, _)| taken(command)));
    (manifest.expect("a manifest"), way.expect("the way"))
}

/// A folder with what a checkout has, where commands are typed, and the chart that it leads to.
fn checkout(manifest: &str, pve: &Simulator) -> (tempfile::TempDir, tempfile::TempDir) {
    let (dir, chart) = (tempfile::tempdir().expect("a folder"), installable());
    std::fs::create_dir(dir.path().join("charts")).expect("a folder");
    let link = dir.path().join("charts/proxmox-identity");
    std::os::unix::fs::symlink(chart.path(), link).expect("a link");
    let name = manifest.lines().next().and_then(|line| line.strip_prefix("# ")).expect("the name of a file");
    std::fs::write(dir.path().join(name), personal(manifest, pve)).expect("a file");
    (dir, chart)
}

/// Types what the page says of a way.
async fn typed(taken: impl Fn(&str) -> bool) {
    let (manifest, commands) = way(taken);
    assert!((4..=5).contains(&commands.len()), "five commands at most, not {}", commands.len());
    let plane = ControlPlane::start().await.unwrap_or_else(|error| panic!("no control plane: {error}"));
    let pve = Simulator::start(Options { time_scale: 0.02, ..Options::default() }).await.expect("a simulator");
    let (dir, _chart) = checkout(&manifest, &pve);
    let kubectl = plane.kubectl();
    let functions = format!(
        "helm() {{ {} \"$@\"; }}; kubectl() {{ {} \"$@\"; }};",
        Path::new(helm().get_program()).display(),
        Path::new(kubectl.get_program()).display()
    );
    let mut running = None;
    for (command, printed) in commands {
        if command.starts_with("make ") {
            made(&command, dir.path());
            continue;
        }
        let mut shell = Command::new("sh");
        shell.args(["-ec", &format!("{functions} {}", personal(&command, &pve))]).current_dir(dir.path());
        shell.envs(kubectl.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let said = done(&mut shell);
        for line in printed {
            assert!(said.contains(&line), "{command} prints {line}: {said}");
        }
        if running.is_none() {
            done(plane.kubectl().args(["wait", "--for=condition=Established", "crd", "--all"]));
            let words = deployed::words(&plane, HOME);
            running = Some(GuardedChild::start(Path::new("/usr/bin/env"), |_| Ok(words)).expect("the operator starts"));
        }
    }
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
    typed(|command| command.starts_with("helm install")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_kubectl_it_is_five_commands_to_the_first_group() {
    typed(|command| command.contains("dist/deploy.yaml")).await;
}
