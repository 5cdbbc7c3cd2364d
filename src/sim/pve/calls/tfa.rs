//! Second factors: nobody has any.

use serde_json::{Value, json};

use super::{Call, Outcome};
use crate::sim::pve::answer::Failure;

/// Answers the calls about second factors (recordings `users-tfa`, `auth-token-forbidden`).
pub fn answer(verb: &str, path: &str, call: &Call<'_>) -> Outcome {
    match (verb, path) {
        ("GET", "/access/tfa" | "/access/tfa/{userid}") => Ok(json!([])),
        ("GET", "/access/users/{userid}/tfa") => {
            let realm = call.text("userid").rsplit_once('@').map_or("", |(_, realm)| realm);
            if !call.files.realms.0.contains_key(realm) {
                return Err(Failure::die(format!("auth domain '{realm}' does not exist")));
            }
            Ok(if call.parameters.flag("multiple") { json!({ "user": [] }) } else { json!({}) })
        }
        ("PUT", "/access/users/{userid}/unlock-tfa") => Ok(Value::from(0)),
        ("POST", _) => Err(Failure::die("second factors are not simulated")),
        _ => Err(Failure::status(404, format!("No such tfa entry '{}'", call.text("id")))),
    }
}
