//! Renames what a scenario creates, in its requests and in the expected answers: same length, same classes of
//! characters. A simulator that knew the recordings by heart would fail then.
//!
//! Ids that are refused stay as they are: their spelling is the point.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use regex::{Captures, Regex};
use serde_json::{Map, Value};

use super::random::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Group,
    User,
    Role,
    Realm,
    Pool,
    Token,
}

/// Old to new, by kind; users without their realm, pools by level.
#[derive(Default)]
pub struct Names(BTreeMap<(Kind, String), String>);

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

static LIST_ITEM: LazyLock<Regex> = LazyLock::new(|| pattern(r"[^,;\s]+"));
static WORD: LazyLock<Regex> = LazyLock::new(|| pattern(r"[A-Za-z0-9]+"));
static QUOTED: LazyLock<Regex> = LazyLock::new(|| pattern(r"(\w+ \(?)?'([^']*)'"));
static PATH: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:/[^/\s,'()]+)+"));
static USER: LazyLock<Regex> = LazyLock::new(|| pattern(r"([\w.-]+)(@|%40)([\w.-]+)(!([\w.-]+))?"));
static RAW_GROUP: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(groupid(?:=|":"))([\w.-]+)"#));

impl Names {
    /// Draws new names for everything that the scenario creates.
    pub fn draw(scenario: &Value, random: &mut Random) -> Self {
        let text = scenario.to_string();
        let mut used: BTreeSet<String> = WORD.find_iter(&text).map(|word| word.as_str().to_owned()).collect();
        let mut names = Self::default();
        for step in scenario["steps"].as_array().into_iter().flatten() {
            // The format `extjs` says failures in the body.
            if step["method"] == "POST" && step["status"] == 200 && step["body"]["success"] != 0 {
                for (kind, id) in created(step) {
                    names.add(kind, &id, &mut used, random);
                }
            }
        }
        names
    }

    fn add(&mut self, kind: Kind, id: &str, used: &mut BTreeSet<String>, random: &mut Random) {
        let key = (kind, id.to_owned());
        let is_plain = id.chars().any(|c| c.is_ascii_alphabetic()) && !id.contains([',', ';']);
        if self.0.contains_key(&key) || !is_plain {
            return;
        }
        // Ids of one letter may be used up; those stay.
        for _ in 0..200 {
            let fresh: String = id.chars().map(|c| other_char(c, random)).collect();
            let taken = WORD.find_iter(&fresh).any(|word| used.contains(word.as_str()));
            if !taken && !fresh.to_ascii_lowercase().starts_with("pve") {
                used.extend(WORD.find_iter(&fresh).map(|word| word.as_str().to_owned()));
                self.0.insert(key, fresh);
                return;
            }
        }
    }

    /// How many names there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    fn plain(&self, kind: Kind, id: &str) -> String {
        // A newline at the end is not part of what stays of an id (recording `newline-ids`).
        let (id, end) = id.strip_suffix('\n').map_or((id, ""), |id| (id, "\n"));
        let name = self.0.get(&(kind, id.to_owned())).map_or(id, String::as_str);
        format!("{name}{end}")
    }

    /// `name@realm` or `name@realm!token`; what is no user id stays.
    pub fn user(&self, id: &str) -> String {
        let Some((name, rest)) = id.rsplit_once('@').filter(|(name, _)| !name.contains(['/', ':', ' ', '\t', '\n']))
        else {
            return id.to_owned();
        };
        let name = if rest == "pam" { name.to_owned() } else { self.plain(Kind::User, name) };
        match rest.split_once('!') {
            Some((realm, token)) => {
                format!("{name}@{}!{}", self.plain(Kind::Realm, realm), self.plain(Kind::Token, token))
            }
            None => format!("{name}@{}", self.plain(Kind::Realm, rest)),
        }
    }

    fn pool(&self, id: &str) -> String {
        if id.split('/').count() > 3 || id.split('/').any(str::is_empty) {
            return id.to_owned();
        }
        id.split('/').map(|level| self.plain(Kind::Pool, level)).collect::<Vec<_>>().join("/")
    }

    fn one(&self, kind: Kind, id: &str) -> String {
        match kind {
            Kind::User => self.user(id),
            Kind::Pool => self.pool(id),
            _ => self.plain(kind, id),
        }
    }

    /// Paths of the API and of permissions.
    fn path(&self, path: &str) -> String {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        for index in 1..parts.len() {
            let before: Vec<&str> = parts[1..index].iter().map(String::as_str).collect();
            let kind = match before.as_slice() {
                ["access", "groups"] => Kind::Group,
                ["access", "roles"] => Kind::Role,
                ["access", "domains" | "realm"] => Kind::Realm,
                ["access", "users" | "tfa"] => Kind::User,
                ["access", "users", _, "token"] => Kind::Token,
                ["pool" | "pools", ..] => Kind::Pool,
                _ => continue,
            };
            let decoded = percent_decode_str(&parts[index]).decode_utf8_lossy().into_owned();
            let renamed = self.one(kind, &decoded);
            if renamed != decoded {
                parts[index] = utf8_percent_encode(&renamed, IN_PATH).to_string();
            }
        }
        query.map_or_else(|| parts.join("/"), |query| format!("{}?{query}", parts.join("/")))
    }

    /// A text for people: ids stand in quotes after what they are, or in paths.
    fn message(&self, text: &str) -> String {
        let quoted = |found: &Captures| {
            let before = found.get(1).map_or("", |before| before.as_str());
            let id = &found[2];
            let kind = match before.trim_end_matches(['(', ' ']) {
                "group" => Kind::Group,
                "role" => Kind::Role,
                "domain" | "section" | "realm" => Kind::Realm,
                "pool" | "parent" => Kind::Pool,
                "token" => Kind::Token,
                _ if id.contains('@') && !id.contains('/') => Kind::User,
                _ => return found[0].to_owned(),
            };
            format!("{before}'{}'", self.one(kind, id))
        };
        let text = QUOTED.replace_all(text, quoted);
        PATH.replace_all(&text, |found: &Captures| self.path(&found[0])).into_owned()
    }

    fn list(&self, kind: Kind, text: &str) -> String {
        LIST_ITEM.replace_all(text, |found: &Captures| self.one(kind, &found[0])).into_owned()
    }

    /// A value in a request.
    fn sent(&self, name: &str, value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|item| self.sent(name, item)).collect(),
            Value::String(text) => Value::from(match name {
                "groupid" => self.plain(Kind::Group, text),
                "groups" => self.list(Kind::Group, text),
                "username" if !text.contains('@') => self.plain(Kind::User, text),
                "userid" | "username" => self.user(text),
                "users" | "tokens" => self.list(Kind::User, text),
                "roleid" => self.plain(Kind::Role, text),
                "roles" => self.list(Kind::Role, text),
                "realm" => self.plain(Kind::Realm, text),
                "poolid" => self.pool(text),
                "tokenid" => self.plain(Kind::Token, text),
                "path" => self.path(text),
                _ => text.clone(),
            }),
            other => other.clone(),
        }
    }

    /// A value in an answer.
    fn answered(&self, name: &str, value: &Value) -> Value {
        match value {
            Value::Object(object) => {
                let renamed = |key: &String| match name {
                    "tokens" => self.plain(Kind::Token, key),
                    _ if key.starts_with('/') => self.path(key),
                    _ => key.clone(),
                };
                let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
                let name_of = |key: &String| if key == "ugid" { format!("{key} {kind}") } else { key.clone() };
                let entries = object.iter().map(|(key, value)| (renamed(key), self.answered(&name_of(key), value)));
                Value::Object(entries.collect())
            }
            Value::Array(items) => items.iter().map(|item| self.answered(name, item)).collect(),
            Value::String(text) => Value::from(match name {
                "ugid user" | "ugid token" | "userid" | "username" | "full-tokenid" | "members" => self.user(text),
                "ugid group" | "groupid" => self.plain(Kind::Group, text),
                "users" => sort_list(&self.list(Kind::User, text)),
                "groups" => sort_list(&self.list(Kind::Group, text)),
                "roleid" => self.plain(Kind::Role, text),
                "realm" => self.plain(Kind::Realm, text),
                "poolid" | "pool" => self.pool(text),
                "tokenid" if text.contains(' ') => self.message(text),
                "tokenid" => self.plain(Kind::Token, text),
                "path" => self.path(text),
                "message" | "data" if text.starts_with("UPID:") => self.task(text),
                "message" | "data" => self.message(text),
                _ => text.clone(),
            }),
            other => other.clone(),
        }
    }

    fn task(&self, upid: &str) -> String {
        let mut parts: Vec<String> = upid.split(':').map(str::to_owned).collect();
        if let [.., realm, user, _] = parts.as_mut_slice() {
            *realm = self.plain(Kind::Realm, realm);
            *user = self.user(user);
        }
        parts.join(":")
    }

    fn header(&self, value: &str) -> String {
        let renamed = |found: &Captures| {
            let token = found.get(4).map_or("", |token| token.as_str());
            let id = self.user(&format!("{}@{}{token}", &found[1], &found[3]));
            if &found[2] == "@" { id } else { id.replacen('@', &found[2], 1) }
        };
        USER.replace_all(value, renamed).into_owned()
    }

    fn errors(&self, errors: &Value) -> Value {
        let entries = errors.as_object().into_iter().flatten();
        let message = |value: &Value| value.as_str().map_or_else(|| value.clone(), |text| self.message(text).into());
        Value::Object(entries.map(|(name, value)| (name.clone(), message(value))).collect())
    }

    /// The scenario with the new names.
    pub fn apply(&self, scenario: &Value) -> Value {
        let mut renamed = scenario.clone();
        for identity in renamed["identities"].as_object_mut().into_iter().flat_map(Map::values_mut) {
            if let Some(token) = identity["token"].as_str() {
                identity["token"] = Value::from(self.header(token));
            }
        }
        for step in renamed["steps"].as_array_mut().into_iter().flatten() {
            self.apply_to_step(step);
        }
        renamed
    }

    fn apply_to_step(&self, step: &mut Value) {
        let Some(fields) = step.as_object_mut() else { return };
        for (name, value) in fields.iter_mut() {
            match (name.as_str(), &*value) {
                ("path", Value::String(path)) => *value = self.path(path).into(),
                ("reason", Value::String(text)) => *value = self.message(text).into(),
                ("raw", Value::String(text)) => *value = self.raw(text).into(),
                ("query" | "form" | "json", Value::Object(given)) => {
                    let entries = given.iter().map(|(name, value)| (name.clone(), self.sent(name, value)));
                    *value = Value::Object(entries.collect());
                }
                ("headers_in", Value::Object(given)) => {
                    let text = |value: &Value| self.header(value.as_str().unwrap_or_default());
                    let entries = given.iter().map(|(name, value)| (name.clone(), text(value).into()));
                    *value = Value::Object(entries.collect());
                }
                ("body", Value::Object(body)) => {
                    let mut renamed = self.answered("", &Value::Object(body.clone()));
                    if let Some(errors) = body.get("errors") {
                        renamed["errors"] = self.errors(errors);
                    }
                    *value = renamed;
                }
                _ => {}
            }
        }
        if step["ordered"] == true {
            sort_again(&mut step["body"]["data"]);
        }
    }

    fn raw(&self, text: &str) -> String {
        let renamed = |found: &Captures| format!("{}{}", &found[1], self.plain(Kind::Group, &found[2]));
        RAW_GROUP.replace_all(text, renamed).into_owned()
    }
}

