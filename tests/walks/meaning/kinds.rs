//! What the spec of each kind says should stand.

use std::collections::BTreeSet;

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::{Reading, list};
use crate::judge::leads_to;
use crate::parameters::parameter;
use crate::pocket::joined;
use crate::schema::{SPECS, places};
use crate::shown::{Fields, text};

impl Reading<'_> {
    pub(super) fn read(&mut self, kind: &str, name: &str, spec: &Value) {
        self.secrets(kind, spec);
        let Some(id) = self.id(kind, name, spec) else { return };
        match kind {
            "ProxmoxGroup" => {
                self.claim_thing(format!("group {id}"), texts(spec, &[("comment", "comment")]));
                let policy = spec["membershipPolicy"].as_str().unwrap_or("Additive");
                for member in list(&spec["members"]).filter(|_| policy != "Ignore") {
                    if let Some(user) = self.one_of(member, "user", "ProxmoxUser") {
                        self.claim(format!("member {id} {user}"), Fields::new());
                    }
                }
                self.exact(policy, format!("members {id}"));
            }
            "ProxmoxUser" => {
                let names =
                    [("firstName", "firstname"), ("lastName", "lastname"), ("email", "email"), ("comment", "comment")];
                let mut fields = texts(spec, &names);
                if let Some(enabled) = spec["enabled"].as_bool() {
                    fields.insert("enable".to_owned(), u8::from(enabled).to_string());
                }
                expiry(spec, &mut fields);
                self.claim_thing(format!("user {id}"), fields);
                let policy = spec["membershipPolicy"].as_str().unwrap_or("Additive");
                for group in list(&spec["groups"]).filter(|_| policy != "Ignore") {
                    if let Some(group) = self.one_of(group, "group", "ProxmoxGroup") {
                        self.claim(format!("member {group} {id}"), Fields::new());
                    }
                }
                self.exact(policy, format!("groups {id}"));
            }
            "ProxmoxToken" => {
                let mut fields = texts(spec, &[("comment", "comment")]);
                let separated = spec["privilegeSeparation"].as_bool().unwrap_or(true);
                fields.insert("privsep".to_owned(), u8::from(separated).to_string());
                expiry(spec, &mut fields);
                self.claim_thing(format!("token {id}"), fields);
            }
            "ProxmoxRole" => {
                let privileges: BTreeSet<String> = list(&spec["privileges"]).map(text).collect();
                let privileges = privileges.into_iter().collect::<Vec<_>>().join(",");
                self.claim_thing(format!("role {id}"), Fields::from([("privs".to_owned(), privileges)]));
            }
            "ProxmoxPool" => {
                self.claim_thing(format!("pool {id}"), texts(spec, &[("comment", "comment")]));
                let policy = spec["membershipPolicy"].as_str().unwrap_or("Additive");
                for (field, what) in [("guests", "guest"), ("storages", "storage")] {
                    for member in list(&spec["members"][field]).filter(|_| policy != "Ignore") {
                        self.claim(format!("pool-member {id} {what}:{}", text(member)), Fields::new());
                    }
                }
                self.exact(policy, format!("pool {id}"));
            }
            "ProxmoxAcl" => {
                let propagate = u8::from(spec["propagate"].as_bool().unwrap_or(true)).to_string();
                let roles: Vec<String> =
                    list(&spec["roles"]).filter_map(|role| self.one_of(role, "role", "ProxmoxRole")).collect();
                let subjects: Vec<String> =
                    list(&spec["subjects"]).filter_map(|subject| self.subject(subject)).collect();
                for (role, subject) in roles.iter().flat_map(|role| subjects.iter().map(move |it| (role, it))) {
                    let fields = Fields::from([("propagate".to_owned(), propagate.clone())]);
                    self.claim(format!("acl {id} {subject} {role}"), fields);
                }
                self.exact(spec["entryPolicy"].as_str().unwrap_or("Additive"), format!("entries {id}"));
            }
            "ProxmoxRealm" => self.realm(&id, spec),
            "ProxmoxAccessCheck" => drop(self.subject(&spec["subject"])),
            "PocketIdGroup" => {
                let mut fields = texts(spec, &[("friendlyName", "friendlyName")]);
                if let Some(claims) = spec["customClaims"].as_object() {
                    let claims = claims.iter().map(|(key, value)| format!("{key}={}", text(value))).collect();
                    fields.insert("customClaims".to_owned(), joined(claims));
                }
                self.claim_thing(format!("id-group {id}"), fields);
                let policy = spec["membershipPolicy"].as_str().unwrap_or("Additive");
                for user in list(&spec["members"]).filter(|_| policy != "Ignore") {
                    self.claim(format!("id-member {id} {}", text(user)), Fields::new());
                }
                self.exact(policy, format!("id-members {id}"));
            }
            "PocketIdClient" => self.client(&id, spec),
            _ => {}
        }
    }

    fn realm(&mut self, id: &str, spec: &Value) {
        let mut fields = Fields::new();
        for (place, _) in places(spec, &SPECS["ProxmoxRealm"]) {
            // What is no field of its own there has tests of its own.
            let path = place.trim_start_matches('/').replace('/', ".");
            let Some(name) = parameter("ProxmoxRealm", &path).and_then(|it| it.strip_prefix('`')?.strip_suffix('`'))
            else {
                continue;
            };
            let value = spec.pointer(&place).expect("a place");
            let is_plain =
                !name.contains(['`', ':', ' ']) && !path.contains("Ref.") && !path.ends_with("users.attributes");
            if is_plain && path != "realm" && name != "check-connection" {
                fields.insert(name.to_owned(), text(value));
            }
        }
        if let Some(client) = spec["openid"].get("clientRef")
            && let Some(id) = self.referred("PocketIdClient", &client["name"])
        {
            fields.insert("client-id".to_owned(), id);
            fields.insert("issuer-url".to_owned(), self.around.issuer.to_owned());
        }
        let kind = ["openid", "ldap", "ad", "pam", "pve"].into_iter().find(|kind| spec[*kind].is_object());
        fields.insert("type".to_owned(), kind.unwrap_or_default().to_owned());
        self.claim_thing(format!("realm {id}"), fields);
        for job in list(&spec["syncJobs"]) {
            let mut fields = texts(job, &[("schedule", "schedule"), ("scope", "scope"), ("comment", "comment")]);
            fields.insert("realm".to_owned(), id.to_owned());
            for (field, name) in [("enabled", "enabled"), ("enableNew", "enable-new")] {
                if let Some(flag) = job[field].as_bool() {
                    fields.insert(name.to_owned(), u8::from(flag).to_string());
                }
            }
            self.claim(format!("sync-job {}", text(&job["id"])), fields);
        }
    }

    /// Nobody but the groups that it names gets in.
    fn client(&mut self, id: &str, spec: &Value) {
        let mut fields = texts(spec, &[("displayName", "displayName")]);
        let mut callbacks: BTreeSet<String> = list(&spec["callbackUrls"]).map(text).collect();
        if let Some(connection) = spec["callbackUrlsFrom"].get("connectionRef") {
            if leads_to(connection, "pve") {
                callbacks.insert(self.around.endpoint.to_owned());
            } else {
                self.meaning.astray = true;
            }
        }
        let groups: BTreeSet<String> =
            list(&spec["allowedGroups"]).filter_map(|group| self.one_of(group, "group", "PocketIdGroup")).collect();
        self.meaning.names.extend(groups.iter().map(|group| format!("id-group {group}")));
        let flag = |flag: bool| u8::from(flag).to_string();
        fields.insert("callbackUrls".to_owned(), joined(callbacks));
        fields.insert("pkce".to_owned(), flag(spec["pkce"].as_bool().unwrap_or(true)));
        fields.insert("public".to_owned(), flag(false));
        fields.insert("restricted".to_owned(), flag(true));
        fields.insert("allowedGroups".to_owned(), joined(groups));
        self.claim_thing(format!("id-client {id}"), fields);
    }
}

/// Texts that are set, by their names in Proxmox VE.
fn texts(spec: &Value, names: &[(&str, &str)]) -> Fields {
    names.iter().filter_map(|(field, name)| Some(((*name).to_owned(), spec[*field].as_str()?.to_owned()))).collect()
}

fn expiry(spec: &Value, fields: &mut Fields) {
    if let Some(time) = spec["expiresAt"].as_str() {
        let seconds = time.parse::<Timestamp>().map_or(0, Timestamp::as_second);
        fields.insert("expire".to_owned(), seconds.to_string());
    }
}
