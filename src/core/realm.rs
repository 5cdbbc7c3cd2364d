//! What a realm should look like, compared the way PVE stores it.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::snapshot::{OptionValue, Realm, RealmOptions};
use crate::core::text::same_comment;

/// PVE's name of the option that can be given only when a realm is created (FACTS 64).
const USERNAME_CLAIM: &str = "username-claim";

/// The managed part of a realm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealmContent {
    /// PVE's `type`.
    pub kind: &'static str,
    /// By PVE's names; `None` removes the option.
    pub options: BTreeMap<String, Option<OptionValue>>,
}

/// What separates a realm from what it should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RealmDifference {
    /// To set.
    pub set: RealmOptions,
    /// To remove.
    pub unset: BTreeSet<String>,
    /// Cannot be changed any more: the names of the fields.
    pub fixed: BTreeSet<String>,
}

impl RealmDifference {
    /// The names of all that differs.
    pub fn fields(&self) -> Vec<String> {
        self.set.keys().chain(&self.unset).chain(&self.fixed).cloned().collect()
    }

    /// True when nothing differs.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.unset.is_empty() && self.fixed.is_empty()
    }
}

impl RealmContent {
    /// The options a new realm is made with.
    pub fn for_create(&self) -> RealmOptions {
        self.options.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?))).collect()
    }

    /// What to change on a realm that stands with these options.
    pub fn difference(&self, standing: &Realm, options: &RealmOptions) -> RealmDifference {
        let mut difference = RealmDifference::default();
        if standing.kind != self.kind {
            difference.fixed.insert("type".to_owned());
            return difference;
        }
        for (name, value) in &self.options {
            let stands = options.get(name).map(OptionValue::expose);
            let wanted = value.as_ref().map(OptionValue::expose);
            if same_option(&standing.kind, name, stands, wanted) {
            } else if name == USERNAME_CLAIM {
                difference.fixed.insert(name.clone());
            } else if let Some(value) = value {
                difference.set.insert(name.clone(), value.clone());
            } else {
                difference.unset.insert(name.clone());
            }
        }
        difference
    }
}

fn same_option(kind: &str, name: &str, stands: Option<&str>, wanted: Option<&str>) -> bool {
    let default = default_of(kind, name);
    let (stands, wanted) = (stands.unwrap_or(default), wanted.unwrap_or(default));
    match name {
        "comment" => same_comment(stands.trim(), wanted.trim()),
        "scopes" | "acr-values" => {
            // PVE's lists: a blank in acr-values is refused (recording `realms-openid-errors`), so they take commas.
            let words = |text: &str| {
                text.split([' ', ',', ';']).filter(|word| !word.is_empty()).map(str::to_owned).collect::<BTreeSet<_>>()
            };
            words(stands) == words(wanted)
        }
        _ => stands.trim() == wanted.trim(),
    }
}

/// What PVE does when the option is absent (schema of `/access/domains`), and for the built-in realms the text
/// that stands for an empty comment (FACTS 69).
fn default_of(kind: &str, name: &str) -> &'static str {
    match (kind, name) {
        (_, "autocreate" | "groups-autocreate" | "groups-overwrite" | "default") => "0",
        (_, "query-userinfo") => "1",
        (_, "scopes") => "email profile",
        ("pam", "comment") => "Linux PAM standard authentication",
        ("pve", "comment") => "Proxmox VE authentication server",
        _ => "",
    }
}
