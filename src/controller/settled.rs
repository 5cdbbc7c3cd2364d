//! What has stood already: what differs from it afterwards was changed behind our back, or follows something else.

use std::collections::{HashMap, HashSet};

/// What objects were when they last stood as they should: their generation, and of what takes values from elsewhere (a
/// Secret, a client, another connection) what it wanted.
#[derive(Debug)]
pub(super) struct Settled<W>(HashMap<String, (i64, W)>);

impl<W> Default for Settled<W> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<W: PartialEq> Settled<W> {
    /// Whether what an object wants now has stood before. A correction that fails once makes the object unready, and is a
    /// correction all the same.
    pub fn includes(&mut self, uid: &str, generation: i64, is_ready: bool, wants: W) -> bool {
        match self.0.get(uid) {
            Some((of, stood)) if *of == generation => *stood == wants,
            _ if is_ready => {
                self.stands(uid, generation, wants);
                true
            }
            _ => false,
        }
    }

    /// Remembers that an object stands with what it wants now.
    pub fn stands(&mut self, uid: &str, generation: i64, wants: W) {
        self.0.insert(uid.to_owned(), (generation, wants));
    }

    /// Forgets objects that are gone.
    pub fn keep(&mut self, present: &HashSet<String>) {
        self.0.retain(|uid, _| present.contains(uid));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stood_is_settled_until_the_spec_or_what_it_follows_changes() {
        let mut settled = Settled::default();
        assert!(!settled.includes("a", 1, false, "key"), "it has never stood");
        assert!(settled.includes("a", 1, true, "key"));
        assert!(settled.includes("a", 1, false, "key"), "a correction fails");
        assert!(!settled.includes("a", 1, true, "another key"), "what it follows has changed");
        assert!(!settled.includes("a", 1, true, "another key"), "and is not there yet");
        settled.stands("a", 1, "another key");
        assert!(settled.includes("a", 1, true, "another key"));
        assert!(!settled.includes("a", 2, false, "another key"), "the spec has changed");
        settled.keep(&HashSet::new());
        assert!(!settled.includes("a", 1, false, "another key"));
    }
}
