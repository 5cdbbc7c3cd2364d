//! What the web interface asks for when a user agrees: an authorization code (recordings `oidc-*`).

use serde_json::json;

use super::callback;
use super::claims::must_get_in;
use crate::sim::pocket_id::answer::Answer;
use crate::sim::pocket_id::call::Call;
use crate::sim::pocket_id::check::{Check, Rule};
use crate::sim::pocket_id::failure::Failure;
use crate::sim::pocket_id::tables::{Code, Grant, Tables};
use crate::sim::secrets::random_text;

/// A code lives so many seconds.
const LIFETIME: i64 = 15 * 60;

/// `POST /api/oidc/authorize`
pub fn authorize(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let fields = call.fields()?;
    let (client_id, scope) = (fields.text("clientID")?, fields.text("scope")?);
    let (callback_url, nonce) = (fields.text("callbackURL")?, fields.text("nonce")?);
    let (challenge, method) = (fields.text("codeChallenge")?, fields.text("codeChallengeMethod")?);
    let required = [Rule::Required];
    Check::default().field("ClientID", &client_id, &required).field("Scope", &scope, &required).done()?;

    let caller = call.caller()?;
    let user = tables.user(&caller.user).ok_or_else(Failure::not_signed_in)?.clone();
    let client = tables.client(&client_id).ok_or_else(Failure::not_found)?.clone();
    if client.requires_reauthentication {
        return Err(Failure::new(401, "reauthentication_required", "Reauthentication required"));
    }
    if client.is_public && challenge.is_empty() {
        return Err(Failure::new(400, "missing_code_challenge", "Missing code challenge"));
    }
    must_get_in(tables, &client, &user)?;
    let callback_url = callback_of(&client.callback_urls, &callback_url, call.release().trusts_first_use())?;
    if let Some(client) = tables.client_mut(&client_id).filter(|client| client.callback_urls.is_empty()) {
        client.callback_urls.push(callback_url.clone());
    }

    let code = random_text(32);
    tables.consents.retain(|(of, at, _)| *of != user.id || *at != client_id);
    tables.consents.push((user.id.clone(), client_id.clone(), scope.clone()));
    let grant = Grant { user: user.id, client: client_id, scope, amr: caller.amr.clone() };
    let mut kept = Code::new(&code, grant, call.now + LIFETIME);
    (kept.nonce, kept.challenge, kept.is_hashed) = (nonce, challenge, method == "S256");
    tables.codes.push(kept);
    Ok(Answer::ok(&json!({ "code": code, "callbackURL": callback_url, "issuer": call.server.issuer })))
}

/// Where the user is sent back to. A client without patterns takes the first URL that comes, where that is trusted.
fn callback_of(patterns: &[String], given: &str, trusts_first_use: bool) -> Result<String, Failure> {
    if given.is_empty() {
        let only = patterns.first().filter(|pattern| !pattern.contains('*'));
        let sentence = "Unable to detect callback url, it might be necessary for an admin to fix this";
        return only.cloned().ok_or_else(|| Failure::new(400, "missing_callback_url", sentence));
    }
    let trusted = patterns.is_empty() && trusts_first_use;
    if trusted || patterns.iter().any(|pattern| callback::admits(pattern, given)) {
        return Ok(given.to_owned());
    }
    let sentence = "Invalid callback URL, it might be necessary for an admin to fix this";
    Err(Failure::new(400, "invalid_callback_url", sentence))
}
