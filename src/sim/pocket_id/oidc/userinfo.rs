//! What a client may know of the user of an access token (recordings `oidc-flow-*`).

use serde_json::Value;

use super::claims::{self, Claims};
use crate::sim::pocket_id::answer::Answer;
use crate::sim::pocket_id::auth::bearer;
use crate::sim::pocket_id::call::Call;
use crate::sim::pocket_id::failure::Failure;
use crate::sim::pocket_id::tables::Tables;

/// `GET /api/oidc/userinfo`: by the scopes that the user last agreed to.
pub fn userinfo(call: &Call<'_>, tables: &Tables) -> Result<Answer, Failure> {
    let refused = |code, sentence: &str| Failure::new(401, code, sentence);
    let token = bearer(call.request).ok_or_else(|| refused("missing_access_token", "Missing access token"))?;
    let invalid = || refused("invalid_token", "Token is invalid");
    let claims = call.signing_key()?.verify(token).ok_or_else(invalid)?;
    let (user, client) = subject(&claims, call).ok_or_else(invalid)?;
    let consent = tables.consents.iter().find(|(of, at, _)| of == user && at == client);
    let (_, _, scope) = consent.ok_or_else(Failure::not_found)?;
    let user = tables.user(user).ok_or_else(Failure::not_found)?;
    Ok(Answer::ok(&Value::Object(claims::of_user(call, tables, user, scope))))
}

/// User and client of an access token that is valid now.
fn subject<'c>(claims: &'c Claims, call: &Call<'_>) -> Option<(&'c str, &'c str)> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let is_valid = text("type") == Some(claims::ACCESS)
        && text("iss") == Some(&call.server.issuer)
        && claims.get("exp").and_then(Value::as_i64).is_some_and(|end| end > call.now);
    let client = claims.get("aud").and_then(|audience| audience.get(0)).and_then(Value::as_str);
    is_valid.then(|| Some((text("sub")?, client?)))?
}
