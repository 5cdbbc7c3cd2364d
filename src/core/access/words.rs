//! What a check found, in words: privileges for which the same decides are named together.

use std::fmt::Display;

use crate::core::ids::AclPath;
use crate::core::permissions::{Decision, Entry, Explanation};
use crate::core::text::first_of;

/// How many entries, and how many findings, are told: a condition has its limit.
const SHOWN: usize = 8;

/// The longest text that is told, in characters.
const LONGEST: usize = 10_000;

/// What was found on one path, in order: whether it is held, why, and of which privileges that is true.
pub(super) struct Findings<'a> {
    path: &'a AclPath,
    found: Vec<(bool, String, Vec<&'a str>)>,
}

impl<'a> Findings<'a> {
    pub(super) fn on(path: &'a AclPath) -> Self {
        Self { path, found: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn add(&mut self, privilege: &'a str, explanation: &Explanation<'_>) {
        let (held, why) = (explanation.holds(), why(explanation, self.path));
        match self.found.iter_mut().find(|(known, because, _)| (*known, because) == (held, &why)) {
            Some((_, _, privileges)) => privileges.push(privilege),
            None => self.found.push((held, why, vec![privilege])),
        }
    }

    pub(super) fn sentence(&self) -> String {
        let lines = self.found.iter().map(|(held, why, privileges)| {
            let is = if privileges.len() == 1 { "is" } else { "are" };
            let not = if *held { "" } else { " not" };
            format!("{} {is}{not} held on {}: {why}", privileges.join(", "), self.path)
        });
        listed(lines, "; ").chars().take(LONGEST).collect()
    }
}

fn why(explanation: &Explanation<'_>, path: &AclPath) -> String {
    let decisions = match explanation {
        Explanation::Root => return "root@pam may do everything".to_owned(),
        Explanation::Inactive(why) => return why.to_string(),
        Explanation::Decided(decisions) => decisions,
    };
    let held = explanation.holds();
    let told = decisions.iter().filter(|(_, decision)| decision.holds() == held).map(|(subject, decision)| {
        let decides = decides(decision, path);
        // Two must hold it: who of them does not?
        if held || decisions.len() == 1 { decides } else { format!("{subject} lacks it ({decides})") }
    });
    listed(told, " and ")
}

fn decides(decision: &Decision<'_>, path: &AclPath) -> String {
    let entry = |entry: &Entry<'_>| told(entry, path);
    match decision {
        Decision::Held(it) => format!("by {}", entry(it)),
        Decision::Lacking(entries) if entries.is_empty() => "no entry counts there".to_owned(),
        Decision::Lacking(entries) if entries.len() == 1 => {
            format!("the deepest entry that counts is {}", listed(entries.iter().map(entry), ", "))
        }
        Decision::Lacking(entries) => {
            format!("the deepest entries that count are {}", listed(entries.iter().map(entry), ", "))
        }
    }
}

fn told(Entry { key, propagate: _, pool }: &Entry<'_>, path: &AclPath) -> String {
    match pool {
        Some(pool) => format!("{key} (through pool {pool})"),
        None if key.path == *path => key.to_string(),
        None => format!("{key} (propagated)"),
    }
}

fn listed(all: impl Iterator<Item = impl Display>, between: &str) -> String {
    first_of(&all.collect::<Vec<_>>(), SHOWN, between)
}
