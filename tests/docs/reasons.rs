//! The page of reasons, made from the code.

use std::fmt::Write as _;
use std::fs;

use proxmox_identity::api::Reason;
use proxmox_identity::api::reason::Severity;

use crate::{path, read, updates};

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
        Why the condition `Ready` of an object is as it is, or why there is a condition `Warning` beside a `Ready` one. The message\n\
        beside it says what it is about.\n\
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
    if updates() {
        fs::write(path("docs/reasons.md"), reasons()).expect("the page can be written");
    }
    assert!(read("docs/reasons.md") == reasons(), "docs/reasons.md is not what the code says: run `make docs`");
}
