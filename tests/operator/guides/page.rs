//! What of a page of the documentation can be done.

use std::path::Path;

use proxmox_identity::sim::{pocket_id, pve};

/// Something to do, in the order of the page.
#[derive(Debug)]
pub enum Deed {
    /// Manifests to apply.
    Apply(String),
    /// A command, and the lines that it prints.
    Run(String, Vec<String>),
    /// What somebody does with a browser, which stands in a comment of the page.
    SignIn(Visit),
}

/// Somebody goes to Proxmox VE and signs in with Pocket ID.
#[derive(Debug)]
pub struct Visit {
    /// The name of the user in Pocket ID.
    pub user: String,
    /// Whether that goes well.
    pub gets_in: bool,
}

/// A page by its path in the project.
pub fn read(name: &str) -> Vec<Deed> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
    deeds(&text)
}

/// A text of a page with what that cannot know: where the simulator is, and its credentials.
pub fn personal(text: &str, pve: &pve::Simulator) -> String {
    text.replace("https://pve1.example.com:8006", &pve.url())
        .replace(&["00"; 32].join(":"), &pve.fingerprint())
        .replace("proxmox-identity@pve!operator=00000000-0000-0000-0000-000000000000", &pve.token())
        .replace("the-password-of-root", "pve-test-password")
}

/// The same for Pocket ID, which is looked at each second.
pub fn personal_for(text: &str, pocket_id: &pocket_id::Simulator) -> String {
    let (url, fingerprint) = (pocket_id.url(), pocket_id.fingerprint());
    let reached = format!("  url: {url}\n  resyncInterval: 1s\n  tls: {{fingerprints: [\"{fingerprint}\"]}}\n");
    text.replace("  url: https://id.example.com\n", &reached)
        .replace("replace-me-with-16-characters-or-more", pocket_id.api_key())
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
            COMMENT => deeds.extend(visit(&block)),
            _ => {}
        }
    }
    deeds
}

/// The kind of what is no block but a comment.
const COMMENT: &str = "<!--";

/// Such as `alice signs in` and `mallory is turned away`.
fn visit(comment: &str) -> Option<Deed> {
    let visit = |user: &str, gets_in| Deed::SignIn(Visit { user: user.to_owned(), gets_in });
    let turned_away = comment.strip_suffix(" is turned away").map(|user| visit(user, false));
    comment.strip_suffix(" signs in").map(|user| visit(user, true)).or(turned_away)
}

/// The code blocks of a Markdown text, each with what stands behind its fence, and the comments between them.
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
            (None, None) => {
                let comment = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
                blocks.extend(comment.map(|comment| (COMMENT, comment.to_owned())));
            }
        }
    }
    assert!(open.is_none(), "a block does not end");
    blocks
}
