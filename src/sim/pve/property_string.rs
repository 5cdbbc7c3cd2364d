//! Options that are lists of `key=value` themselves: second factors and sync defaults of realms.

use std::collections::BTreeMap;

/// The keys and values of a property string; what has no `=` has no place in these two formats.
pub fn parse(text: &str) -> BTreeMap<&str, &str> {
    text.split(',').filter_map(|part| part.trim().split_once('=')).collect()
}

fn refuse(errors: &BTreeMap<String, String>) -> Result<(), String> {
    if errors.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = errors.iter().map(|(key, error)| format!("{key}: {error}")).collect();
    Err(format!("format error\n{}", lines.join("\n")))
}

const UNKNOWN: &str = "property is not defined in schema and the schema does not allow additional properties";
const MISSING: &str = "property is missing and it is not optional";

fn not_among(value: &str, values: &[&str]) -> Option<String> {
    let wrong = !values.contains(&value);
    wrong.then(|| format!("value '{value}' does not have a value in the enumeration '{}'", values.join(", ")))
}

fn not_a_flag(value: &str) -> Option<String> {
    (!matches!(value, "0" | "1")).then(|| format!("type check ('boolean') failed - got '{value}'"))
}

fn outside(value: &str, minimum: i64, maximum: Option<i64>) -> Option<String> {
    let Ok(number) = value.parse::<i64>() else {
        return Some(format!("type check ('integer') failed - got '{value}'"));
    };
    if number < minimum {
        return Some(format!("value must have a minimum value of {minimum}"));
    }
    maximum.filter(|maximum| number > *maximum).map(|maximum| format!("value must have a maximum value of {maximum}"))
}

/// Checks `tfa` of a realm (recording `realms-builtin`).
pub fn tfa(name: &str, value: &str) -> Result<(), String> {
    let given = parse(value);
    let mut errors = BTreeMap::new();
    for (key, value) in &given {
        let error = match *key {
            "type" => not_among(value, &["yubico", "oath"]),
            "digits" => outside(value, 6, Some(8)),
            "step" => outside(value, 10, None),
            "id" | "key" | "url" => None,
            _ => Some(UNKNOWN.to_owned()),
        };
        errors.extend(error.map(|error| (format!("{name}.{key}"), error)));
    }
    if !given.contains_key("type") {
        errors.insert(format!("{name}.type"), MISSING.to_owned());
    }
    refuse(&errors)
}

/// Checks `sync-defaults-options` of a realm (recording `realms-ldap-errors`).
pub fn sync_options(name: &str, value: &str) -> Result<(), String> {
    let mut errors = BTreeMap::new();
    for (key, value) in parse(value) {
        let error = match key {
            "scope" => not_among(value, &["users", "groups", "both"]),
            "enable-new" | "full" | "purge" => not_a_flag(value),
            "remove-vanished" => (value != "none"
                && !value.split(';').all(|part| matches!(part, "acl" | "properties" | "entry")))
            .then(|| "value does not match the regex pattern".to_owned()),
            _ => Some(UNKNOWN.to_owned()),
        };
        errors.extend(error.map(|error| (format!("{name}.{key}"), error)));
    }
    refuse(&errors)
}

/// Sync defaults as they are stored: keys sorted, the old `full` and `purge` translated (FACTS 70).
pub fn stored_sync_options(value: &str) -> String {
    let mut given: BTreeMap<&str, String> =
        parse(value).into_iter().map(|(key, value)| (key, value.to_owned())).collect();
    let full = given.remove("full").is_some_and(|flag| flag == "1");
    let purge = given.remove("purge").is_some_and(|flag| flag == "1");
    let mut vanished = Vec::new();
    if full {
        vanished.extend(["entry", "properties"]);
    }
    if purge {
        vanished.push("acl");
    }
    if !vanished.is_empty() {
        given.entry("remove-vanished").or_insert_with(|| vanished.join(";"));
    }
    given.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}
