//! Comparing an answer with its recording: `{{name}}` stands for what was saved under that name, or for any text.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Map, Value};

/// The lists without a fixed order.
const UNORDERED: [&str; 5] = ["allowedUserGroups", "users", "userGroups", "allowedOidcClients", "groups"];

static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{\{([^{}]+)\}\}").expect("a pattern"));

/// Values that earlier answers gave.
pub type Saved = BTreeMap<String, String>;

/// Fills in saved values.
pub fn fill(text: &str, saved: &Saved) -> String {
    let known = |found: &Captures| {
        saved.get(&found[1]).cloned().unwrap_or_else(|| panic!("nothing was saved as {}", &found[1]))
    };
    PLACEHOLDER.replace_all(text, known).into_owned()
}

/// The same in a whole JSON value.
pub fn fill_value(value: &Value, saved: &Saved) -> Value {
    match value {
        Value::String(text) => Value::String(fill(text, saved)),
        Value::Array(items) => items.iter().map(|item| fill_value(item, saved)).collect(),
        Value::Object(object) => {
            Value::Object(object.iter().map(|(name, value)| (name.clone(), fill_value(value, saved))).collect())
        }
        other => other.clone(),
    }
}

/// Whether a text fits its recording. The real server was at http, the simulator is at https.
pub fn text_fits(want: &str, got: &str, saved: &Saved) -> bool {
    let want = want.replace("http://{{host}}", "https://{{host}}");
    let mut pattern = String::from("(?s)^");
    let mut rest = 0;
    for found in PLACEHOLDER.captures_iter(&want) {
        let whole = found.get(0).expect("the match");
        pattern.push_str(&regex::escape(&want[rest..whole.start()]));
        pattern.push_str(&saved.get(&found[1]).map_or_else(|| ".+".to_owned(), |known| regex::escape(known)));
        rest = whole.end();
    }
    pattern.push_str(&regex::escape(&want[rest..]));
    pattern.push('$');
    Regex::new(&pattern).expect("a pattern").is_match(got)
}

/// The differences; none when equal.
pub fn differences(want: &Value, got: &Value, saved: &Saved, at: &str) -> Vec<String> {
    let one = |text: String| vec![format!("{at}: {text}")];
    match (want, got) {
        (Value::String(want), got) if want.starts_with("{{unix:") && got.is_i64() => Vec::new(),
        (Value::String(want), Value::String(got)) if text_fits(want, got, saved) => Vec::new(),
        (Value::Object(want), Value::Object(got)) => object_differences(want, got, saved, at),
        (Value::Array(want), Value::Array(got)) if want.len() == got.len() => {
            let name = at.rsplit('/').next().unwrap_or_default();
            if UNORDERED.contains(&name) { as_set(want, got, saved, at) } else { in_order(want, got, saved, at) }
        }
        _ if want == got => Vec::new(),
        _ => one(format!("want {}, got {}", short(want), short(got))),
    }
}

fn object_differences(want: &Map<String, Value>, got: &Map<String, Value>, saved: &Saved, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in want {
        match got.get(name) {
            Some(other) => found.extend(differences(value, other, saved, &format!("{at}/{name}"))),
            None => found.push(format!("{at}/{name}: missing, want {}", short(value))),
        }
    }
    let more = got.iter().filter(|(name, _)| !want.contains_key(*name));
    found.extend(more.map(|(name, value)| format!("{at}/{name}: unexpected {}", short(value))));
    found
}

fn in_order(want: &[Value], got: &[Value], saved: &Saved, at: &str) -> Vec<String> {
    let pairs = want.iter().zip(got).enumerate();
    pairs.flat_map(|(index, (want, got))| differences(want, got, saved, &format!("{at}/{index}"))).collect()
}

fn as_set(want: &[Value], got: &[Value], saved: &Saved, at: &str) -> Vec<String> {
    let mut rest: Vec<&Value> = got.iter().collect();
    let mut found = Vec::new();
    for (index, want) in want.iter().enumerate() {
        match rest.iter().position(|got| differences(want, got, saved, "").is_empty()) {
            Some(position) => drop(rest.remove(position)),
            None => found.push(format!("{at}/{index}: no entry like {}", short(want))),
        }
    }
    found
}

/// A value, cut where it is too long to read.
pub fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() < 300 { text } else { text.chars().take(300).chain("...".chars()).collect() }
}
