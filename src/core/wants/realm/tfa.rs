//! The option of second factors.

use super::options::Options;
use crate::api::Reason;
use crate::api::refs::KeyRef;
use crate::api::tfa::{OathTfa, RealmTfa, YubicoTfa};
use crate::core::object::Refusal;
use crate::core::secret::Secret;
use crate::core::snapshot::OptionValue;
use crate::core::wants::References;

impl Options {
    pub fn tfa(&mut self, tfa: &RealmTfa, references: &References<'_>) {
        let RealmTfa { oath, yubico } = tfa;
        if oath.is_none() && yubico.is_none() {
            self.text("tfa", Some(""));
        }
        if let Some(OathTfa { digits, step }) = oath {
            let digits = digits.map(|digits| format!(",digits={digits}")).unwrap_or_default();
            let step = step.map(|step| format!(",step={step}")).unwrap_or_default();
            self.text("tfa", Some(&format!("type=oath{digits}{step}")));
        }
        if let Some(YubicoTfa { api_id, api_key_secret_ref, url }) = yubico {
            match api_key(api_key_secret_ref, references) {
                Ok(key) => {
                    let url = url.as_ref().map(|url| format!(",url={url}")).unwrap_or_default();
                    let tfa = Secret::new(format!("type=yubico,id={api_id},key={}{url}", key.expose()));
                    self.values.insert("tfa".to_owned(), Some(OptionValue::Secret(tfa)));
                }
                Err(refusal) => self.refusals.push(refusal),
            }
        }
    }
}

/// A key with a comma would be read as another property, and PVE's refusal might repeat a part of it.
fn api_key<'a>(reference: &KeyRef, references: &'a References<'_>) -> Result<&'a Secret, Refusal> {
    let key = &references.secret(reference)?.value;
    if key.expose().chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')) {
        return Ok(key);
    }
    let message = format!(
        "key {} of Secret {} is no key of Yubico's API, which has letters, digits, '+', '/' and '='; correct it",
        reference.key, reference.name
    );
    Err(Refusal::new(Reason::InvalidSpec, message))
}
