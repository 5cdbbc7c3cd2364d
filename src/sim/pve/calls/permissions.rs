//! The question who may do what.

use serde_json::{Map, Value, json};

use super::{Call, Outcome};
use crate::core::ids::{AclPath, TokenId, UserId};
use crate::core::permissions::Privileges;
use crate::core::snapshot::Credential;
use crate::sim::clock::now;
use crate::sim::pve::formats::split_tokenid;
use crate::sim::pve::guard::normalise;

/// Whoever asks for somebody else needs to read the access control; a token's own user counts as somebody else
/// (FACTS 89).
pub fn read(call: &Call<'_>) -> Outcome {
    let caller = call.caller()?;
    let asked = match call.get("userid") {
        Some(id) if id != caller.id() => {
            caller.require_any("/access", &["Sys.Audit"])?;
            match split_tokenid(id) {
                Some(_) => Credential::Token(TokenId::observed(id)),
                None => Credential::User(UserId::observed(id)),
            }
        }
        _ => caller.credential.clone(),
    };
    let rights = call.files.directory.rights(&asked, now());
    let Some(path) = call.get("path") else {
        let held = rights.everywhere();
        return Ok(Value::Object(held.iter().map(|(path, held)| (path.to_string(), shown(held))).collect()));
    };
    // The answer has the path as it was given, not as it is compared (FACTS 88).
    let held = normalise(path).map(|path| rights.on(&AclPath::observed(&path))).unwrap_or_default();
    Ok(Value::Object(Map::from_iter([(path.to_owned(), shown(&held))])))
}

fn shown(held: &Privileges) -> Value {
    Value::Object(held.iter().map(|(name, propagate)| (name.to_string(), json!(u8::from(*propagate)))).collect())
}
