//! The root file system of the image, and the operator in it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use proxmox_identity::api::crd;
use proxmox_identity::sim::control_plane::ControlPlane;
use proxmox_identity::sim::pve::Options;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::control_plane;
use crate::world::World;
use crate::{dns, done, path, refused, text};

/// The name of the simulated Proxmox VE that its certificate is for.
const PROXMOX: &str = "pve1.example.com";
const PROGRAM: &str = "/usr/local/bin/proxmox-identity";
/// Where a pod has the token of its service account.
const ACCOUNT: &str = "var/run/secrets/kubernetes.io/serviceaccount";

/// The program of the dev profile, without the simulator and static as image/build.sh makes it: just its last step, on what
/// cargo has built already.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let built = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a folder");
        // Not where the tests have the program with the simulator.
        let folder = built.join("static");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["rustc", "--locked", "--quiet", "--bin=proxmox-identity", "--", "-Ctarget-feature=+crt-static"]);
        cargo.current_dir(path("")).env("CARGO_BUILD_BUILD_DIR", built).env("CARGO_TARGET_DIR", &folder);
        done(&mut cargo);
        folder.join("debug/proxmox-identity")
    })
}

/// The image's root file system, with these authorities.
fn root(authorities: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("authorities"), authorities).expect("a file");
    fs::write(dir.path().join("sbom"), "{}").expect("a file");
    let [root, authorities, sbom] = ["root", "authorities", "sbom"].map(|name| dir.path().join(name));
    let mut lay = Command::new(path("image/root.sh"));
    done(lay.arg(root).arg(program()).args([sbom, authorities]).env("SOURCE_DATE_EPOCH", "1700000000"));
    dir
}

/// What lies in a folder, with the mode of each.
fn found(root: &Path) -> BTreeMap<String, String> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let about = fs::symlink_metadata(&path).expect("a file");
            assert!(about.is_file() || about.is_dir(), "{} is neither", path.display());
            assert_eq!(about.mtime(), 1_700_000_000, "{}", path.display());
            let name = format!("/{}", path.strip_prefix(root).expect("in it").display());
            found.insert(name, format!("{:04o}", about.permissions().mode() & 0o7777));
            if about.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

fn listed() -> BTreeMap<String, String> {
    let list = text("image/files");
    let lines = list.lines().filter(|line| !line.starts_with('#')).map(|line| line.split_whitespace());
    lines
        .map(|mut words| (words.next().expect("a mode"), words.next().expect("a path")))
        .map(|(mode, path)| (path.to_owned(), mode.to_owned()))
        .collect()
}

#[test]
fn nothing_is_in_it_but_what_is_listed_and_one_program() {
    let dir = root("");
    let found = found(&dir.path().join("root"));
    assert_eq!(found, listed());
    assert!(found.values().all(|mode| ["0644", "0755"].contains(&mode.as_str())), "{found:?}");
    let file = |name: &str| dir.path().join("root").join(name.trim_start_matches('/')).is_file();
    let programs: Vec<&String> =
        found.iter().filter(|(name, mode)| *mode == "0755" && file(name)).map(|(name, _)| name).collect();
    assert_eq!(programs, [PROGRAM]);
}

#[test]
fn the_user_is_the_same_in_image_and_chart() {
    let chart: Value = serde_saphyr::from_str(&text("charts/proxmox-identity/values.yaml")).expect("YAML");
    let (user, group) = (&chart["podSecurityContext"]["runAsUser"], &chart["podSecurityContext"]["runAsGroup"]);
    assert!(text("Dockerfile").contains(&format!("\nUSER {user}:{group}\n")));
    assert!(text("image/etc/passwd").contains(&format!(":x:{user}:{group}:")));
    assert!(text("image/etc/group").contains(&format!(":x:{group}:")));
}

#[test]
fn a_machine_without_a_builder_says_what_to_install() {
    let bare = tempfile::tempdir().expect("a folder");
    for name in ["sh", "dirname"] {
        let program = done(Command::new("sh").args(["-c", &format!("command -v {name}")]));
        std::os::unix::fs::symlink(program.trim(), bare.path().join(name)).expect("a link");
    }
    let said = refused(Command::new(path("image/image.sh")).arg("proxmox-identity:test").env("PATH", bare.path()));
    assert!(said.contains("install and start docker with buildx, or podman"), "{said}");
}

/// A command in a root file system, by the security settings of the chart.
fn jailed(root: &Path, words: &[&str]) -> Vec<String> {
    let chart: Value = serde_saphyr::from_str(&text("charts/proxmox-identity/values.yaml")).expect("YAML");
    let container = &chart["securityContext"];
    // What the jail does.
    assert_eq!(container["readOnlyRootFilesystem"], true);
    assert_eq!(container["allowPrivilegeEscalation"], false);
    assert_eq!(container["capabilities"]["drop"][0], "ALL");
    let user = chart["podSecurityContext"]["runAsUser"].to_string();
    let jail = path("tests/release/jail.sh").display().to_string();
    let fixed = [jail, root.display().to_string(), user, PROGRAM.to_owned()];
    fixed.into_iter().chain(words.iter().map(|word| (*word).to_owned())).collect()
}

fn run(root: &Path, words: &[&str]) -> Command {
    let words = jailed(root, words);
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
}

