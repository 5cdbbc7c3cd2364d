//! Comparing an answer with its recording, by the rules of the recordings: `<<name>>` stands for any text, `<<int>>`
//! for any number, lists are multisets unless the step says `ordered`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Map, Value};

static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| Regex::new("<<([A-Za-z0-9_.:-]+)>>").expect("a pattern"));
static RUN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?s)<<(.)\*(\d+)>>").expect("a pattern"));

/// Values that earlier answers gave.
pub type Captured = BTreeMap<String, String>;

/// Fills in captured values and repetitions.
pub fn fill(text: &str, captured: &Captured) -> String {
    let repeated = RUN.replace_all(text, |found: &Captures| found[1].repeat(found[2].parse().expect("a number")));
    let known = |found: &Captures| captured.get(&found[1]).cloned().unwrap_or_else(|| found[0].to_owned());
    PLACEHOLDER.replace_all(&repeated, known).into_owned()
}

/// The same in a whole JSON value.
pub fn fill_value(value: &Value, captured: &Captured) -> Value {
    match value {
        Value::String(text) => Value::String(fill(text, captured)),
        Value::Array(items) => items.iter().map(|item| fill_value(item, captured)).collect(),
        Value::Object(object) => {
            let entries = object.iter().map(|(name, value)| (fill(name, captured), fill_value(value, captured)));
            Value::Object(entries.collect())
        }
        other => other.clone(),
    }
}

/// Whether a text fits its recording.
pub fn text_fits(want: &str, got: &str) -> bool {
    if !want.contains("<<") {
        return want == got;
    }
    let mut pattern = String::from("(?s)^");
    let mut rest = 0;
    for found in PLACEHOLDER.find_iter(want) {
        pattern.push_str(&regex::escape(&want[rest..found.start()]));
        pattern.push_str(".*");
        rest = found.end();
    }
    pattern.push_str(&regex::escape(&want[rest..]));
    pattern.push('$');
    Regex::new(&pattern).expect("a pattern").is_match(got)
}

/// The differences; none when equal.
pub fn differences(want: &Value, got: &Value, ordered: bool, at: &str) -> Vec<String> {
    let one = |text: String| vec![format!("{at}: {text}")];
    match (want, got) {
        (Value::String(text), got) if PLACEHOLDER.find(text).is_some_and(|found| found.as_str() == text) => {
            if got.is_null() { one(format!("placeholder {text}, got null")) } else { Vec::new() }
        }
        (Value::String(want), Value::String(got)) => {
            let fits = if at.ends_with("/content") { sorted(want) == sorted(got) } else { text_fits(want, got) };
            if fits { Vec::new() } else { one(format!("want {want:?}, got {got:?}")) }
        }
        (Value::Object(want), Value::Object(got)) => object_differences(want, got, ordered, at),
        (Value::Array(want), Value::Array(got)) => {
            if want.len() != got.len() {
                let (want_text, got_text) = (short(&Value::from(want.clone())), short(&Value::from(got.clone())));
                let counts = format!("want {} entries, got {}", want.len(), got.len());
                return one(format!("{counts}: want {want_text} got {got_text}"));
            }
            if ordered { in_order(want, got, at) } else { as_multiset(want, got, at) }
        }
        (Value::Number(want), Value::Number(got)) if want.as_f64() == got.as_f64() => Vec::new(),
        _ if want == got => Vec::new(),
        _ => one(format!("want {}, got {}", short(want), short(got))),
    }
}

/// The content types of a storage have no fixed order.
fn sorted(text: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = text.split(',').collect();
    parts.sort_unstable();
    parts
}

fn object_differences(want: &Map<String, Value>, got: &Map<String, Value>, ordered: bool, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = got.clone();
    for (name, value) in want {
        let fitting = rest.keys().find(|other| !want.contains_key(*other) && text_fits(name, other)).cloned();
        let key = if rest.contains_key(name) { Some(name.clone()) } else { fitting };
        match key.and_then(|key| rest.remove(&key)) {
            Some(other) => found.extend(differences(value, &other, ordered, &format!("{at}/{name}"))),
            None => found.push(format!("{at}/{name}: missing, want {}", short(value))),
        }
    }
    found.extend(rest.iter().map(|(name, value)| format!("{at}/{name}: unexpected {}", short(value))));
    found
}

fn in_order(want: &[Value], got: &[Value], at: &str) -> Vec<String> {
    let pairs = want.iter().zip(got).enumerate();
    pairs.flat_map(|(index, (want, got))| differences(want, got, true, &format!("{at}/{index}"))).collect()
}

fn as_multiset(want: &[Value], got: &[Value], at: &str) -> Vec<String> {
    let mut rest: Vec<&Value> = got.iter().collect();
    let mut found = Vec::new();
    for (index, want) in want.iter().enumerate() {
        match rest.iter().position(|got| differences(want, got, false, "").is_empty()) {
            Some(position) => {
                rest.remove(position);
            }
            None => found.push(format!("{at}/{index}: no entry like {}", short(want))),
        }
    }
    if !found.is_empty() {
        found.push(format!("{at}: left over {}", short(&rest.into_iter().cloned().collect())));
    }
    found
}

/// A value, cut where it is too long to read.
pub fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() < 300 { text } else { text.chars().take(300).chain("...".chars()).collect() }
}
