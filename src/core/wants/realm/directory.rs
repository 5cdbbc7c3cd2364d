//! The options of realms of types ldap and ad.

use std::collections::{BTreeMap, BTreeSet};

use super::options::Options;
use crate::api::directory::{
    AdRealm, Directory, DirectoryGroups, DirectoryMode, DirectoryTls, DirectoryUsers, LdapRealm, SyncDefaults, SyncJob,
    SyncScope, TlsVersion, Vanished,
};
use crate::core::fields::Wishes;
use crate::core::ids::RealmId;
use crate::core::wants::References;

impl Options {
    pub fn ldap(&mut self, ldap: &LdapRealm, references: &References<'_>) {
        let LdapRealm { base_dn, user_attribute, directory } = ldap;
        self.text("base_dn", Some(base_dn));
        self.text("user_attr", Some(user_attribute));
        self.directory(directory, references);
    }

    pub fn ad(&mut self, ad: &AdRealm, references: &References<'_>) {
        let AdRealm { domain, base_dn, user_attribute, directory } = ad;
        self.text("domain", Some(domain));
        self.text("base_dn", base_dn.as_deref());
        self.text("user_attr", user_attribute.as_deref());
        self.directory(directory, references);
    }

    fn directory(&mut self, directory: &Directory, references: &References<'_>) {
        let Directory {
            servers,
            port,
            case_sensitive,
            bind_dn,
            bind_password_secret_ref,
            tls,
            users,
            groups,
            sync_defaults,
            check_connection,
        } = directory;
        self.text("server1", servers.first().map(String::as_str));
        self.text("server2", Some(servers.get(1).map_or("", String::as_str)));
        self.text("port", port.map(|port| port.to_string()).as_deref());
        self.flag("case-sensitive", *case_sensitive);
        self.text("bind_dn", bind_dn.as_deref());
        if let Some(reference) = bind_password_secret_ref {
            match references.hidden("password", reference) {
                Ok(hidden) => self.hidden = Some(hidden),
                Err(refusal) => self.refusals.push(refusal),
            }
        }
        if let Some(DirectoryTls { mode, verify, ca_path, cert_path, key_path, version }) = tls {
            self.text("mode", mode.map(DirectoryMode::as_str));
            self.flag("verify", *verify);
            self.text("capath", ca_path.as_deref());
            self.text("cert", cert_path.as_deref());
            self.text("certkey", key_path.as_deref());
            self.text("sslversion", version.map(TlsVersion::as_str));
        }
        if let Some(DirectoryUsers { filter, classes, attributes }) = users {
            self.text("filter", filter.as_deref());
            self.list("user_classes", classes.as_ref());
            self.text("sync_attributes", attributes.as_ref().map(sync_attributes).as_deref());
        }
        if let Some(DirectoryGroups { dn, filter, classes, name_attribute }) = groups {
            self.text("group_dn", dn.as_deref());
            self.text("group_filter", filter.as_deref());
            self.list("group_classes", classes.as_ref());
            self.text("group_name_attr", name_attribute.as_deref());
        }
        self.text("sync-defaults-options", sync_defaults.as_ref().map(defaults).as_deref());
        self.check_connection = check_connection.unwrap_or_default();
    }

    fn list(&mut self, name: &str, values: Option<&Vec<String>>) {
        self.text(name, values.map(|values| values.join(",")).as_deref());
    }
}

fn sync_attributes(attributes: &BTreeMap<String, String>) -> String {
    attributes.iter().map(|(property, attribute)| format!("{property}={attribute}")).collect::<Vec<_>>().join(",")
}

/// With sorted keys, as PVE shows it (recording `realms-ldap-crud`).
fn defaults(defaults: &SyncDefaults) -> String {
    let SyncDefaults { scope, enable_new, remove_vanished } = defaults;
    let enable_new = enable_new.map(|enable| format!("enable-new={}", u8::from(enable)));
    let vanished = vanished(remove_vanished);
    let vanished = (!vanished.is_empty()).then(|| format!("remove-vanished={vanished}"));
    let scope = scope.map(|scope| format!("scope={}", SyncScope::as_str(scope)));
    [enable_new, vanished, scope].into_iter().flatten().collect::<Vec<_>>().join(",")
}

/// What a sync job of a realm should look like.
pub fn job(job: &SyncJob, realm: &RealmId) -> Wishes {
    let SyncJob { id: _, schedule, scope, enabled, enable_new, remove_vanished, comment } = job;
    let mut wishes = Wishes::default();
    wishes.value("realm", realm.as_str());
    wishes.value("schedule", schedule.as_str());
    wishes.value("scope", scope.as_str());
    wishes.flag("enabled", *enabled);
    wishes.flag("enable-new", *enable_new);
    wishes.text("remove-vanished", remove_vanished.as_deref().map(vanished).as_deref());
    wishes.text("comment", comment.as_deref());
    wishes
}

/// What is removed, as PVE writes it.
fn vanished(parts: &[Vanished]) -> String {
    parts.iter().collect::<BTreeSet<_>>().into_iter().map(|part| part.as_str()).collect::<Vec<_>>().join(";")
}
