//! Parameters of a call: decoding query, form and JSON, and checking them against the schema.

use std::collections::BTreeMap;

use percent_encoding::percent_decode;
use serde_json::Value;

use super::answer::Failure;
use super::formats::{chomp, split_list};
use super::methods::{Method, Property};

/// A value as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raw {
    /// Text, or a JSON number.
    Text(String),
    /// A JSON boolean.
    Flag(bool),
    /// A repeated form key, or a JSON list.
    List(Vec<String>),
    /// A JSON object.
    Object,
}

/// Values as they were sent, by name.
pub type RawParameters = BTreeMap<String, Raw>;

/// Decodes a form or a query. Perl's `split` shows: empty parts at the end do not count, those at the front do,
/// and what follows a second `=` is lost (recording `http-bodies`).
pub fn decode_form(text: &[u8]) -> RawParameters {
    let mut parameters = RawParameters::new();
    let mut parts: Vec<&[u8]> = text.split(|byte| matches!(byte, b'&' | b';')).collect();
    while parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    for part in parts {
        let mut halves = part.split(|byte| *byte == b'=');
        let mut next = || unescape(halves.next().unwrap_or_default());
        let (name, value) = (next(), next());
        // A cache buster of browsers.
        if name == "_dc" {
            continue;
        }
        match parameters.get_mut(&name) {
            None => {
                parameters.insert(name, Raw::Text(value));
            }
            Some(Raw::List(values)) => values.push(value),
            Some(Raw::Text(first)) => {
                let values = vec![std::mem::take(first), value];
                parameters.insert(name, Raw::List(values));
            }
            Some(_) => {}
        }
    }
    parameters
}

fn unescape(text: &[u8]) -> String {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced).decode_utf8_lossy().into_owned()
}

/// Decodes a JSON body; null counts as absent.
///
/// # Errors
/// With the texts of Perl's parser (recording `http-bodies`).
pub fn decode_json(body: &[u8]) -> Result<RawParameters, Failure> {
    let text = String::from_utf8_lossy(body);
    let at = "at /usr/share/perl5/PVE/APIServer/AnyEvent.pm line 1000, <GEN> line 1.";
    let refuse = |what: String| Err(Failure::plain(500, &format!("{what} {at}\n")));
    match serde_json::from_str::<Value>(&text) {
        Ok(Value::Object(object)) => {
            Ok(object.into_iter().filter_map(|(name, value)| Some((name, json_value(value)?))).collect())
        }
        Ok(Value::Null) => Ok(RawParameters::new()),
        Ok(Value::String(text)) => {
            refuse(format!("Can't use string (\"{text}\") as a HASH ref while \"strict refs\" in use"))
        }
        Ok(_) => refuse("Not a HASH reference".to_owned()),
        Err(error) => {
            let offset = error.column().saturating_sub(1).min(text.len());
            let rest = text.get(offset..).unwrap_or_default();
            if text.get(..offset).is_some_and(|before| before.trim_end().ends_with('{')) && !rest.is_empty() {
                return refuse(format!("'\"' expected, at character offset {offset} (before \"{rest}\")"));
            }
            let rest = if rest.is_empty() { "(end of string)" } else { rest };
            refuse(format!(
                "malformed JSON string, neither tag, array, object, number, string or atom, \
                 at character offset {offset} (before \"{rest}\")"
            ))
        }
    }
}

fn json_value(value: Value) -> Option<Raw> {
    match value {
        Value::Null => None,
        Value::Bool(flag) => Some(Raw::Flag(flag)),
        Value::Number(number) => Some(Raw::Text(number.to_string())),
        Value::String(text) => Some(Raw::Text(text)),
        Value::Object(_) => Some(Raw::Object),
        Value::Array(items) => {
            let text = |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            Some(Raw::List(items.iter().map(text).collect()))
        }
    }
}

