//! What the objects of a world say should stand: worked out from their specs alone, without the operator's code.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::judge::{is_of_connection, leads_to};
use crate::parameters::parameter;
use crate::pocket::joined;
use crate::schema::{SPECS, places};
use crate::shown::{Fields, text};

/// Objects by kind and name, with their specs.
pub type Specs = BTreeMap<(String, String), Value>;

/// What there is to refer to.
pub struct Around<'a> {
    pub specs: &'a Specs,
    /// The Secrets that are there; all have the same keys.
    pub secrets: &'a BTreeSet<String>,
    /// Where Proxmox VE is.
    pub endpoint: &'a str,
    /// What Pocket ID calls itself.
    pub issuer: &'a str,
}

/// The keys of every Secret.
pub const KEYS: [&str; 2] = ["key", "id"];

/// What one object says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Meaning {
    /// The named thing that it is about.
    pub thing: Option<String>,
    /// What should stand, with the fields that are managed.
    pub claims: BTreeMap<String, Fields>,
    /// The sets in which nothing else may stand: `members g`, `groups u`, `pool p`, `entries /path`.
    pub exact: BTreeSet<String>,
    /// The objects that it refers to.
    pub refers: BTreeSet<(String, String)>,
    /// Other things that it names and does not claim.
    pub names: BTreeSet<String>,
    /// References that lead nowhere.
    pub astray: bool,
    /// A key of a Secret that is not there.
    pub secretless: bool,
}

/// What an object means.
pub fn of(kind: &str, name: &str, spec: &Value, around: &Around<'_>) -> Meaning {
    let mut reading = Reading { around, meaning: Meaning::default() };
    reading.read(kind, name, spec);
    reading.meaning
}

struct Reading<'a> {
    around: &'a Around<'a>,
    meaning: Meaning,
}

