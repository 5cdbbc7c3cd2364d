//! `demo` shows what it promises, and leaves nothing behind however it ends.

use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// A demo under way, with a directory of its own for temporary files: its mark in the environment of all that it
/// starts.
struct Demo {
    child: Child,
    out: BufReader<ChildStdout>,
    temporary: tempfile::TempDir,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        let temporary = tempfile::tempdir().expect("a directory");
        let mut child = Command::new(env!("CARGO_BIN_EXE_proxmox-identity"))
            .arg("demo")
            .args(arguments)
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the demo starts");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, out, temporary }
    }

    /// Reads on until a line has these words.
    fn until(&mut self, words: &str) {
        let mut read = String::new();
        while !read.lines().last().is_some_and(|line| line.contains(words)) {
            assert!(self.out.read_line(&mut read).expect("text") > 0, "ended without {words:?}:\n{read}");
        }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Waits for its end, and until nothing of it is left; answers with what it still prints and whether it went well.
    fn end(mut self) -> (String, bool) {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).expect("text");
        let well = self.child.wait().expect("an end").success();
        let begun = Instant::now();
        loop {
            let left = left_behind(self.temporary.path());
            if left.is_empty() {
                return (rest, well);
            }
            assert!(begun.elapsed() < PATIENCE, "left behind: {left:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Files in the directory, and processes that were started with it.
fn left_behind(temporary: &Path) -> Vec<String> {
    let files = fs::read_dir(temporary).expect("the directory").map(|entry| entry.expect("an entry").path());
    let mut left: Vec<String> = files.map(|path| path.display().to_string()).collect();
    let mark = format!("TMPDIR={}", temporary.display());
    for process in fs::read_dir("/proc").expect("/proc") {
        let path = process.expect("an entry").path();
        // Not every process is ours to look into, and some are gone by now.
        let environment = fs::read(path.join("environ")).unwrap_or_default();
        if environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes()) {
            let command = fs::read(path.join("cmdline")).unwrap_or_default();
            left.push(format!("{} {}", path.display(), String::from_utf8_lossy(&command)));
        }
    }
    left
}

#[test]
fn the_whole_way_from_manifests_to_a_sign_in_and_back() {
    let (out, well) = Demo::start(&[]).end();
    assert!(well, "{out}");
    let facts = [
        "PocketIdClient       proxmox-ve       True    Succeeded            pocket-id",
        "ProxmoxRealm         pocket-id        True    Succeeded            proxmox",
        "ProxmoxAcl           alice-pool       False   DependencyNotReady   proxmox",
        "client   proxmox-ve       only proxmox_admins, proxmox_users   https://127.0.0.1:",
        "ACL entry   /                         Administrator                 group proxmox_admins-PocketID",
        "alice@PocketID is in, with the group proxmox_users-PocketID",
        "/   Datastore.Audit Mapping.Audit Pool.Audit SDN.Audit Sys.Audit VM.Audit",
        "/pool/alice   VM.Audit VM.Backup",
        "turned away by Pocket ID: You're not allowed to access this service",
        "changed callbackUrls, isGroupRestricted, allowedGroups of client proxmox-ve back",
        "created group proxmox_users-PocketID again: gone from Proxmox VE",
        "changed propagate of ACL entry PVEVMUser for user alice@PocketID on /pool/alice",
        "mistake   False   WouldLockOut",
        "afterwards the operator would lack",
        "nothing of it was written",
        "Pocket ID and Proxmox VE are as they were before",
        "All as it should be",
    ];
    for fact in facts {
        assert!(out.contains(fact), "lacks {fact:?}:\n{out}");
    }
    assert!(!out.contains('\u{1b}'), "no colours where nobody sees them:\n{out}");
    let wide: Vec<&str> = out.lines().filter(|line| line.chars().count() > 100).collect();
    assert!(wide.is_empty(), "too wide: {wide:#?}");
}

#[test]
fn kept_it_waits_for_ctrl_c_and_ends_well() {
    let mut demo = Demo::start(&["--keep"]);
    demo.until("export KUBECONFIG=");
    demo.until("Ctrl-C ends everything");
    demo.signal("INT");
    let (out, well) = demo.end();
    assert!(well && out.contains("nothing is left running"), "{out}");
}

#[test]
fn cut_short_it_leaves_nothing() {
    for signal in ["TERM", "KILL"] {
        let mut demo = Demo::start(&[]);
        demo.until("the operator runs");
        demo.signal(signal);
        let (_, well) = demo.end();
        assert!(!well);
    }
}
