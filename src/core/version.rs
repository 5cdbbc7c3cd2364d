//! What a version of Proxmox VE can do.

/// A version of Proxmox VE, such as 9.2.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PveVersion {
    major: u32,
    minor: u32,
}

impl PveVersion {
    /// Reads a version such as `9.2.11`; what is no number counts as 0.
    pub fn observed(text: &str) -> Self {
        let mut numbers = text.split(['.', '-', '~']).map(|part| part.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        Self { major: next(), minor: next() }
    }

    /// Whether a realm of type openid takes `audiences` (FACTS 40).
    pub fn takes_audiences(self) -> bool {
        self >= Self { major: 9, minor: 2 }
    }

    /// Whether a token can be given a new secret and keep its ACL entries (FACTS 40).
    pub fn regenerates_tokens(self) -> bool {
        self >= Self { major: 9, minor: 2 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        for (text, new) in [("9.2.11", true), ("9.10", true), ("10.0", true), ("9.1.4", false), ("x", false)] {
            let version = PveVersion::observed(text);
            assert_eq!((version.regenerates_tokens(), version.takes_audiences()), (new, new), "{text}");
        }
    }
}
