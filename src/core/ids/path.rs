//! Where paths of the permission tree lie.

use super::AclPath;

impl AclPath {
    /// The root of the permission tree.
    pub fn root() -> Self {
        Self::observed("/")
    }

    /// The path and all above it, the deepest first, ending with `/`.
    pub fn upwards(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.as_str()), |path| above(path))
    }

    /// True when `self` is `other` or lies below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.upwards().any(|path| path == other.as_str())
    }
}

/// The path that one lies below, `None` for `/`.
pub fn above(path: &str) -> Option<&str> {
    match path.rfind('/') {
        Some(0) if path.len() > 1 => Some("/"),
        Some(0) | None => None,
        Some(cut) => path.get(..cut),
    }
}
