//! A realm's directory, as PVE talks to it.

use std::collections::{BTreeMap, BTreeSet};

use super::property_string;
use super::sections::Section;
use crate::sim::ldap::{Connection, Found, LdapError};

const USER_CLASSES: &str = "inetorgperson, posixaccount, person, user";
const GROUP_CLASSES: &str = "groupOfNames, group, univentionGroup, ipausergroup";

/// The options of a realm that its directory is reached and searched with.
#[derive(Debug, Clone)]
pub struct RealmDirectory {
    options: BTreeMap<String, String>,
    kind: String,
    password: String,
}

/// A person of the directory.
#[derive(Debug, Clone)]
pub struct Person {
    /// The name in the directory, by which groups list their members.
    pub dn: String,
    /// The part of the user's id before `@`.
    pub name: String,
    /// Properties of the user, as the realm maps them: property, attribute, value.
    pub properties: Vec<(String, String, String)>,
}

/// A group of the directory.
#[derive(Debug, Clone)]
pub struct PeopleGroup {
    /// Its name, without the realm.
    pub name: String,
    /// Names of its members in the directory.
    pub members: BTreeSet<String>,
}

impl RealmDirectory {
    /// Of a realm as it stands, with its bind password.
    pub fn new(realm: &Section, password: Option<String>) -> Self {
        let kind = realm.kind.clone().unwrap_or_default();
        Self { options: realm.options.clone(), kind, password: password.unwrap_or_default() }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    fn servers(&self) -> Vec<String> {
        let port = self.get("port").unwrap_or(if self.get("mode") == Some("ldaps") { "636" } else { "389" });
        let servers = [self.get("server1"), self.get("server2")].into_iter().flatten();
        servers.map(|server| format!("{server}:{port}")).collect()
    }

    fn open(&self) -> Result<Connection, LdapError> {
        let dn = self.get("bind_dn").unwrap_or_default();
        Connection::open(&self.servers(), dn, if dn.is_empty() { "" } else { &self.password })
    }

    /// Whether the directory can be reached and logged in to.
    ///
    /// # Errors
    /// In the words of PVE.
    pub fn check(&self) -> Result<(), LdapError> {
        self.open().map(drop)
    }

    /// Whether a user of the realm logs in with a password.
    pub fn knows(&self, name: &str, password: &str) -> bool {
        let attribute = self.user_attribute();
        let found = self
            .open()
            .and_then(|mut connection| connection.search(self.base(), &format!("({attribute}={name})"), &[attribute]));
        let Ok([Found { dn, .. }]) = found.as_deref() else { return false };
        !password.is_empty() && Connection::open(&self.servers(), dn, password).is_ok()
    }

    fn base(&self) -> &str {
        self.get("base_dn").unwrap_or_default()
    }

    fn user_attribute(&self) -> &str {
        self.get("user_attr").unwrap_or(if self.kind == "ad" { "sAMAccountName" } else { "uid" })
    }

    fn filter(classes: &str, more: Option<&str>) -> String {
        let classes = classes.split([',', ' ']).filter(|it| !it.is_empty());
        let classes = classes.flat_map(|class| ["(objectClass=", class, ")"]).collect::<String>();
        more.map_or_else(|| format!("(|{classes})"), |more| format!("(&{more}(|{classes}))"))
    }

    /// Everybody who may be synced.
    ///
    /// # Errors
    /// In the words of PVE.
    pub fn people(&self) -> Result<Vec<Person>, LdapError> {
        let filter = Self::filter(self.get("user_classes").unwrap_or(USER_CLASSES), self.get("filter"));
        let map = property_string::parse(self.get("sync_attributes").unwrap_or_default());
        let mut wanted: Vec<&str> = map.values().copied().collect();
        wanted.push(self.user_attribute());
        let found = self.open()?.search(self.base(), &filter, &wanted)?;
        let person = |found: Found| {
            let property = |(property, attribute): (&&str, &&str)| {
                let value = found.first(attribute)?.to_owned();
                Some(((*property).to_owned(), (*attribute).to_owned(), value))
            };
            let name = found.first(self.user_attribute())?.to_owned();
            Some(Person { name, properties: map.iter().filter_map(property).collect(), dn: found.dn.clone() })
        };
        Ok(found.into_iter().filter_map(person).collect())
    }

    /// All groups that may be synced.
    ///
    /// # Errors
    /// In the words of PVE.
    pub fn groups(&self) -> Result<Vec<PeopleGroup>, LdapError> {
        let filter = Self::filter(self.get("group_classes").unwrap_or(GROUP_CLASSES), self.get("group_filter"));
        let base = self.get("group_dn").unwrap_or_else(|| self.base());
        let attribute = self.get("group_name_attr");
        let wanted: Vec<&str> = ["member", "uniqueMember"].into_iter().chain(attribute).collect();
        let found = self.open()?.search(base, &filter, &wanted)?;
        let group = |found: Found| {
            let first_part = || Some(found.dn.split(',').next()?.split_once('=')?.1.to_owned());
            let name = attribute.map_or_else(first_part, |name| found.first(name).map(str::to_owned))?;
            let members = found.all("member").iter().chain(found.all("uniqueMember")).cloned().collect();
            Some(PeopleGroup { name, members })
        };
        Ok(found.into_iter().filter_map(group).collect())
    }
}
