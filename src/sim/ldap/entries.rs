//! Who is in the directory.

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub dn: String,
    /// Its attributes, `objectClass` included.
    pub attributes: Vec<(String, Vec<String>)>,
    /// The password that it logs in with.
    pub password: Option<String>,
}

impl Entry {
    /// An entry without password.
    pub fn new(dn: &str, attributes: &[(&str, &[&str])]) -> Self {
        let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        Self {
            dn: dn.to_owned(),
            attributes: attributes.iter().map(|(name, values)| ((*name).to_owned(), owned(values))).collect(),
            password: None,
        }
    }

    /// A person below `ou=people,dc=example,dc=com`.
    pub fn person(uid: &str, attributes: &[(&str, &[&str])]) -> Self {
        let mut entry = Self::new(&format!("uid={uid},ou=people,dc=example,dc=com"), attributes);
        entry.attributes.push(("objectClass".to_owned(), vec!["inetOrgPerson".to_owned(), "person".to_owned()]));
        entry.attributes.push(("uid".to_owned(), vec![uid.to_owned()]));
        entry
    }

    /// A group below `ou=groups,dc=example,dc=com` with these people.
    pub fn group(name: &str, people: &[&str]) -> Self {
        let mut entry = Self::new(&format!("cn={name},ou=groups,dc=example,dc=com"), &[]);
        let members = people.iter().map(|uid| format!("uid={uid},ou=people,dc=example,dc=com"));
        entry.attributes.push(("objectClass".to_owned(), vec!["groupOfNames".to_owned()]));
        entry.attributes.push(("cn".to_owned(), vec![name.to_owned()]));
        entry.attributes.push(("member".to_owned(), members.collect()));
        entry
    }

    /// With a password.
    #[must_use]
    pub fn with_password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// The values of an attribute.
    pub fn values(&self, name: &str) -> &[String] {
        let found = self.attributes.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map_or(&[], |(_, values)| values.as_slice())
    }
}

/// The directory that recording `realms-ldap-sync` was made with, as far as it shows.
pub(super) fn recorded() -> Vec<Entry> {
    vec![
        Entry::new("cn=admin,dc=example,dc=com", &[("cn", &["admin"])]).with_password("bind-secret"),
        Entry::person("ann", &[("givenName", &["Ann"]), ("sn", &["Bee"]), ("mail", &["ann@example.com"])])
            .with_password("ann-password"),
        Entry::person("ben", &[("givenName", &["Ben"]), ("sn", &["Müller"]), ("mail", &["not-an-address"])])
            .with_password("ben-password"),
        Entry::person("with space", &[("sn", &["Space"])]),
        Entry::group("devs", &["ann", "ben"]),
        Entry::group("bad name", &["ann"]),
    ]
}
