//! What must not be in the operator's log: defects and secrets.

use crate::judge::Divergence;

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
    line("a secret in the log", log.lines().find(|line| line.contains("canaryOf")))
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
        for line in [error, panic, &secret] {
            assert!(judge(&format!("fine\n{line}\nfine")).is_err(), "{line}");
        }
        assert!(judge(r#"{"level":"WARN","message":"tried again","target":"proxmox_identity"}"#).is_ok());
    }
}
