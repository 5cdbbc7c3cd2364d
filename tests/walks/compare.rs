//! What stands against what should, field by field, with the defaults that Proxmox VE has.

use crate::shown::{Fields, words};

/// The fields in which what stands is not as it should be.
pub fn differing(claim: &str, wanted: &Fields, stands: &Fields) -> Vec<String> {
    let differs = |(name, wanted): &(&String, &String)| {
        let default = default_of(stands.get("type").map_or("", String::as_str), name);
        let stands = stands.get(*name).map_or("", String::as_str);
        let or_default = |text: &str| if text.trim().is_empty() { default.to_owned() } else { text.to_owned() };
        let is_set =
            matches!(name.as_str(), "privs" | "scopes" | "acr-values" | "audiences" | "user_classes" | "group_classes");
        let form = |text: &str| {
            let text = or_default(text);
            if is_set {
                let words: Vec<String> = words(&text).into_iter().map(str::to_owned).collect();
                words.join(",")
            } else if *name == "comment" {
                let text = text.trim_matches(' ');
                if text == "0" { String::new() } else { text.to_owned() }
            } else if claim.starts_with("realm ") {
                text.trim().to_owned()
            } else {
                text
            }
        };
        form(stands) != form(wanted)
    };
    wanted.iter().filter(differs).map(|(name, _)| name.clone()).collect()
}

/// What Proxmox VE does where something is absent, as its API's schema says.
fn default_of(realm: &str, name: &str) -> &'static str {
    match (realm, name) {
        (_, "enable" | "privsep" | "enabled" | "enable-new" | "query-userinfo" | "case-sensitive") => "1",
        (
            _,
            "expire" | "propagate" | "autocreate" | "groups-autocreate" | "groups-overwrite" | "default" | "verify",
        ) => "0",
        (_, "mode") => "ldap",
        (_, "capath") => "/etc/ssl/certs",
        (_, "user_classes") => "inetorgperson, posixaccount, person, user",
        (_, "group_classes") => "groupOfNames, group, univentionGroup, ipausergroup",
        (_, "scopes") => "email profile",
        ("pam", "comment") => "Linux PAM standard authentication",
        ("pve", "comment") => "Proxmox VE authentication server",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_differ_as_proxmox_ve_stores_them() {
        let fields = |name: &str, value: &str| Fields::from([(name.to_owned(), value.to_owned())]);
        for (name, wanted, stands, same) in [
            ("comment", " a ", "a", true),
            ("comment", "0", "", true),
            ("comment", "a", "A", false),
            ("enable", "1", "", true),
            ("enable", "0", "1", false),
            ("privs", "A,B", "B,A", true),
            ("privs", "A", "B,A", false),
        ] {
            let differs = !differing("user a@pve", &fields(name, wanted), &fields(name, stands)).is_empty();
            assert_eq!(differs, !same, "{name} {wanted:?} {stands:?}");
        }
    }
}
