//! The table of API methods, read from PVE's own schema (`data/schema.json`), and what an empty PVE holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use serde::Deserialize;
use serde_json::Value;

const SCHEMA: &str = include_str!("data/schema.json");
/// Calls that the operator and the recordings use and the schema of the access control lacks.
const EXTRA: &str = include_str!("data/extra.json");
const BUILTIN: &str = include_str!("data/builtin.json");

/// One method of the API.
#[derive(Debug)]
pub struct Method {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub verb: String,
    /// The path with `{placeholders}`.
    pub path: String,
    /// Whether API tokens may call it.
    pub allowtoken: bool,
    /// Whether the root daemon handles it, which changes details of the answer (FACTS 9).
    pub protected: bool,
    /// Who may call it.
    pub rule: Rule,
    /// Its parameters.
    pub properties: BTreeMap<String, Property>,
}

/// Who may call a method.
#[derive(Debug)]
pub enum Rule {
    /// Anyone, without a login.
    World,
    /// Any login.
    All,
    /// Whoever passes the check.
    Check(Check),
}

/// A permission check.
#[derive(Debug)]
pub enum Check {
    /// Privileges on a path, in which parameters may stand: all of them, or any.
    Perm { path: String, privileges: Vec<String>, any: bool },
    /// May change the ACL of the path in this parameter.
    PermModify(String),
    /// The parameter `userid` is the caller itself.
    Own,
    /// Privilege on the realm of the parameter `userid`.
    RealmOfUser(String),
    /// Any of the privileges on the groups of the user, or on all groups.
    GroupsOfUser { privileges: Vec<String>, groups: GroupsParameter },
    /// Any of these.
    Or(Vec<Check>),
    /// All of these.
    And(Vec<Check>),
}

/// What the parameter `groups` means for a check of a user's groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupsParameter {
    /// There is none.
    None,
    /// The groups of a user that does not exist yet.
    Create,
    /// Groups to which an existing user moves.
    Update,
}

/// One parameter.
#[derive(Debug, Default)]
pub struct Property {
    /// `string`, `integer` or `boolean`.
    pub kind: String,
    /// May be missing.
    pub optional: bool,
    /// Named format, see `formats.rs`.
    pub format: Option<String>,
    /// Regular expression.
    pub pattern: Option<regex::Regex>,
    /// Allowed values.
    pub values: Vec<String>,
    /// Bounds of a number.
    pub minimum: Option<i64>,
    /// Bounds of a number.
    pub maximum: Option<i64>,
    /// Bounds of the length in characters.
    pub min_length: Option<usize>,
    /// Bounds of the length in characters.
    pub max_length: Option<usize>,
    /// Another parameter that must be there too.
    pub requires: Option<String>,
}

#[derive(Deserialize)]
struct File {
    methods: Vec<RawMethod>,
}

#[derive(Deserialize)]
struct RawMethod {
    method: String,
    path: String,
    #[serde(default)]
    allowtoken: Value,
    #[serde(default)]
    protected: Value,
    permissions: Value,
    parameters: RawParameters,
}

#[derive(Deserialize)]
struct RawParameters {
    #[serde(default)]
    properties: BTreeMap<String, Value>,
}

static METHODS: LazyLock<Vec<Method>> = LazyLock::new(|| {
    [SCHEMA, EXTRA]
        .into_iter()
        .flat_map(|text| serde_json::from_str::<File>(text).expect("the schema is JSON").methods)
        .map(method)
        .collect()
});

fn method(raw: RawMethod) -> Method {
    Method {
        rule: rule(&raw.permissions),
        allowtoken: is_set(&raw.allowtoken),
        protected: is_set(&raw.protected),
        properties: raw.parameters.properties.iter().map(|(name, value)| (name.clone(), property(value))).collect(),
        verb: raw.method,
        path: raw.path,
    }
}

/// The schema writes its flags as 1 and as "1".
fn is_set(flag: &Value) -> bool {
    flag.as_i64() == Some(1) || flag.as_str() == Some("1")
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(text).collect()
}

fn property(value: &Value) -> Property {
    let length = |name: &str| value[name].as_u64().and_then(|length| usize::try_from(length).ok());
    Property {
        kind: text(&value["type"]).unwrap_or_default(),
        optional: is_set(&value["optional"]),
        format: text(&value["format"]),
        pattern: value["pattern"].as_str().map(pattern),
        values: texts(&value["enum"]),
        minimum: value["minimum"].as_i64(),
        maximum: value["maximum"].as_i64(),
        min_length: length("minLength"),
        max_length: length("maxLength"),
        requires: text(&value["requires"]),
    }
}

