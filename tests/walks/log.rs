//! What must not be in the operator's log: defects and secrets.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex};

use regex::Regex;

use crate::judge::Divergence;

/// Secrets that Proxmox VE and Pocket ID have made.
static MADE: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

/// Such a secret must not be logged.
pub fn remember(secret: &str) {
    MADE.lock().expect("no panic").insert(secret.to_owned());
}

/// A secret value by which its world is known. It is a password, a key and a word at once, as far as Proxmox VE cares.
pub fn canary(namespace: &str, number: usize) -> String {
    format!("{}{number}", mark(namespace))
}

fn mark(namespace: &str) -> String {
    format!("canaryOf{}x", namespace.replace('-', ""))
}

/// Whether a text has a secret of a world in it.
pub fn has_canary(namespace: &str, text: &str) -> bool {
    text.contains(&mark(namespace))
}

/// What secrets of tokens and of clients look like.
static SECRET: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9A-Za-z]{32}").expect("a pattern"));

/// The first thing that must not be there.
pub fn judge(log: &str) -> Result<(), Divergence> {
    let defect = |line: &&str| {
        (line.contains("\"level\":\"ERROR\"") && line.contains("proxmox_identity")) || line.contains("panicked at")
    };
    let line = |class: &str, found: Option<&str>| match found {
        Some(line) => Err(Divergence::new(class, line.chars().take(2000).collect::<String>())),
        None => Ok(()),
    };
    line("a defect in the log", log.lines().find(defect))?;
    line("a secret in the log", log.lines().find(|line| line.contains("canaryOf")))?;
    let made = MADE.lock().expect("no panic");
    let shows = |line: &&str| SECRET.find_iter(line).any(|found| made.contains(found.as_str()));
    line("a secret that was made in the log", log.lines().find(shows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defects_and_secrets_are_found() {
        let error = r#"{"level":"ERROR","message":"a pass failed","target":"proxmox_identity::controller::turn"}"#;
        let panic = "thread 'main' panicked at src/core/plan/mod.rs:1:1:";
        let secret = format!(r#"{{"level":"TRACE","body":"password={}"}}"#, canary("test-7", 3));
        assert!(has_canary("test-7", &secret) && !has_canary("test-71", &secret));
        let token = "5c2b1ff1-2fae-4a11-9c34-58cd1a7d0c8e";
        let client = "R4nd0mR4nd0mR4nd0mR4nd0mR4nd0mAB";
        remember(token);
        remember(client);
        for line in [error, panic, &secret, token, client] {
            assert!(judge(&format!("fine\n{line}\nfine")).is_err(), "{line}");
        }
        assert!(judge(r#"{"level":"WARN","message":"tried again","target":"proxmox_identity"}"#).is_ok());
    }
}
