//! Specs from schemas: what somebody writes who means well.

use std::collections::BTreeMap;

use proptest::strategy::{Strategy, ValueTree};
use proptest::string::string_regex;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use crate::mend::mend;
use crate::names;
use crate::random::Random;
use crate::schema::{self, Choice, SPECS};

/// What is there already: most of what people write is about that.
#[derive(Debug, Clone, Default)]
pub struct Present {
    /// Names of objects by kind.
    pub objects: BTreeMap<String, Vec<String>>,
    /// Ids in Proxmox VE by noun, such as `group`.
    pub ids: BTreeMap<String, Vec<String>>,
}

/// A spec of a kind, for an object of this name.
pub fn spec(kind: &str, name: &str, present: &Present, random: &mut Random) -> Value {
    let mut spec = Generator { random, present }.value(&SPECS[kind], &mut vec![kind.to_owned()]);
    mend(kind, name, &mut spec, random);
    spec
}

/// A spec near to another one: a field or so is different, and what cannot be changed is not.
pub fn changed(kind: &str, name: &str, old: &Value, present: &Present, random: &mut Random) -> Value {
    let anew = random.chance(40);
    let mut new = if anew { spec(kind, name, present, random) } else { with_one_change(kind, old, present, random) };
    keep_immutable(&SPECS[kind], old, &mut new);
    mend(kind, name, &mut new, random);
    new
}

fn with_one_change(kind: &str, old: &Value, present: &Present, random: &mut Random) -> Value {
    let (schema, mut new) = (&SPECS[kind], old.clone());
    let fields: Vec<&String> = schema["properties"].as_object().expect("fields").keys().collect();
    let field = random.pick(&fields).as_str();
    let mut generator = Generator { random, present };
    if is_required(schema, field) || generator.random.chance(75) {
        let value = generator.value(&schema["properties"][field], &mut vec![kind.to_owned(), field.to_owned()]);
        new[field] = value;
    } else if let Some(fields) = new.as_object_mut() {
        fields.remove(field);
    }
    generator.choose(schema, new.as_object_mut().expect("fields"), &mut vec![kind.to_owned()]);
    new
}

/// Puts back what cannot be changed, at every level.
fn keep_immutable(schema: &Value, old: &Value, new: &mut Value) {
    for field in schema::immutable(schema) {
        match old.get(&field) {
            Some(value) => new[&field] = value.clone(),
            None => drop(new.as_object_mut().map(|fields| fields.remove(&field))),
        }
    }
    if let Some(connection) = old.get("connectionRef") {
        new["connectionRef"] = connection.clone();
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if let (Some(old), Some(new)) = (old.get(name), new.get_mut(name)) {
            keep_immutable(schema, old, new);
        }
    }
}

fn is_required(schema: &Value, field: &str) -> bool {
    schema["required"].as_array().is_some_and(|all| all.iter().any(|it| it == field))
}

struct Generator<'r> {
    random: &'r mut Random,
    present: &'r Present,
}