/// A pattern is put between `^` and `$` as it is, so that only the ends of an alternation are anchored
/// (recording `realms-sync-errors` step 6).
fn pattern(perl: &str) -> regex::Regex {
    let pattern = format!("^{}$", perl.replace("(?^:", "(?:"));
    regex::Regex::new(&pattern).expect("the patterns of the schema are plain")
}

fn rule(permissions: &Value) -> Rule {
    match permissions["user"].as_str() {
        Some("world") => Rule::World,
        Some(_) => Rule::All,
        None => Rule::Check(check(&permissions["check"])),
    }
}

fn check(value: &Value) -> Check {
    let list = value.as_array().map_or(&[][..], Vec::as_slice);
    let at = |index: usize| list.get(index).unwrap_or(&Value::Null);
    let subs = || list.iter().skip(1).map(check).collect();
    let options: Vec<&str> = list.iter().skip(2).filter_map(Value::as_str).collect();
    match at(0).as_str() {
        Some("or") => Check::Or(subs()),
        Some("and") => Check::And(subs()),
        Some("perm") => Check::Perm {
            path: text(at(1)).unwrap_or_default(),
            privileges: texts(at(2)),
            any: options.contains(&"any"),
        },
        Some("perm-modify") => {
            Check::PermModify(at(1).as_str().unwrap_or_default().trim_matches(['{', '}']).to_owned())
        }
        Some("userid-param") if at(1) == "self" => Check::Own,
        Some("userid-param") => Check::RealmOfUser(text(at(1)).unwrap_or_default()),
        Some("userid-group") => Check::GroupsOfUser {
            privileges: texts(at(1)),
            groups: match options.as_slice() {
                [.., "create"] => GroupsParameter::Create,
                [.., "update"] => GroupsParameter::Update,
                _ => GroupsParameter::None,
            },
        },
        other => panic!("the schema has an unknown check {other:?}"),
    }
}

/// Parameters that stand in the path.
pub type PathParameters = BTreeMap<String, String>;

/// Finds the method of a path; a component with a blank in it fits nowhere (FACTS 12).
pub fn find(verb: &str, path: &str) -> Option<(&'static Method, PathParameters)> {
    let components: Vec<&str> = path.split('/').filter(|component| !component.is_empty()).collect();
    let matching = METHODS.iter().filter(|candidate| candidate.verb == verb).filter_map(|candidate| {
        let template = candidate.path.split('/').filter(|component| !component.is_empty());
        let mut parameters = PathParameters::new();
        let mut given = components.iter();
        for expected in template {
            let component = *given.next()?;
            match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(_) if component.contains(char::is_whitespace) => return None,
                Some(name) => {
                    parameters.insert(name.to_owned(), component.to_owned());
                }
                None if component == expected => {}
                None => return None,
            }
        }
        given.next().is_none().then_some((candidate, parameters))
    });
    matching.min_by_key(|(_, parameters)| parameters.len())
}

#[derive(Deserialize)]
struct Builtin {
    #[serde(rename = "GET /access/roles")]
    roles: Vec<BuiltinRole>,
    #[serde(rename = "GET /access")]
    access: Value,
    #[serde(rename = "GET /version")]
    version: Value,
    valid_privileges: BTreeSet<String>,
}

#[derive(Deserialize)]
struct BuiltinRole {
    roleid: String,
    privs: String,
}

static EMPTY_PVE: LazyLock<Builtin> = LazyLock::new(|| serde_json::from_str(BUILTIN).expect("builtin.json is JSON"));

static ROLES: LazyLock<BTreeMap<String, BTreeSet<Arc<str>>>> = LazyLock::new(|| {
    let roles = EMPTY_PVE.roles.iter();
    let privileges = |role: &BuiltinRole| super::formats::split_list(&role.privs).map(Arc::from).collect();
    roles.map(|role| (role.roleid.clone(), privileges(role))).collect()
});

/// The roles that are always there and cannot be changed.
pub fn builtin_roles() -> &'static BTreeMap<String, BTreeSet<Arc<str>>> {
    &ROLES
}

/// Every privilege there is.
pub fn privileges() -> &'static BTreeSet<String> {
    &EMPTY_PVE.valid_privileges
}

/// What `GET /access` answers.
pub fn access_index() -> Value {
    EMPTY_PVE.access.clone()
}

/// What `GET /version` answers, for another version than the recorded one where it is given.
pub fn version(other: Option<&str>) -> Value {
    let mut version = EMPTY_PVE.version.clone();
    if let Some(other) = other {
        version["version"] = Value::from(other);
    }
    version
}
