//! What a version of Pocket ID can do (FACTS 9).

use std::fmt;

/// A version of Pocket ID, such as 2.9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PocketIdVersion {
    major: u32,
    minor: u32,
}

impl PocketIdVersion {
    /// The oldest that can be managed: it knows its own version, and clients that are restricted to groups.
    pub const OLDEST: Self = Self { major: 2, minor: 3 };

    /// Reads a version such as `2.9.0`; what is no number counts as 0.
    pub fn observed(text: &str) -> Self {
        let mut numbers = text.trim_start_matches('v').split(['.', '-', '+']).map(|part| part.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        Self { major: next(), minor: next() }
    }

    /// Whether requests are limited to 100 at once and 1 a second, instead of 300 and 100 (FACTS 7).
    pub fn has_low_limits(self) -> bool {
        self < Self { major: 2, minor: 10 }
    }

    /// Whether a client has several secrets, each valid until it is deleted (FACTS 1).
    pub fn has_several_secrets(self) -> bool {
        self >= Self { major: 2, minor: 14 }
    }
}

impl fmt::Display for PocketIdVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        for (text, several, low) in [
            ("2.14.0", true, false),
            ("3.0", true, false),
            ("2.9.0", false, true),
            ("v2.10.1", false, false),
            ("x", false, true),
        ] {
            let version = PocketIdVersion::observed(text);
            assert_eq!((version.has_several_secrets(), version.has_low_limits()), (several, low), "{text}");
        }
    }
}
