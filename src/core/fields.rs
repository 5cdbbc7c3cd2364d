//! Fields of named things, by PVE's names, and how they compare.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::snapshot::OptionValue;
use crate::core::text::{same_comment, stored_comment};

/// Fields with their values, by PVE's names. Booleans are `0` and `1`, times are seconds since 1970.
pub type Fields = BTreeMap<String, OptionValue>;

/// The managed fields of a thing, by PVE's names; `None` clears.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes(pub BTreeMap<&'static str, Option<OptionValue>>);

/// What separates a thing from what it should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// To set.
    pub set: Fields,
    /// To clear.
    pub unset: BTreeSet<String>,
}

impl Difference {
    /// The names of all that differs.
    pub fn names(&self) -> Vec<String> {
        self.set.keys().chain(&self.unset).cloned().collect()
    }

    /// True when nothing differs.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.unset.is_empty()
    }
}

impl Wishes {
    /// A text, cleared by an empty one; unmanaged when unset.
    pub fn text(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            let value = stored_comment(value);
            let value = (!value.is_empty()).then(|| OptionValue::Plain(value.to_owned()));
            self.0.insert(name, value);
        }
    }

    /// A value that stands as it is.
    pub fn value(&mut self, name: &'static str, value: impl Into<String>) {
        self.0.insert(name, Some(OptionValue::Plain(value.into())));
    }

    /// A boolean; unmanaged when unset.
    pub fn flag(&mut self, name: &'static str, value: Option<bool>) {
        if let Some(value) = value {
            self.value(name, if value { "1" } else { "0" });
        }
    }

    /// The fields that a new thing is made with.
    pub fn for_create(&self) -> Fields {
        self.0.iter().filter_map(|(name, value)| Some(((*name).to_owned(), value.clone()?))).collect()
    }

    /// What to change on a thing that stands with these fields.
    pub fn difference(&self, standing: &Fields) -> Difference {
        let mut difference = Difference::default();
        for (name, wanted) in &self.0 {
            let stands = standing.get(*name).map(OptionValue::expose);
            match wanted {
                wanted if same(name, stands, wanted.as_ref().map(OptionValue::expose)) => {}
                Some(value) => drop(difference.set.insert((*name).to_owned(), value.clone())),
                None => drop(difference.unset.insert((*name).to_owned())),
            }
        }
        difference
    }
}

fn same(name: &str, stands: Option<&str>, wanted: Option<&str>) -> bool {
    let default = match name {
        // The schemas of `/access/users` and its tokens, and of `/cluster/jobs/realm-sync`.
        "enable" | "privsep" | "enabled" | "enable-new" => "1",
        "expire" => "0",
        _ => "",
    };
    let (stands, wanted) = (stands.unwrap_or(default), wanted.unwrap_or(default));
    let stands = if name == "remove-vanished" && stands == "none" { "" } else { stands };
    match name {
        "privs" | "remove-vanished" => {
            let set = |text: &str| -> BTreeSet<String> {
                text.split([',', ';']).filter(|name| !name.is_empty()).map(str::to_owned).collect()
            };
            set(stands) == set(wanted)
        }
        _ => same_comment(stands, wanted) || stands == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), OptionValue::Plain((*value).to_owned()))).collect()
    }

    #[test]
    fn fields_compare_as_pve_stores_them() {
        for (name, stands, wanted, differs) in [
            ("comment", Some("a"), " a ", false),
            ("comment", None, "0", false),
            ("comment", Some("a"), "", true),
            ("privs", Some("A,B"), "B,A", false),
            ("privs", Some("A,B"), "A", true),
            ("enable", None, "1", false),
            ("enable", Some("1"), "0", true),
            ("expire", None, "0", false),
            ("expire", Some("0"), "7", true),
        ] {
            let mut wishes = Wishes::default();
            match name {
                "comment" => wishes.text("comment", Some(wanted)),
                "privs" => wishes.value("privs", wanted),
                "enable" => wishes.value("enable", wanted),
                _ => wishes.value("expire", wanted),
            }
            let standing = stands.map(|stands| fields(&[(name, stands)])).unwrap_or_default();
            assert_eq!(!wishes.difference(&standing).is_empty(), differs, "{name} {stands:?} {wanted:?}");
        }
    }

    #[test]
    fn what_is_not_mentioned_is_not_managed_and_what_is_empty_is_cleared() {
        let mut wishes = Wishes::default();
        wishes.text("comment", None);
        wishes.flag("enable", None);
        wishes.text("email", Some(""));
        let difference = wishes.difference(&fields(&[("comment", "c"), ("enable", "0"), ("email", "e")]));
        assert_eq!((difference.set.len(), difference.names()), (0, vec!["email".to_owned()]));
        assert!(wishes.for_create().is_empty());
    }
}
