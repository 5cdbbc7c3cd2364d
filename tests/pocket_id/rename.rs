//! Changes the letters in all names of a scenario, in its requests and in the expected answers: each letter becomes
//! another one everywhere, large or small as before. So what is part of a name, or equal but for the case, stays
//! so. A simulator that knew the recordings by heart would fail then.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Map, Value};

use super::random::Random;

/// What people name.
const NAMES: [&str; 22] = [
    "name",
    "friendlyName",
    "username",
    "email",
    "firstName",
    "lastName",
    "displayName",
    "id",
    "clientID",
    "search",
    "data_names",
    "groups",
    "preferred_username",
    "given_name",
    "family_name",
    "display_name",
    "callbackURLs",
    "logoutCallbackURLs",
    "callbackURL",
    "redirect_uri",
    "launchURL",
    "description",
];
/// The user that the server makes itself.
const STATIC_USER: &str = "00000000-0000-0000-0000-000000000000";

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

/// Scheme of a URL, placeholders, or anything else.
static PART: LazyLock<Regex> = LazyLock::new(|| pattern(r"\{\{[^{}]*\}\}|^\w+://|[A-Za-z]+"));
/// What a setup in words names.
static IN_WORDS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(name |… |friendlyName )([A-Za-z -]+)(\d+)"));
/// A client whose id was chosen.
static CLIENT: LazyLock<Regex> = LazyLock::new(|| pattern("^(/api/oidc/clients/)([^/{]+)"));

/// A letter for each letter.
pub struct Letters {
    to: [u8; 26],
    changed: usize,
}

impl Letters {
    /// Shuffles the letters.
    pub fn draw(random: &mut Random) -> Self {
        let mut to = *b"abcdefghijklmnopqrstuvwxyz";
        for last in (1..to.len()).rev() {
            to.swap(last, random.next(last + 1));
        }
        Self { to, changed: 0 }
    }

    /// How many names were changed.
    pub fn changed(&self) -> usize {
        self.changed
    }

    fn letter(&self, letter: char) -> char {
        match letter {
            'a'..='z' => char::from(self.to[usize::from(letter as u8 - b'a')]),
            'A'..='Z' => char::from(self.to[usize::from(letter as u8 - b'A')].to_ascii_uppercase()),
            other => other,
        }
    }

    fn text(&mut self, text: &str) -> String {
        let changed = PART.replace_all(text, |found: &Captures| match &found[0] {
            kept if kept.starts_with("{{") || kept.ends_with("://") => kept.to_owned(),
            // What is refused for its scheme is refused for that still.
            "javascript" => found[0].to_owned(),
            letters => letters.chars().map(|letter| self.letter(letter)).collect(),
        });
        self.changed += usize::from(changed != text);
        changed.into_owned()
    }

    /// The scenario with other names.
    pub fn apply(&mut self, scenario: &Value) -> Value {
        let mut scenario = scenario.clone();
        for step in scenario["steps"].as_array_mut().into_iter().flatten() {
            if let Some(words) = step["setup"].as_str() {
                let renamed = IN_WORDS.replace_all(words, |found: &Captures| {
                    format!("{}{}{}", &found[1], self.text(&found[2]), &found[3])
                });
                step["setup"] = renamed.into_owned().into();
            }
            if let Some(path) = step["path"].as_str() {
                let renamed = CLIENT.replace(path, |found: &Captures| format!("{}{}", &found[1], self.text(&found[2])));
                step["path"] = renamed.into_owned().into();
            }
            if let Some(Ok(Value::Object(mut body))) = step["raw_body"].as_str().map(serde_json::from_str) {
                self.object(&mut body);
                step["raw_body"] = Value::Object(body).to_string().into();
            }
            for part in ["json", "form", "query", "body", "claims"] {
                if step.get(part).is_some() {
                    self.value(&mut step[part]);
                }
            }
        }
        scenario
    }

    fn value(&mut self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(object) if object.get("id").is_none_or(|id| id != STATIC_USER) => self.object(object),
            _ => {}
        }
    }

    fn object(&mut self, object: &mut Map<String, Value>) {
        for (name, value) in object.iter_mut() {
            match value {
                Value::String(text) if NAMES.contains(&name.as_str()) => *text = self.text(text),
                Value::Array(items) if NAMES.contains(&name.as_str()) => {
                    for item in items {
                        match item {
                            Value::String(text) => *text = self.text(text),
                            other => self.value(other),
                        }
                    }
                }
                // The names in full, as tokens have them, are those of above.
                other => self.value(other),
            }
        }
    }
}
