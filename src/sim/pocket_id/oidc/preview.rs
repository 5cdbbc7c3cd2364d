//! The tokens that a user would get, without a sign-in (recording `token-preview`).

use serde_json::{Value, json};

use super::claims::{self, Claims};
use crate::sim::pocket_id::answer::Answer;
use crate::sim::pocket_id::call::Call;
use crate::sim::pocket_id::failure::Failure;
use crate::sim::pocket_id::tables::{Tables, moment_shown};

/// `GET /api/oidc/clients/{id}/preview/{user}`
pub fn preview(call: &Call<'_>, tables: &Tables) -> Result<Answer, Failure> {
    let scope = call.request.query_parameter("scopes");
    if scope.is_empty() {
        return Err(Failure::invalid("Scopes are required"));
    }
    let client = tables.client(call.id()).ok_or_else(Failure::not_found)?;
    let user = tables.user(call.parameter(1)).ok_or_else(Failure::not_found)?;
    claims::must_get_in(tables, client, user)?;
    Ok(Answer::ok(&json!({
        "idToken": readable(claims::of_id_token(call, tables, client, user, &scope)),
        "accessToken": readable(claims::of_token(call, client, claims::ACCESS, &user.id)),
        "userInfo": claims::of_user(call, tables, user, &scope),
    })))
}

/// Moments are texts here.
fn readable(mut claims: Claims) -> Claims {
    for name in ["exp", "iat"] {
        let moment = claims.get(name).and_then(Value::as_i64).map(moment_shown);
        claims.extend(moment.map(|moment| (name.to_owned(), Value::from(moment))));
    }
    claims
}
