//! What a realm should look like, compared the way PVE stores it.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::snapshot::{OptionValue, Realm, RealmOptions};
use crate::core::text::same_comment;

/// PVE's name of the option that can be given only when a realm is created (FACTS 64).
const USERNAME_CLAIM: &str = "username-claim";

/// Not an option but a question along with a change.
const CHECK_CONNECTION: &str = "check-connection";

/// Options that decide whether the directory is reached.
const OF_THE_WAY: [&str; 13] = [
    "server1",
    "server2",
    "port",
    "mode",
    "verify",
    "capath",
    "cert",
    "certkey",
    "sslversion",
    "bind_dn",
    "password",
    "base_dn",
    "domain",
];

/// The managed part of a realm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealmContent {
    /// PVE's `type`.
    pub kind: &'static str,
    /// By PVE's names; `None` removes the option.
    pub options: BTreeMap<String, Option<OptionValue>>,
    /// Whether PVE tries the way to a directory before it takes a change of it.
    pub check_connection: bool,
}

impl RealmContent {
    /// The value of an option as it should be.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.options.get(name)?.as_ref().map(OptionValue::expose)
    }

    /// Whether the login form is to begin with it.
    pub fn is_default(&self) -> bool {
        self.value("default") == Some("1")
    }
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
        let mut options: RealmOptions =
            self.options.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?))).collect();
        self.check(&mut options);
        options
    }

    /// Asks PVE to try the way to the directory.
    fn check(&self, set: &mut RealmOptions) {
        if self.check_connection {
            set.insert(CHECK_CONNECTION.to_owned(), OptionValue::Plain("1".to_owned()));
        }
    }

    /// Has PVE try the way to the directory with a change of it.
    pub fn checked(&self, difference: &mut RealmDifference) {
        let changed = difference.set.keys().chain(&difference.unset);
        if changed.into_iter().any(|name| OF_THE_WAY.contains(&name.as_str())) {
            self.check(&mut difference.set);
        }
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
        // Property strings, which PVE shows with its own order of keys (FACTS 70).
        "sync-defaults-options" | "sync_attributes" | "tfa" => properties(name, stands) == properties(name, wanted),
        "scopes" | "acr-values" | "audiences" | "user_classes" | "group_classes" => {
            // PVE's lists: a blank in acr-values is refused (recording `realms-openid-errors`), so they take commas.
            let words = |text: &str| {
                text.split([' ', ',', ';']).filter(|word| !word.is_empty()).map(str::to_owned).collect::<BTreeSet<_>>()
            };
            words(stands) == words(wanted)
        }
        _ => stands.trim() == wanted.trim(),
    }
}

/// `key=value` pairs in any order, with what PVE takes where one is absent; a value may be a set joined by `;`.
fn properties<'a>(name: &str, text: &'a str) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let defaults = match name {
        "sync-defaults-options" => "enable-new=1,remove-vanished=none",
        "tfa" => "digits=6,step=30",
        _ => "",
    };
    let pairs = defaults.split(',').chain(text.split(',')).map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or(("", pair)))
        .map(|(key, value)| (key.trim(), value.split(';').map(str::trim).collect()))
        .collect()
}