/// Checked parameters, each as text.
#[derive(Debug, Clone, Default)]
pub struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// The text of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The text of a parameter that the schema requires.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// A boolean; missing is false.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name) == Some("1")
    }

    /// The items of a list.
    pub fn list(&self, name: &str) -> Vec<String> {
        split_list(self.text(name)).map(str::to_owned).collect()
    }

    /// Everything that was given.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Checks parameters against the schema.
///
/// # Errors
/// With every bad parameter at once (FACTS 1).
pub fn verify(method: &Method, raw: &RawParameters, lacking: &[&str]) -> Result<Parameters, Failure> {
    let mut checked = Parameters::default();
    let mut errors = BTreeMap::new();
    for (name, value) in raw {
        let Some(property) = method.properties.get(name).filter(|_| !lacking.contains(&name.as_str())) else {
            let name = if name.is_empty() { "_root" } else { name };
            let unknown = "property is not defined in schema and the schema does not allow additional properties";
            errors.insert(name.to_owned(), unknown.to_owned());
            continue;
        };
        match check(property, name, value) {
            Ok(text) => {
                checked.0.insert(name.clone(), text);
            }
            Err(error) => {
                errors.insert(name.clone(), error);
            }
        }
        if let Some(other) = property.requires.as_ref().filter(|other| !raw.contains_key(*other)) {
            errors.insert(other.clone(), format!("missing property required by '{name}'"));
        }
    }
    for (name, property) in &method.properties {
        if !property.optional && !raw.contains_key(name) {
            errors.insert(name.clone(), "property is missing and it is not optional".to_owned());
        }
    }
    if errors.is_empty() { Ok(checked) } else { Err(Failure::parameters(errors)) }
}

fn check(property: &Property, name: &str, value: &Raw) -> Result<String, String> {
    let is_list = property.format.as_ref().is_some_and(|format| format.ends_with("-list"));
    let kind = property.kind.as_str();
    let wrong_type = |got: &str| Err(format!("type check ('{kind}') failed - got {got}"));
    let text = match value {
        Raw::Text(text) => text.clone(),
        Raw::Flag(flag) if kind == "boolean" => u8::from(*flag).to_string(),
        Raw::Flag(_) => return wrong_type("JSON::PP::Boolean"),
        Raw::List(items) if is_list => items.join(","),
        Raw::List(_) => return wrong_type("ARRAY"),
        Raw::Object => return wrong_type("HASH"),
    };
    match kind {
        "boolean" if !matches!(text.as_str(), "0" | "1") => return wrong_type(&format!("'{text}'")),
        "integer" => {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
            if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
                return wrong_type(&format!("'{text}'"));
            }
            check_bounds(property, &text)?;
        }
        _ => check_text(property, name, &text)?,
    }
    Ok(text)
}

fn check_bounds(property: &Property, text: &str) -> Result<(), String> {
    // Longer than any bound: its sign says it all.
    let number = text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX });
    if let Some(minimum) = property.minimum.filter(|minimum| number < *minimum) {
        return Err(format!("value must have a minimum value of {minimum}"));
    }
    match property.maximum.filter(|maximum| number > *maximum) {
        Some(maximum) => Err(format!("value must have a maximum value of {maximum}")),
        None => Ok(()),
    }
}

fn check_text(property: &Property, name: &str, text: &str) -> Result<(), String> {
    if let Some(format) = &property.format {
        super::formats::check(format, name, text).map_err(|error| format!("invalid format - {error}\n"))?;
    }
    let length = text.chars().count();
    if let Some(limit) = property.max_length.filter(|limit| length > *limit) {
        return Err(format!("value may only be {limit} characters long"));
    }
    if let Some(limit) = property.min_length.filter(|limit| length < *limit) {
        return Err(format!("value must be at least {limit} characters long"));
    }
    if let Some(pattern) = &property.pattern
        && !pattern.is_match(text)
        && !pattern.is_match(chomp(text))
    {
        return Err("value does not match the regex pattern".to_owned());
    }
    if !property.values.is_empty() && !property.values.iter().any(|allowed| allowed == text) {
        let allowed = property.values.join(", ");
        return Err(format!("value '{text}' does not have a value in the enumeration '{allowed}'"));
    }
    Ok(())
}
