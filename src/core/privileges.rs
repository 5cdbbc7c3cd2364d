//! The names of privileges, as far as this version of Proxmox VE knows them.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::ids::RoleId;
use crate::core::snapshot::Role;
use crate::core::text::first_of;

/// How many are named, since a message has its limit.
const SHOWN: usize = 20;

/// What is wrong with names that this version does not know.
pub fn unknown<'a>(names: impl IntoIterator<Item = &'a str>, roles: &BTreeMap<RoleId, Role>) -> Option<String> {
    // Administrator has every privilege that this version knows, so that the roles together tell them all.
    let known: BTreeSet<&str> = roles.values().flat_map(|role| role.privileges.iter().map(String::as_str)).collect();
    let unknown: Vec<String> = names
        .into_iter()
        .filter(|name| !known.contains(name))
        .map(|name| match near(name, &known) {
            // Its uses were spread over several others.
            _ if name == "VM.Monitor" => {
                format!("{name} (it ended with version 9: see VM.GuestAgent.Audit and its like, and Sys.Audit)")
            }
            Some(near) => format!("{name} (did you mean {near}?)"),
            None => name.to_owned(),
        })
        .collect();
    let shown = first_of(&unknown, SHOWN, ", ");
    (!unknown.is_empty() && !known.is_empty())
        .then(|| format!("this version of Proxmox VE does not know the privilege {shown}"))
}

/// The known name most like another one.
pub fn near<'a>(name: &str, known: &BTreeSet<&'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.85;
    let likeness = |other: &str| strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase());
    known
        .iter()
        .map(|other| (likeness(other), *other))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| other)
}
