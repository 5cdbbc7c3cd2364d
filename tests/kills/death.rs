//! What a process had done when it was killed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What is known of it, by its log.
pub struct Death {
    /// Its calls, by number.
    calls: BTreeMap<u64, String>,
    /// Those that had taken effect.
    effective: BTreeSet<u64>,
}

impl Death {
    /// Reads the log of a process that was killed; nothing for one that was not.
    pub fn of(log: &str) -> Option<Self> {
        let (mut calls, mut effective, mut killed) = (BTreeMap::new(), BTreeSet::new(), false);
        for line in log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let number = line["number"].as_u64().unwrap_or_default();
            match line["message"].as_str() {
                Some("outward call") => {
                    calls.insert(number, line["what"].as_str().unwrap_or_default().to_owned());
                }
                Some("outward call took effect") => drop(effective.insert(number)),
                Some("killed at this call") => killed = true,
                _ => {}
            }
        }
        killed.then_some(Self { calls, effective })
    }

    /// Whether a secret may have been shown that is in no Secret: a call was sent to where it is shown, and none after it
    /// that writes it into the Secret of this name took effect.
    pub fn lost_a_secret(&self, shown_at: &str, secret: &str) -> bool {
        let shows = |what: &str| (what.starts_with("POST /") || what.starts_with("PUT /")) && what.contains(shown_at);
        let last = self.calls.iter().filter(|(_, what)| shows(what)).map(|(number, _)| *number).max();
        let writes = ["POST", "PATCH"].map(|verb| format!("{verb} Secret/{secret}"));
        last.is_some_and(|last| {
            let mut later = self.calls.range(last..).filter(|(_, what)| writes.contains(what));
            !later.any(|(number, _)| self.effective.contains(number))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: &[(&str, u64, &str)]) -> String {
        let line = |(message, number, what): &(&str, u64, &str)| {
            serde_json::json!({"message": message, "number": number, "what": what}).to_string()
        };
        lines.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_secret_is_lost_from_when_it_is_asked_for_until_it_is_written() {
        const SENT: &str = "outward call";
        const DONE: &str = "outward call took effect";
        let all = [(SENT, 1, "POST /token"), (DONE, 1, ""), (SENT, 2, "PATCH Secret/ci"), (DONE, 2, "")];
        for (until, lost) in [(0, false), (1, true), (2, true), (3, true), (4, false)] {
            let killed = [&all[..until], &[("killed at this call", 9, "")]].concat();
            let death = Death::of(&log(&killed)).expect("killed");
            assert_eq!(death.lost_a_secret("/token", "ci"), lost, "{until}");
        }
        assert!(Death::of(&log(&all)).is_none());
    }
}
