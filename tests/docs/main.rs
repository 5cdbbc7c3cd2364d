//! The documentation says what the code says.

mod fields;
#[path = "../../benches/scale/figures.rs"]
#[expect(dead_code, reason = "nothing is measured here")]
mod figures;
#[path = "../../benches/scale/page.rs"]
#[expect(dead_code, reason = "nothing is written here")]
mod page;
#[path = "../support/parameters.rs"]
mod parameters;
mod reasons;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// True when `make docs` asks for the generated parts to be written.
fn updates() -> bool {
    env::var_os("UPDATE_DOCS").is_some()
}

/// All pages for people, by their paths in the project.
fn documents() -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![path("docs"), path("examples"), path("charts")]);
    let top = fs::read_dir(path(".")).expect("the project").filter_map(|entry| Some(entry.ok()?.path()));
    found.extend(top.filter(|path| path.is_file()));
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    let root = path("");
    let name = |path: &PathBuf| path.strip_prefix(&root).ok().map(|it| it.display().to_string());
    found.iter().filter(|path| path.extension().is_some_and(|it| it == "md")).filter_map(name).collect()
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The links of a text, but for those that lead out of the project.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    links.filter(|link| !link.starts_with("https://"))
}

/// The names that headings are linked by.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let letter = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ');
    headings
        .map(|heading| heading.chars().filter(|c| letter(*c)).collect::<String>().to_lowercase().replace(' ', "-"))
        .collect()
}

#[test]
fn links_lead_somewhere() {
    for document in documents() {
        let text = read(&document);
        for link in links(&text) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target =
                if file.is_empty() { path(&document) } else { path(&document).parent().expect("a folder").join(file) };
            assert!(target.exists(), "{document}: {link} leads nowhere");
            if !anchor.is_empty() {
                let text = fs::read_to_string(&target).expect("a page");
                assert!(anchors(&text).iter().any(|it| it == anchor), "{document}: {link} leads nowhere in the page");
            }
        }
    }
}

#[test]
fn the_page_about_performance_is_what_the_rig_makes_of_its_figures() {
    assert!(read("docs/performance.md") == page::of(&figures::all()), "make bench ARGS=page writes it anew");
}

#[test]
fn the_index_of_the_documentation_names_every_page() {
    let index = read("docs/README.md");
    let linked: Vec<&str> = links(&index).map(|link| link.split('#').next().unwrap_or_default()).collect();
    for document in documents() {
        let Some(page) = document.strip_prefix("docs/").filter(|page| *page != "README.md") else { continue };
        assert!(linked.contains(&page), "docs/README.md does not name {page}");
    }
}

#[test]
fn the_readme_names_every_command_and_option() {
    let readme = read("README.md");
    for command in ["run", "crds", "demo", "sim pve", "sim pocket-id"] {
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
        (read("README.md"), read("examples/pocket-id/secrets/example.yaml"), read("src/cli/demo/proxmox.rs"));
    // In the demo's source a long line is continued on the next.
    let demo = demo.replace("\\\"", "\"").replace(" \\\n", " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<&str> = example.lines().filter_map(|line| line.strip_prefix("#   ")).collect();
    assert_eq!(lines.len(), 4);
    for line in lines {
        assert!(readme.contains(line), "README.md lacks {line}");
        assert!(demo.contains(line), "the demo lacks {line}");
    }
}