impl Generator<'_> {
    fn value(&mut self, schema: &Value, place: &mut Vec<String>) -> Value {
        let field = place.last().cloned().unwrap_or_default();
        match schema["type"].as_str() {
            Some("object") if schema["properties"].is_object() => self.object(schema, place),
            Some("object") => {
                let keys: &[&str] = match field.as_str() {
                    "attributes" => &["email", "comment", "firstname"],
                    "data" => &["username", "password", "extra"],
                    "customClaims" => &["tier", "team"],
                    _ => &["example.com/one", "two"],
                };
                let (key, value) = (*self.random.pick(keys), self.value(&schema["additionalProperties"], place));
                if self.random.chance(20) { json!({}) } else { json!({ key: value }) }
            }
            Some("array") => {
                let least = usize::try_from(schema["minItems"].as_u64().unwrap_or_default()).expect("few");
                let most = schema["maxItems"].as_u64().map_or(3, |most| usize::try_from(most).expect("few")).min(3);
                // Short lists more often than long ones: all of a list must be there before its object is ready.
                let count = least.max(self.random.below(self.random.clone().below(most + 1) + 1));
                let mut items: Vec<Value> = Vec::new();
                for _ in 0..count {
                    let item = self.value(&schema["items"], place);
                    if !items.contains(&item) {
                        items.push(item);
                    }
                }
                items.into()
            }
            Some("integer") if field == "guests" => json!(self.random.pick(names::GUESTS)),
            Some("integer") => {
                let bound = |name: &str, other| schema::whole(&schema[name]).unwrap_or(other);
                let (least, most) = (bound("minimum", 0), bound("maximum", 100));
                json!(self.random.pick(&[least, most, i64::midpoint(least, most)]))
            }
            Some("boolean") => match field.as_str() {
                "suspend" => json!(self.random.chance(25)),
                "checkConnection" => json!(self.random.chance(20)),
                _ => json!(self.random.chance(50)),
            },
            _ => self.text(schema, place).into(),
        }
    }

    fn object(&mut self, schema: &Value, place: &mut Vec<String>) -> Value {
        let mut fields = Map::new();
        for (name, schema_of_field) in schema["properties"].as_object().into_iter().flatten() {
            let wanted = match name.as_str() {
                "suspend" => 10,
                "kind" => 3,
                "managementPolicy" | "deletionPolicy" => 30,
                "passwordSecretRef" | "pocketIdClientRef" | "provision" | "samples" => 5,
                "clientRef" => 20,
                _ => 40,
            };
            if is_required(schema, name) || self.random.chance(wanted) {
                place.push(name.clone());
                fields.insert(name.clone(), self.value(schema_of_field, place));
                place.pop();
            }
        }
        self.choose(schema, &mut fields, place);
        fields.into()
    }

    /// Leaves of fields that exclude each other as many as may be.
    fn choose(&mut self, schema: &Value, fields: &mut Map<String, Value>, place: &mut Vec<String>) {
        for Choice { fields: names, needed } in schema::choices(schema) {
            let mut set: Vec<&String> = names.iter().filter(|name| fields.contains_key(*name)).collect();
            if set.is_empty() && needed {
                let usual: Vec<&String> =
                    names.iter().filter(|name| !name.to_lowercase().ends_with("clientref")).collect();
                let name = *self.random.pick(&usual);
                place.push(name.clone());
                fields.insert(name.clone(), self.value(&schema["properties"][name], place));
                place.pop();
                continue;
            }
            while set.len() > 1 {
                let gone = set.remove(self.random.below(set.len()));
                fields.remove(gone);
            }
        }
    }

    fn text(&mut self, schema: &Value, place: &[String]) -> String {
        if let Some(all) = schema["enum"].as_array() {
            let field = place.last().map(String::as_str);
            let usual = matches!(field, Some("managementPolicy")) && self.random.chance(70);
            let value = if usual { &all[0] } else { self.random.pick(all) };
            return value.as_str().expect("a text").to_owned();
        }
        if schema::may_be_empty(schema) && self.random.chance(20) {
            return String::new();
        }
        if self.random.chance(70)
            && let Some(text) = self.of_present(place)
        {
            return text;
        }
        match self.known(schema, place) {
            Some(text) => text.to_owned(),
            None => self.fitting(schema),
        }
    }

    /// The name of something that is there already.
    fn of_present(&mut self, place: &[String]) -> Option<String> {
        let field = place.last().map_or("", String::as_str);
        let parent = place.len().checked_sub(2).map_or("", |at| place[at].as_str());
        let Present { objects, ids } = self.present;
        let all = match (parent, field) {
            ("realmRef", _) => objects.get("ProxmoxRealm"),
            ("clientRef", _) => objects.get("PocketIdClient"),
            ("allowedGroups", "group") => ids.get("id-group"),
            ("groupRef", _) => objects.get(group_kind(place)),
            ("userRef", _) => objects.get("ProxmoxUser"),
            ("tokenRef", _) => objects.get("ProxmoxToken"),
            ("roleRef", _) => objects.get("ProxmoxRole"),
            ("poolRef", _) => objects.get("ProxmoxPool"),
            // The id of an object itself is rather a new one.
            ("oidc" | "ProxmoxGroup" | "ProxmoxUser" | "ProxmoxRole", "group" | "groupId" | "userId" | "roleId") => {
                None
            }
            (_, noun @ ("group" | "user" | "token" | "role" | "realm")) => ids.get(noun),
            _ => None,
        };
        let all = all.filter(|all| !all.is_empty())?;
        Some(self.random.pick(all).clone())
    }

    /// A text whose meaning is known.
    fn known(&mut self, schema: &Value, place: &[String]) -> Option<&'static str> {
        let field = place.last().map_or("", String::as_str);
        let parent = place.len().checked_sub(2).map_or("", |at| place[at].as_str());
        let all = match (parent, field) {
            ("connectionRef", _) if place.len() == 3 && names::is_of_pocket_id(&place[0]) => {
                return Some(if self.random.below(300) > 0 { "pocket-id" } else { "nowhere" });
            }
            ("connectionRef", _) => return Some(if self.random.below(300) > 0 { "pve" } else { "nowhere" }),
            ("realmRef", _) => names::objects("ProxmoxRealm"),
            ("groupRef", _) => names::objects(group_kind(place)),
            ("allowedGroups", "group") | (_, "groupName") => names::ID_GROUPS,
            ("PocketIdGroup", "members") => &["alice", "bob", "alice", "bob", "carol"],
            (_, "customClaims" | "friendlyName" | "displayName") => names::SHOWN,
            (_, "callbackUrls") => names::CALLBACKS,
            (_, "clientId") if place[0] == "PocketIdClient" => names::CLIENTS,
            ("userRef", _) => names::objects("ProxmoxUser"),
            ("tokenRef", _) => names::objects("ProxmoxToken"),
            ("roleRef", _) => names::objects("ProxmoxRole"),
            ("poolRef", _) => names::objects("ProxmoxPool"),
            ("clientRef", _) => names::objects("PocketIdClient"),
            // Whom it lets in would be disabled or not, which has tests of its own.
            ("pocketIdClientRef", _) => &["nobody"],
            ("clientIdSecretRef", "key") => &["id"],
            (_, "key") => &["key", "key", "key", "key", "absent"],
            (_, "name") if parent.ends_with("SecretRef") || parent == "configMapRef" => names::SECRETS,
            ("secretTemplate", "name") if place[0] == "PocketIdClient" => &["web", "mine", "taken", "not-here"],
            ("secretTemplate", "name") => &["t1", "ci", "taken", "elsewhere"],
            ("oidc", "group") => &["team", "other"],
            (_, "data") => &["plain", "${secret}", "${tokenId} at ${host}", "${endpoint}"],
            (_, "groupId" | "group") => names::GROUPS,
            (_, "userId" | "user") if self.random.chance(2) => &[names::OWN_USER],
            (_, "userId" | "user") => names::USERS,
            (_, "userName") => names::USER_NAMES,
            (_, "realm") => names::REALMS,
            (_, "roleId" | "role") => names::ROLES,
            (_, "path") => names::PATHS,
            (_, "poolId") => names::POOLS,
            (_, "tokenId") => names::TOKEN_NAMES,
            (_, "token") if self.random.chance(2) => &[names::OWN_TOKEN],
            (_, "token") => names::TOKENS,
            (_, "storages") => names::STORAGES,
            (_, "privileges" | "require" | "forbid") => {
                let known = names::PRIVILEGES.len() - usize::from(self.random.chance(95));
                &names::PRIVILEGES[..known]
            }
            (_, "comment") if schema::rules(schema).next().is_some() => names::LINES,
            (_, "comment") => names::COMMENTS,
            (_, "expiresAt") => names::TIMES,
            (_, "schedule") => &["daily", "*/30", "mon..fri 02:30"],
            (_, "issuerUrl") => &["https://id.example.com", "https://login.example.com"],
            (_, "url") => &["https://api.example.com/verify"],
            (_, "servers") => &["ldap.example.com", "10.0.0.1", "::1"],
            (_, "baseDn" | "bindDn" | "dn") => &["dc=example,dc=com", "ou=people,dc=example,dc=com"],
            (_, "filter") => &["(objectClass=person)", "(&(a=b)(!(c=d)))"],
            (_, "email") => &["a@example.com", "b.c+d@mail.example.com"],
            (_, "prompt") => &["none", "login", "consent", "select_account"],
            (_, "usernameClaim") => &["username", "email", "subject", "upn"],
            (_, "samples") => &["somebody"],
            _ if schema::rules(schema).any(|rule| rule.contains("duration(")) => names::DURATIONS,
            _ => return None,
        };
        Some(*self.random.pick(all))
    }

    /// A text of which nothing is known but its pattern.
    fn fitting(&mut self, schema: &Value) -> String {
        let longest = schema["maxLength"].as_u64().map_or(64, |most| usize::try_from(most).expect("a length"));
        let Some(strategy) = schema::pattern(schema).and_then(|it| string_regex(&it).ok()) else {
            return "text".into();
        };
        let mut seed = [0; 32];
        seed.chunks_mut(8).for_each(|part| part.copy_from_slice(&self.random.number().to_le_bytes()));
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let mut texts = (0..50).map(|_| strategy.new_tree(&mut runner).expect("a text").current());
        // What is not printed would be a walk over characters rather than over the operator.
        let plain = |text: &String| text.len() <= longest && text.chars().all(|c| c.is_ascii_graphic());
        texts.find(plain).unwrap_or_else(|| "text".to_owned())
    }
}

/// The kind of group that is referred to there.
fn group_kind(place: &[String]) -> &'static str {
    let of_pocket_id = place.iter().any(|it| it == "allowedGroups" || it == "oidc");
    if of_pocket_id { "PocketIdGroup" } else { "ProxmoxGroup" }
}