/// What stays readable in a path.
const IN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'@').remove(b'!').remove(b'.').remove(b'-').remove(b'_').remove(b'\'').remove(b'+');

fn other_char(c: char, random: &mut Random) -> char {
    let alphabet: &[u8] = match c {
        'a'..='z' => b"abcdefghijklmnopqrstuvwxyz",
        'A'..='Z' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        '0'..='9' => b"0123456789",
        _ => return c,
    };
    char::from(alphabet[random.next(alphabet.len())])
}

/// What a successful POST creates.
fn created(step: &Value) -> Vec<(Kind, String)> {
    let given = |name: &str| {
        let mut sources = ["query", "form", "json"].iter();
        let found = sources.find_map(|source| step[*source][name].as_str());
        found.map(|text| text.trim_end_matches('\n').to_owned())
    };
    let path: Vec<&str> = step["path"].as_str().unwrap_or_default().split('/').skip(1).collect();
    let (kind, id) = match path.as_slice() {
        ["access", "groups"] => {
            let raw = step["raw"].as_str().and_then(|raw| RAW_GROUP.captures(raw)).map(|found| found[2].to_owned());
            (Kind::Group, given("groupid").or(raw))
        }
        ["access", "roles"] => (Kind::Role, given("roleid")),
        ["access", "domains"] => (Kind::Realm, given("realm")),
        ["pools"] => {
            let levels = given("poolid").unwrap_or_default();
            return levels.split('/').map(|level| (Kind::Pool, level.to_owned())).collect();
        }
        ["access", "users"] => {
            let user = given("userid").filter(|user| !user.ends_with("@pam"));
            (Kind::User, user.and_then(|user| user.rsplit_once('@').map(|(name, _)| name.to_owned())))
        }
        ["access", "users", _, "token", token] => (Kind::Token, Some(token.trim_end_matches("%0A").to_owned())),
        _ => return Vec::new(),
    };
    id.map(|id| (kind, id)).into_iter().collect()
}

fn sort_list(text: &str) -> String {
    let mut items: Vec<&str> = text.split(',').collect();
    items.sort_unstable();
    items.join(",")
}

/// PVE sorts by id, so other names come in another order.
fn sort_again(data: &mut Value) {
    let Some(items) = data.as_array_mut() else { return };
    for item in items.iter_mut() {
        if let Some(tokens) = item.get_mut("tokens") {
            sort_again(tokens);
        }
    }
    items.sort_by_key(|item| {
        let id = ["userid", "poolid", "tokenid", "path"].iter().find_map(|name| item[*name].as_str());
        id.unwrap_or_default().split('/').map(str::to_owned).collect::<Vec<_>>()
    });
}