#[test]
fn its_program_needs_nothing_else_and_has_no_simulator() {
    let dir = root("");
    let root = dir.path().join("root");
    assert!(done(&mut run(&root, &["--help"])).contains("crds"));
    let crds = done(&mut run(&root, &["crds"])).matches("kind: CustomResourceDefinition").count();
    assert_eq!(crds, crd::all().len());
    for command in ["demo", "sim"] {
        assert!(refused(&mut run(&root, &[command])).contains("unrecognized subcommand"), "{command}");
    }
}

/// What the kubelet puts into a container: where names are looked up, and the service account.
fn as_kubelet(root: &Path, plane: &ControlPlane, dns: Option<std::net::Ipv4Addr>) {
    let kubeconfig: Value =
        serde_json::from_str(&fs::read_to_string(plane.kubeconfig()).expect("a kubeconfig")).expect("JSON");
    let authority = kubeconfig["clusters"][0]["cluster"]["certificate-authority"].as_str().expect("a file");
    let token = kubeconfig["users"][0]["user"]["token"].as_str().expect("a token");
    let resolver = match dns {
        Some(address) => {
            format!("search default.svc.cluster.local svc.cluster.local\nnameserver {address}\noptions ndots:5\n")
        }
        None => String::new(),
    };
    let hosts =
        if dns.is_some() { "127.0.0.1 localhost\n".to_owned() } else { format!("127.0.0.1 localhost {PROXMOX}\n") };
    fs::create_dir_all(root.join(ACCOUNT)).expect("a folder");
    for (name, text) in [
        ("etc/hosts".to_owned(), hosts),
        ("etc/resolv.conf".to_owned(), resolver),
        (format!("{ACCOUNT}/token"), token.to_owned()),
        (format!("{ACCOUNT}/ca.crt"), fs::read_to_string(authority).expect("a certificate")),
        (format!("{ACCOUNT}/namespace"), "default".to_owned()),
    ] {
        fs::write(root.join(name), text).expect("a file");
    }
}

/// The id of the process that has this root.
fn process(root: &Path) -> u32 {
    let processes =
        fs::read_dir("/proc").expect("processes").filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let is_in = |id: &u32| fs::read_link(format!("/proc/{id}/root")).is_ok_and(|its| its == root);
    processes.into_iter().find(is_in).expect("a process")
}

/// A line of a process's `/proc/<id>/status`.
fn status(process: u32, name: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.expect("a line").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn the_operator_works_in_it_under_the_security_settings_of_the_chart() {
    let world = World::with(Options { time_scale: 0.02, ..Options::default() }).await;
    // What the machine trusts by itself is just this authority.
    let dir = root(world.pve.ca_pem());
    let root: PathBuf = dir.path().join("root");
    let plane = control_plane().await;
    let dns = dns::serve(PROXMOX);
    if dns.is_none() {
        eprintln!(
            "this user may not listen on port 53: the name of Proxmox VE comes from /etc/hosts, and not from DNS"
        );
    }
    as_kubelet(&root, plane, dns);

    let config: Value = serde_json::from_str(&fs::read_to_string(plane.kubeconfig()).expect("a file")).expect("JSON");
    let server = url::Url::parse(config["clusters"][0]["cluster"]["server"].as_str().expect("a URL")).expect("a URL");
    let (host, port) = (server.host_str().expect("a host"), server.port().expect("a port"));
    let mut words = vec!["-i".to_owned(), format!("PATH={}", std::env::var("PATH").expect("PATH"))];
    words.extend([format!("KUBERNETES_SERVICE_HOST={host}"), format!("KUBERNETES_SERVICE_PORT={port}")]);
    words.push("RUST_LOG=info,proxmox_identity=debug".to_owned());
    words.extend(jailed(&root, &["run", "--listen=127.0.0.1:0", &format!("--watch-namespace={}", world.namespace)]));
    world.start(words);
    world.until("it is ready", async || (world.get("/readyz").await.0 == 200).then_some(())).await;

    let process = process(&root);
    let mounts = fs::read_to_string(format!("/proc/{process}/mountinfo")).expect("its mounts");
    let mounts: Vec<Vec<&str>> = mounts.lines().map(|line| line.split(' ').collect()).collect();
    let [root, devices @ ..] = mounts.as_slice() else { panic!("no mounts") };
    assert!(root[4] == "/" && root[5].split(',').any(|option| option == "ro"), "{mounts:?}");
    assert!(devices.iter().all(|mount| mount[4].starts_with("/dev/")), "{mounts:?}");
    assert_eq!(status(process, "NoNewPrivs"), "1");
    for set in ["CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(status(process, set), "0000000000000000", "{set}");
    }
    // In a namespace of users it is somebody else from outside, and the bound is that of the namespace.
    if status(std::process::id(), "Uid") == "0 0 0 0" {
        assert_eq!(status(process, "CapBnd"), "0000000000000000");
        assert_eq!(
            (status(process, "Uid").as_str(), status(process, "Groups").as_str()),
            ("65532 65532 65532 65532", "")
        );
    }

    let (token, port) = (world.pve.token(), world.pve.address().port());
    world
        .apply(&format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: token}}\nstringData: {{token: \"{token}\"}}\n---\n\
             apiVersion: proxmox-identity.dev/v1alpha1\nkind: ProxmoxConnection\nmetadata: {{name: pve}}\nspec:\n  \
             endpoints: [\"https://{PROXMOX}:{port}\"]\n  auth: {{token: {{secretRef: {{name: token}}}}}}\n"
        ))
        .await;
    world.object("ProxmoxGroup", "operators", "").await;
    world.ready("ProxmoxGroup", "operators").await;
    assert_eq!(world.groups().await, ["operators"]);
}
