//! The documentation says what the code says.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use proxmox_identity::api::Reason;
use proxmox_identity::api::reason::Severity;

const DOCUMENTS: [&str; 5] =
    ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/reasons.md", "examples/pocket-id/README.md"];

fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The doc comments of the list of reasons, each with the name that it stands above.
fn documented_reasons() -> Vec<(String, String)> {
    let source = read("src/api/reason.rs");
    let list = source.split("\nreasons! {\n").nth(1).and_then(|rest| rest.split("\n}\n").next()).expect("the list");
    let (mut found, mut comment) = (Vec::new(), String::new());
    for line in list.lines().map(str::trim) {
        match (line.strip_prefix("/// "), line.split_once(':')) {
            (Some(text), _) if comment.is_empty() => text.clone_into(&mut comment),
            (Some(text), _) => comment = format!("{comment} {text}"),
            (None, Some((name, _))) => found.push((name.to_owned(), std::mem::take(&mut comment))),
            (None, None) => panic!("neither comment nor reason: {line}"),
        }
    }
    found
}

fn reasons() -> String {
    let mut text = "# Reasons\n\n\
        Why the condition `Ready` of an object is as it is. The message beside it says what it is about.\n\
        `make docs` writes this page from `src/api/reason.rs`.\n\n\
        | reason | what it means, and what to do | when it lasts |\n|---|---|---|\n"
        .to_owned();
    let documented = documented_reasons();
    let names: Vec<&str> = documented.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, Reason::ALL.iter().map(|reason| reason.as_str()).collect::<Vec<_>>());
    for (reason, (name, comment)) in Reason::ALL.iter().zip(&documented) {
        let lasting = match reason.severity() {
            Severity::Fine => "",
            Severity::Waiting => "waits, and is never `Stalled`",
            Severity::Transient => "is retried; `Stalled` after `--progress-deadline`",
            Severity::Terminal => "`Stalled` at once: a person must act",
        };
        writeln!(text, "| `{name}` | {comment} | {lasting} |").expect("a String takes all");
    }
    text
}

#[test]
fn the_page_of_reasons_is_what_make_docs_writes() {
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path("docs")).expect("docs/ can be made");
        fs::write(path("docs/reasons.md"), reasons()).expect("the page can be written");
    }
    assert!(read("docs/reasons.md") == reasons(), "docs/reasons.md is not what the code says: run `make docs`");
}

#[test]
fn links_lead_somewhere() {
    for document in DOCUMENTS {
        let text = read(document);
        for rest in text.split("](").skip(1) {
            let link = rest.split(')').next().unwrap_or_default();
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || file.starts_with("https://") {
                continue;
            }
            let target = path(document).parent().expect("a folder").join(file);
            assert!(target.exists(), "{document}: {link} leads nowhere");
        }
    }
}

#[test]
fn the_readme_names_every_command_and_option() {
    let readme = read("README.md");
    for command in ["run", "crds", "demo", "sim pve"] {
        let arguments = command.split(' ').chain(["--help"]);
        let help = Command::new(env!("CARGO_BIN_EXE_proxmox-identity")).args(arguments).output().expect("it runs");
        let help = String::from_utf8(help.stdout).expect("text");
        assert!(readme.contains(&format!("`{command}`")), "{command}");
        let options = help.split_whitespace().filter(|word| word.starts_with("--"));
        for option in options.map(|word| word.trim_matches(|c: char| c != '-' && !c.is_alphanumeric())) {
            assert!(option == "--help" || readme.contains(option), "{command} {option}");
        }
    }
}

#[test]
fn the_rights_of_the_operator_are_the_same_everywhere() {
    let (readme, example, demo) =
        (read("README.md"), read("examples/pocket-id/secret.example.yaml"), read("src/cli/demo/proxmox.rs"));
    // In the demo's source a long line is continued on the next.
    let demo = demo.replace("\\\"", "\"").replace(" \\\n", " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<&str> = example.lines().filter_map(|line| line.strip_prefix("#   ")).collect();
    assert_eq!(lines.len(), 4);
    for line in lines {
        assert!(readme.contains(line), "README.md lacks {line}");
        assert!(demo.contains(line), "the demo lacks {line}");
    }
}
