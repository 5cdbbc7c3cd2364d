//! What must not be in the operator's log: defects and secrets.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use regex::Regex;

use crate::judge::Divergence;
use crate::{canary, defect};

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
    canary::tells(text, &mark(namespace))
}

/// What may be base64 of something as long as a secret.
static ENCODED: LazyLock<Regex> = LazyLock::new(|| Regex::new("[A-Za-z0-9+/]{40,}").expect("a pattern"));

/// Reads base64 that something else may follow.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A text, and what is in it in base64, as Kubernetes writes its Secrets.
fn with_decoded(text: &str) -> String {
    let decoded = ENCODED.find_iter(text).filter_map(|found| BASE64.decode(found.as_str()).ok());
    let decoded: Vec<String> = decoded.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect();
    format!("{text} {}", decoded.join(" "))
}

/// What secrets of tokens and of clients look like.
static SECRET: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9A-Za-z]{32}").expect("a pattern"));

/// The first thing that must not be there.
pub fn judge(log: &str) -> Result<(), Divergence> {
    let line = |class: &str, found: Option<&str>| match found {
        Some(line) => Err(Divergence::new(class, line.chars().take(2000).collect::<String>())),
        None => Ok(()),
    };
    line("a defect in the log", log.lines().find(|line| defect::is_told_in(line)))?;
    let forms = canary::forms("canaryOf");
    line("a secret in the log", log.lines().find(|line| forms.iter().any(|form| line.contains(form))))?;
    let made = MADE.lock().expect("no panic");
    let shows = |line: &&str| SECRET.find_iter(&with_decoded(line)).any(|found| made.contains(found.as_str()));
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
        let in_secret = |text: &str| format!(r#"{{"data":{{"token":"{}"}}}}"#, BASE64.encode(text));
        let (given, made) = (in_secret(&canary("test-7", 3)), in_secret(&format!("svc@pve!ci={token}")));
        assert!(has_canary("test-7", &given));
        for line in [error, panic, &secret, token, client, &given, &made] {
            assert!(judge(&format!("fine\n{line}\nfine")).is_err(), "{line}");
        }
        assert!(judge(r#"{"level":"WARN","message":"tried again","target":"proxmox_identity"}"#).is_ok());
    }
}
