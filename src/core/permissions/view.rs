//! The ACL as one subject sees it.

use std::collections::HashMap;

use super::{Directory, NO_ACCESS};
use crate::core::ids::{AclKey, PoolId, Subject, above};

/// An ACL entry that counts on a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Where it stands, for whom, and what it grants.
    pub key: &'a AclKey,
    /// Whether it counts below that path too.
    pub propagate: bool,
    /// The pool through which it reaches a guest or storage.
    pub pool: Option<&'a PoolId>,
}

/// The entries of one path that concern one subject.
#[derive(Default)]
struct Level<'a> {
    own: Vec<Entry<'a>>,
    from_groups: Vec<Entry<'a>>,
}

/// The ACL as one subject sees it: what does not concern it is left out once, so that many paths are cheap.
pub(super) struct View<'a> {
    pub(super) subject: Subject,
    levels: HashMap<&'a str, Level<'a>>,
}

impl Directory {
    /// `concerns` tells for a subject whether its entries count, and whether as one's own or a group's.
    pub(super) fn view(&self, subject: Subject, concerns: impl Fn(&Subject) -> Option<bool>) -> View<'_> {
        let mut levels: HashMap<&str, Level<'_>> = HashMap::new();
        for (key, propagate) in &self.acl {
            if let Some(own) = concerns(&key.subject) {
                let level = levels.entry(key.path.as_str()).or_default();
                let entry = Entry { key, propagate: *propagate, pool: None };
                if own { &mut level.own } else { &mut level.from_groups }.push(entry);
            }
        }
        View { subject, levels }
    }
}

impl<'a> View<'a> {
    /// Whether nothing concerns the subject.
    pub(super) fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// The entries that count on a path: those of the deepest level that has any.
    pub(super) fn entries(&self, path: &str) -> Vec<Entry<'a>> {
        self.here(path).unwrap_or_else(|| self.inherited(path))
    }

    /// Those of the path itself, if it has any.
    pub(super) fn here(&self, path: &str) -> Option<Vec<Entry<'a>>> {
        let Level { own, from_groups } = self.levels.get(path)?;
        [own, from_groups].into_iter().find(|entries| !entries.is_empty()).cloned()
    }

    /// Those that are passed on to what lies right below this path's parent.
    pub(super) fn inherited(&self, path: &str) -> Vec<Entry<'a>> {
        for level in std::iter::successors(above(path), |path| above(path)).filter_map(|at| self.levels.get(at)) {
            for entries in [&level.own, &level.from_groups] {
                let counting: Vec<Entry<'a>> = entries.iter().copied().filter(|entry| entry.propagate).collect();
                if !counting.is_empty() {
                    return counting;
                }
            }
        }
        Vec::new()
    }
}

/// The entry that takes away all that comes from its level.
pub(super) fn denying<'a>(entries: &[Entry<'a>]) -> Option<Entry<'a>> {
    entries.iter().copied().find(|entry| entry.key.role.as_str() == NO_ACCESS)
}
