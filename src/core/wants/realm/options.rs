//! The options of a realm in the making.

use std::collections::BTreeMap;

use crate::api::refs::KeyRef;
use crate::core::claim::Hidden;
use crate::core::object::Refusal;
use crate::core::snapshot::OptionValue;
use crate::core::wants::{References, SecretValue};

/// Options in the making: an unset field is not managed, an empty one removes the option.
#[derive(Default)]
pub(super) struct Options {
    pub values: BTreeMap<String, Option<OptionValue>>,
    pub refusals: Vec<Refusal>,
    /// The bind password, which PVE never shows.
    pub hidden: Option<Hidden>,
    pub check_connection: bool,
}

impl Options {
    pub fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            let value = (!value.trim().is_empty()).then(|| OptionValue::Plain(value.to_owned()));
            self.values.insert(name.to_owned(), value);
        }
    }

    pub fn flag(&mut self, name: &str, value: Option<bool>) {
        self.text(name, value.map(|value| if value { "1" } else { "0" }));
    }

    pub fn words(&mut self, name: &str, value: Option<&Vec<String>>) {
        self.text(name, value.map(|words| words.join(" ")).as_deref());
    }

    pub fn secret(&mut self, name: &str, reference: &KeyRef, references: &References<'_>, show: bool) {
        match references.secret(reference) {
            Ok(SecretValue { value, version: _, issue: _ }) => {
                let value = if show {
                    OptionValue::Plain(value.expose().to_owned())
                } else {
                    OptionValue::Secret(value.clone())
                };
                self.values.insert(name.to_owned(), Some(value));
            }
            Err(refusal) => self.refusals.push(refusal),
        }
    }
}
