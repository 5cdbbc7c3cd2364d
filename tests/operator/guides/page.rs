//! What of a page of the documentation can be done.

use std::path::Path;

use proxmox_identity::sim::pve::Simulator;

/// Something to do, in the order of the page.
#[derive(Debug)]
pub enum Deed {
    /// Manifests to apply.
    Apply(String),
    /// A command, and the lines that it prints.
    Run(String, Vec<String>),
}

/// A page by its path in the project.
pub fn read(name: &str) -> Vec<Deed> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
    deeds(&text)
}

/// A text of a page with what that cannot know: where the simulator is, and its credentials.
pub fn personal(text: &str, pve: &Simulator) -> String {
    text.replace("https://pve1.example.com:8006", &pve.url())
        .replace(&["00"; 32].join(":"), &pve.fingerprint())
        .replace("proxmox-identity@pve!operator=00000000-0000-0000-0000-000000000000", &pve.token())
        .replace("the-password-of-root", "pve-test-password")
}

/// Blocks that are marked `no-run` are none: they need what is not there, and the apiserver has judged them elsewhere.
fn deeds(text: &str) -> Vec<Deed> {
    let mut deeds = Vec::new();
    for (kind, block) in blocks(text) {
        match kind {
            "yaml" => deeds.push(Deed::Apply(block)),
            "console" => {
                for line in block.lines() {
                    match (line.strip_prefix("$ "), deeds.last_mut()) {
                        (Some(command), _) => deeds.push(Deed::Run(command.to_owned(), Vec::new())),
                        (None, Some(Deed::Run(_, printed))) => printed.push(line.to_owned()),
                        (None, _) => panic!("printed by no command: {line}"),
                    }
                }
            }
            _ => {}
        }
    }
    deeds
}

/// The code blocks of a Markdown text, each with what stands behind its fence.
fn blocks(text: &str) -> Vec<(&str, String)> {
    let (mut blocks, mut open) = (Vec::new(), None);
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(kind), None) => open = Some((kind, String::new())),
            (None, Some((_, block))) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block does not end");
    blocks
}
