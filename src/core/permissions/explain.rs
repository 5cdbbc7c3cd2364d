//! Which entry decides whether a privilege is held: the same evaluation, asked for its reasons.

use super::evaluate::Source;
use super::view::denying;
use super::{Entry, Inactive, Rights};
use crate::core::ids::{AclPath, Subject};

/// Why a privilege is held on a path, or is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Explanation<'a> {
    /// It is `root@pam`, or a token that is worth as much: held, whatever the entries say.
    Root,
    /// Whoever it is may do nothing at all.
    Inactive(&'a Inactive),
    /// What decides for each who must hold it; for a separated token these are its user and itself.
    Decided(Vec<(&'a Subject, Decision<'a>)>),
}

/// What decides about a privilege for one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<'a> {
    /// Held, by this entry.
    Held(Entry<'a>),
    /// Not held: of the entries that count, none grants it. `NoAccess` stands alone.
    Lacking(Vec<Entry<'a>>),
}

impl Explanation<'_> {
    /// Whether the privilege is held.
    pub fn holds(&self) -> bool {
        match self {
            Self::Root => true,
            Self::Inactive(_) => false,
            Self::Decided(decisions) => decisions.iter().all(|(_, decision)| decision.holds()),
        }
    }
}

impl Decision<'_> {
    /// Whether the privilege is held.
    pub fn holds(&self) -> bool {
        match self {
            Self::Held(_) => true,
            Self::Lacking(_) => false,
        }
    }
}

impl<'a> Rights<'a> {
    /// Why a privilege is held on a path, or is not.
    pub fn explain(&self, path: &AclPath, privilege: &str) -> Explanation<'_> {
        match &self.source {
            Source::Everything => Explanation::Root,
            Source::Nothing(why) => Explanation::Inactive(why),
            Source::Views(views) => {
                let decide = |entries| self.decision(entries, privilege);
                Explanation::Decided(
                    views.iter().map(|view| (&view.subject, decide(self.counting(view, path.as_str())))).collect(),
                )
            }
        }
    }

    fn decision(&self, counting: Vec<Entry<'a>>, privilege: &str) -> Decision<'a> {
        if let Some(denying) = denying(&counting) {
            return Decision::Lacking(vec![denying]);
        }
        let grants = |entry: &Entry<'_>| {
            self.directory.roles.get(&entry.key.role).is_some_and(|privileges| privileges.contains(privilege))
        };
        match counting.iter().copied().find(grants) {
            Some(entry) => Decision::Held(entry),
            None => Decision::Lacking(counting),
        }
    }
}
