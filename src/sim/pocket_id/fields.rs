//! The body of a request, read as leniently as Go's `encoding/json` does: unknown fields are ignored, names match in
//! any case, null is as good as left out. A wrong type is not forgiven (recordings `client-validation`,
//! `group-validation`). Texts are kept composed (NFC), as its sources say.

use icu_normalizer::ComposingNormalizerBorrowed as ComposingNormalizer;
use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::failure::Failure;

/// A JSON object.
#[derive(Debug, Default)]
pub struct Fields(Map<String, Value>);

/// The first JSON value of a body; what follows is not looked at.
fn first(body: &[u8]) -> Result<Value, Failure> {
    Value::deserialize(&mut serde_json::Deserializer::from_slice(body)).map_err(|_| Failure::unreadable())
}

impl Fields {
    /// Reads a body that is one object.
    pub fn read(body: &[u8]) -> Result<Self, Failure> {
        Self::of(&first(body)?)
    }

    /// Reads a body that is a list of objects.
    pub fn read_list(body: &[u8]) -> Result<Vec<Self>, Failure> {
        objects(&first(body)?)
    }

    fn of(value: &Value) -> Result<Self, Failure> {
        match value {
            Value::Null => Ok(Self::default()),
            Value::Object(fields) => Ok(Self(fields.clone())),
            _ => Err(Failure::unreadable()),
        }
    }

    fn get(&self, name: &str) -> &Value {
        let exact = self.0.get(name);
        let found = exact.or_else(|| {
            let mut similar = self.0.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
            similar.next().map(|(_, value)| value)
        });
        found.unwrap_or(&Value::Null)
    }

    /// A text; empty if left out.
    pub fn text(&self, name: &str) -> Result<String, Failure> {
        Ok(self.optional_text(name)?.unwrap_or_default())
    }

    /// A text that may be left out.
    pub fn optional_text(&self, name: &str) -> Result<Option<String>, Failure> {
        match self.get(name) {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(ComposingNormalizer::new_nfc().normalize(text).into_owned())),
            _ => Err(Failure::unreadable()),
        }
    }

    /// A flag; false if left out.
    pub fn flag(&self, name: &str) -> Result<bool, Failure> {
        match self.get(name) {
            Value::Null => Ok(false),
            Value::Bool(flag) => Ok(*flag),
            _ => Err(Failure::unreadable()),
        }
    }

    /// A number; 0 if left out.
    pub fn number(&self, name: &str) -> Result<i64, Failure> {
        match self.get(name) {
            Value::Null => Ok(0),
            Value::Number(number) => number.as_i64().ok_or_else(Failure::unreadable),
            _ => Err(Failure::unreadable()),
        }
    }

    /// A list of texts that may be left out.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Failure> {
        let text = |value: &Value| match value {
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(text.clone()),
            _ => Err(Failure::unreadable()),
        };
        match self.get(name) {
            Value::Null => Ok(None),
            Value::Array(items) => items.iter().map(text).collect::<Result<_, _>>().map(Some),
            _ => Err(Failure::unreadable()),
        }
    }

    /// A moment, in seconds since 1970, that may be left out.
    pub fn moment(&self, name: &str) -> Result<Option<i64>, Failure> {
        let moment = |text: String| text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_second);
        self.optional_text(name)?.map(moment).transpose().map_err(|_| Failure::unreadable())
    }

    /// An object; empty if left out.
    pub fn object(&self, name: &str) -> Result<Self, Failure> {
        Self::of(self.get(name))
    }

    /// A list of objects; empty if left out.
    pub fn objects(&self, name: &str) -> Result<Vec<Self>, Failure> {
        objects(self.get(name))
    }
}

fn objects(value: &Value) -> Result<Vec<Fields>, Failure> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => items.iter().map(Fields::of).collect(),
        _ => Err(Failure::unreadable()),
    }
}