impl Reading<'_> {
    fn read(&mut self, kind: &str, name: &str, spec: &Value) {
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

    /// What an object is called in Proxmox VE; of an ACL or check it is the path.
    fn id(&mut self, kind: &str, name: &str, spec: &Value) -> Option<String> {
        let given = |field: &str| spec[field].as_str();
        Some(match kind {
            "ProxmoxGroup" if spec["oidc"].is_object() => {
                let oidc = &spec["oidc"];
                let group = match oidc["groupRef"]["name"].as_str() {
                    Some(name) => self.named(name),
                    None => oidc["group"].as_str().map(str::to_owned),
                };
                let realm = self.one_of(oidc, "realm", "ProxmoxRealm");
                format!("{}-{}", group?, realm?)
            }
            "ProxmoxGroup" => given("groupId").unwrap_or(name).to_owned(),
            "ProxmoxUser" => match given("userId") {
                Some(id) => id.to_owned(),
                None => {
                    format!("{}@{}", given("userName").unwrap_or(name), self.one_of(spec, "realm", "ProxmoxRealm")?)
                }
            },
            "ProxmoxToken" => {
                let user = self.one_of(spec, "user", "ProxmoxUser")?;
                format!("{user}!{}", given("tokenId").unwrap_or(name))
            }
            "ProxmoxRole" => given("roleId").unwrap_or(name).to_owned(),
            "ProxmoxPool" => given("poolId").unwrap_or(name).to_owned(),
            "ProxmoxRealm" => given("realm").unwrap_or(name).to_owned(),
            "ProxmoxAcl" => match given("path") {
                Some(path) => path.to_owned(),
                None => format!("/pool/{}", self.referred("ProxmoxPool", &spec["poolRef"]["name"])?),
            },
            "ProxmoxAccessCheck" => given("path")?.to_owned(),
            "PocketIdGroup" => given("groupName").unwrap_or(name).to_owned(),
            "PocketIdClient" => given("clientId").unwrap_or(name).to_owned(),
            _ => return None,
        })
    }

    /// An id, or what a reference beside it leads to.
    fn one_of(&mut self, union: &Value, field: &str, kind: &str) -> Option<String> {
        match union[field].as_str() {
            Some(id) => Some(id.to_owned()),
            None => self.referred(kind, &union[format!("{field}Ref")]["name"]),
        }
    }

    fn subject(&mut self, union: &Value) -> Option<String> {
        let kinds = [("group", "ProxmoxGroup"), ("user", "ProxmoxUser"), ("token", "ProxmoxToken")];
        let is_set = |field: &str| union.get(field).is_some() || union.get(format!("{field}Ref")).is_some();
        let (field, kind) = kinds.into_iter().find(|(field, _)| is_set(field))?;
        Some(format!("{field}:{}", self.one_of(union, field, kind)?))
    }

    fn referred(&mut self, kind: &str, name: &Value) -> Option<String> {
        let name = name.as_str()?;
        self.resolved(kind, name, |spec| is_of_connection(kind, spec))
    }

    /// The name of a group of Pocket ID, whichever connection it is of.
    fn named(&mut self, name: &str) -> Option<String> {
        self.resolved("PocketIdGroup", name, |_| true)
    }

    fn resolved(&mut self, kind: &str, name: &str, counts: impl Fn(&Value) -> bool) -> Option<String> {
        let key = (kind.to_owned(), name.to_owned());
        let specs = self.around.specs;
        let id = specs.get(&key).filter(|spec| counts(spec)).and_then(|spec| self.id(kind, name, spec));
        self.meaning.refers.insert(key);
        self.meaning.astray |= id.is_none();
        id
    }

    fn secrets(&mut self, kind: &str, spec: &Value) {
        for (place, _) in places(spec, &SPECS[kind]) {
            if place.ends_with("SecretRef") {
                let reference = spec.pointer(&place).expect("a place");
                let there = self.around.secrets.contains(reference["name"].as_str().unwrap_or_default());
                self.meaning.secretless |= !(there && KEYS.iter().any(|key| reference["key"] == *key));
            }
        }
    }

    fn claim_thing(&mut self, thing: String, fields: Fields) {
        self.meaning.thing = Some(thing.clone());
        self.claim(thing, fields);
    }

    fn claim(&mut self, claim: String, fields: Fields) {
        self.meaning.claims.insert(claim, fields);
    }

    fn exact(&mut self, policy: &str, set: String) {
        if policy == "Exact" {
            self.meaning.exact.insert(set);
        }
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
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

/// The sets that something stands in.
pub fn sets_of(claim: &str) -> Vec<String> {
    let words: Vec<&str> = claim.splitn(3, ' ').collect();
    match words.as_slice() {
        ["id-member", group, _] => vec![format!("id-members {group}")],
        ["member", group, user] => vec![format!("members {group}"), format!("groups {user}")],
        ["pool-member", pool, _] => vec![format!("pool {pool}")],
        ["acl", path, _] => vec![format!("entries {path}")],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_followed_and_products_are_made() {
        let group = json!({"connectionRef": {"name": "pve"}, "oidc": {"group": "team", "realm": "corp"}});
        let specs = Specs::from([(("ProxmoxGroup".to_owned(), "g".to_owned()), group)]);
        let around = Around { specs: &specs, secrets: &BTreeSet::new(), endpoint: "", issuer: "" };
        let acl = json!({
            "path": "/vms", "roles": [{"role": "A"}, {"role": "B"}],
            "subjects": [{"groupRef": {"name": "g"}}, {"user": "a@pve"}, {"userRef": {"name": "nobody"}}],
        });
        let meaning = of("ProxmoxAcl", "a", &acl, &around);
        let claims: Vec<&str> = meaning.claims.keys().map(String::as_str).collect();
        let expected = ["group:team-corp A", "group:team-corp B", "user:a@pve A", "user:a@pve B"];
        assert_eq!(claims, expected.map(|it| format!("acl /vms {it}")));
        assert!(meaning.astray && meaning.thing.is_none());
    }
}
