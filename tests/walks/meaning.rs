//! What the objects of a world say should stand: worked out from their specs alone, without the operator's code.

mod kinds;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::judge::is_of_connection;
use crate::schema::{SPECS, places};
use crate::shown::Fields;

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