/// What PVE does when the option is absent (schema of `/access/domains`), and for the built-in realms the text
/// that stands for an empty comment (FACTS 69).
fn default_of(kind: &str, name: &str) -> &'static str {
    match (kind, name) {
        (_, "autocreate" | "groups-autocreate" | "groups-overwrite" | "default" | "verify") => "0",
        (_, "query-userinfo" | "case-sensitive") => "1",
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

    fn differs(kind: &'static str, name: &str, stands: Option<&str>, wanted: Option<&str>) -> bool {
        let value = |text: &str| OptionValue::Plain(text.to_owned());
        let options = BTreeMap::from([(name.to_owned(), wanted.map(value))]);
        let content = RealmContent { kind, options, check_connection: false };
        let standing = Realm { kind: kind.to_owned(), default: false, options: None };
        let shown = stands.map(|text| RealmOptions::from([(name.to_owned(), value(text))])).unwrap_or_default();
        !content.difference(&standing, &shown).is_empty()
    }

    #[test]
    fn every_option_is_equal_as_pve_shows_it_and_otherwise_changed_or_removed() {
        for (kind, name, shown, equal, other) in [
            ("ldap", "server1", "ldap.example.com", "ldap.example.com", "10.0.0.1"),
            ("ldap", "server2", "::1", "::1", "fd00::1"),
            ("ldap", "port", "636", "636", "389"),
            ("ldap", "base_dn", "dc=example, dc=com", " dc=example, dc=com ", "dc=example,dc=com"),
            ("ldap", "bind_dn", "cn=a", "cn=a", "cn=b"),
            ("ldap", "user_attr", "uid", "uid", "cn"),
            ("ad", "domain", "example.com", "example.com", "example.org"),
            ("ad", "case-sensitive", "0", "0", "1"),
            ("ldap", "mode", "ldap+starttls", "ldap+starttls", "ldaps"),
            ("ldap", "verify", "1", "1", "0"),
            ("ldap", "capath", "/etc/ca", "/etc/ca", "/etc/ssl/certs"),
            ("ldap", "cert", "/etc/c", "/etc/c", "/etc/d"),
            ("ldap", "certkey", "/etc/k", "/etc/k", "/etc/l"),
            ("ldap", "sslversion", "tlsv1_2", "tlsv1_2", "tlsv1_3"),
            ("ldap", "filter", "(a=b)", "(a=b)", "(a=c)"),
            ("ldap", "user_classes", "inetorgperson, person", "person,inetorgperson", "person"),
            ("ldap", "sync_attributes", "email=mail, keys=k", "keys=k,email=mail", "email=mail"),
            ("ldap", "group_dn", "ou=groups", "ou=groups", "ou=teams"),
            ("ldap", "group_filter", "(c=d)", "(c=d)", "(c=e)"),
            ("ldap", "group_classes", "group", "group", "groupOfNames"),
            ("ldap", "group_name_attr", "cn", "cn", "ou"),
            ("ldap", "sync-defaults-options", "enable-new=1,scope=both", "scope=both,enable-new=1", "scope=users"),
            ("ldap", "sync-defaults-options", "remove-vanished=entry;acl", "remove-vanished=acl;entry", "scope=both"),
            ("ldap", "sync-defaults-options", "remove-vanished=none,scope=both", "scope=both", "remove-vanished=acl"),
            ("ldap", "comment", "c", " c ", "d"),
            ("pam", "comment", "ours", "ours", "theirs"),
            ("pam", "tfa", "digits=8,type=oath", "type=oath,digits=8", "type=oath"),
            ("pve", "tfa", "type=oath", "type=oath,digits=6,step=30", "type=oath,step=60"),
            ("ldap", "tfa", "id=1,key=Ay8=,type=yubico", "type=yubico,id=1,key=Ay8=", "type=yubico,id=1,key=Ay9="),
            ("openid", "audiences", "a,b", "b,a", "a"),
        ] {
            assert!(!differs(kind, name, Some(shown), Some(equal)), "{kind} {name} {shown} {equal}");
            assert!(differs(kind, name, Some(shown), Some(other)), "{kind} {name} {shown} {other}");
            assert!(differs(kind, name, Some(shown), None), "{kind} {name} {shown} removed");
            assert!(!differs(kind, name, None, None), "{kind} {name} is not there");
        }
    }

    #[test]
    fn what_pve_takes_by_itself_is_no_difference() {
        for (name, default) in [
            ("mode", "ldap"),
            ("verify", "0"),
            ("case-sensitive", "1"),
            ("default", "0"),
            ("capath", "/etc/ssl/certs"),
            ("user_classes", "user,person,posixaccount,inetorgperson"),
            ("group_classes", "groupOfNames,group,univentionGroup,ipausergroup"),
            ("sync-defaults-options", "enable-new=1"),
        ] {
            assert!(!differs("ldap", name, None, Some(default)), "{name} {default}");
            assert!(!differs("ldap", name, Some(default), None), "{name} {default} stays");
        }
    }

    #[test]
    fn the_way_is_tried_with_a_change_of_it_and_with_no_other() {
        let content = RealmContent { kind: "ldap", options: BTreeMap::new(), check_connection: true };
        for (name, tried) in [("server1", true), ("password", true), ("comment", false), ("filter", false)] {
            let set = RealmOptions::from([(name.to_owned(), OptionValue::Plain("x".to_owned()))]);
            let mut difference = RealmDifference { set, ..RealmDifference::default() };
            content.checked(&mut difference);
            assert_eq!(difference.set.contains_key(CHECK_CONNECTION), tried, "{name}");
        }
        assert!(content.for_create().contains_key(CHECK_CONNECTION));
    }
}
