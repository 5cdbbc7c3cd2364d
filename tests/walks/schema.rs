//! What the published CRDs say of a spec, read so that a new field is walked over without a line here.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proxmox_identity::api::crd;
use regex::Regex;
use serde_json::Value;

/// The schemas of the specs of all kinds.
pub static SPECS: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let spec_of = |crd| {
        let crd = serde_json::to_value(crd).expect("JSON");
        let spec = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        (crd["spec"]["names"]["kind"].as_str().expect("a kind").to_owned(), spec.clone())
    };
    crd::all().into_iter().map(spec_of).collect()
});

/// Fields of which so many are set together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub fields: Vec<String>,
    /// One of them must be set; else none or one.
    pub needed: bool,
}

/// The CEL rules of one level of a schema.
pub fn rules(schema: &Value) -> impl Iterator<Item = &str> {
    let rules = schema["x-kubernetes-validations"].as_array().into_iter().flatten();
    rules.filter_map(|rule| rule["rule"].as_str())
}

/// The choices that the rules of one level leave.
pub fn choices(schema: &Value) -> Vec<Choice> {
    static SET: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"has\(self\.(\w+)\)").expect("a pattern"));
    static TWO: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^!has\(self\.\w+\) \|\| !has\(self\.\w+\)$").expect("a pattern"));
    static EITHER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^has\(self\.\w+\) != has\(self\.\w+\)$").expect("a pattern"));
    let choice = |rule: &str| {
        let needed = rule.ends_with(".size() == 1") || EITHER.is_match(rule);
        let known = needed || rule.ends_with(".size() <= 1") || TWO.is_match(rule);
        let fields = SET.captures_iter(rule).map(|found| found[1].to_owned()).collect();
        known.then_some(Choice { fields, needed })
    };
    rules(schema).filter_map(choice).collect()
}

/// The fields of one level that cannot be changed.
pub fn immutable(schema: &Value) -> Vec<String> {
    static OLD: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^has\(self\.(\w+)\) == has\(oldSelf\.\w+\)").expect("a pattern"));
    rules(schema).filter_map(|rule| Some(OLD.captures(rule)?[1].to_owned())).collect()
}

/// The pattern that a text must match.
pub fn pattern(schema: &Value) -> Option<String> {
    static MATCHES: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"self\.matches\(r'\^(.*?)\$'\)").expect("a pattern"));
    rules(schema).find_map(|rule| Some(MATCHES.captures(rule)?[1].to_owned()))
}

/// True where an empty text clears.
pub fn may_be_empty(schema: &Value) -> bool {
    rules(schema).any(|rule| rule.starts_with("self == '' ||"))
}

/// A value of a spec with its place, as a JSON pointer, and its schema.
pub fn places<'s>(value: &Value, schema: &'s Value) -> Vec<(String, &'s Value)> {
    fn into<'s>(value: &Value, schema: &'s Value, at: &str, found: &mut Vec<(String, &'s Value)>) {
        found.push((at.to_owned(), schema));
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let schema = schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
                    let name = name.replace('~', "~0").replace('/', "~1");
                    into(value, schema, &format!("{at}/{name}"), found);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    into(item, &schema["items"], &format!("{at}/{index}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    into(value, schema, "", &mut found);
    found
}

/// A bound, which schemas write as `1.0`.
pub fn whole(bound: &Value) -> Option<i64> {
    bound.to_string().trim_end_matches(".0").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_they_are_written() {
        let user = &SPECS["ProxmoxUser"];
        let of = |fields: &[&str], needed| Choice { fields: fields.iter().map(|&it| it.to_owned()).collect(), needed };
        assert_eq!(choices(user), [of(&["userId", "realm", "realmRef"], true), of(&["userName", "userId"], false)]);
        assert_eq!(immutable(user), ["userId", "userName", "realm", "realmRef"]);
        let openid = &SPECS["ProxmoxRealm"]["properties"]["openid"];
        assert!(choices(openid).contains(&of(&["issuerUrl", "clientRef"], true)));
        assert_eq!(immutable(openid), ["usernameClaim"]);
        assert_eq!(pattern(&user["properties"]["realm"]).as_deref(), Some("[A-Za-z][A-Za-z0-9._-]{1,31}"));
        assert!(may_be_empty(&user["properties"]["email"]) && !may_be_empty(&user["properties"]["realm"]));
    }
}
