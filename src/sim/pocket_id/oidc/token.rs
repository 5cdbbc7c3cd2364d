//! Tokens for authorization codes, for refresh tokens, and for clients themselves (recordings `oidc-*`,
//! `client-secret`).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::claims::{self, Claims};
use crate::sim::pocket_id::answer::Answer;
use crate::sim::pocket_id::call::Call;
use crate::sim::pocket_id::failure::Failure;
use crate::sim::pocket_id::tables::{Client, Code, Grant, Refresh, Tables};
use crate::sim::secrets::random_text;

/// The form of a request; what is left out is empty.
struct Form(BTreeMap<String, String>);

impl Form {
    fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// `POST /api/oidc/token`
pub fn token(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let form = Form(url::form_urlencoded::parse(&call.request.body).into_owned().collect());
    let said = |code, sentence: &str| Failure::new(400, code, sentence);
    match form.get("grant_type") {
        "" => Err(Failure::invalid("GrantType is required")),
        "authorization_code" => {
            if form.get("code").is_empty() {
                return Err(said("missing_authorization_code", "Authorization code is required"));
            }
            let client = proven(call, tables, &form, true)?;
            let code = tables.take_code(form.get("code"), &client.id, call.now);
            let code = code.ok_or_else(|| said("invalid_authorization_code", "Invalid authorization code"))?;
            if !fits(&client, &code, form.get("code_verifier")) {
                return Err(said("invalid_code_verifier", "Invalid code verifier"));
            }
            issue(call, tables, &client, code.grant, &code.nonce)
        }
        "refresh_token" => {
            if form.get("refresh_token").is_empty() {
                return Err(said("missing_refresh_token", "Refresh token is required"));
            }
            let client = proven(call, tables, &form, true)?;
            let grant = tables.take_refresh(form.get("refresh_token"), &client.id, call.now);
            let grant = grant.ok_or_else(|| said("invalid_refresh_token", "Refresh token is invalid or expired"))?;
            issue(call, tables, &client, grant, "")
        }
        "client_credentials" => {
            let client = proven(call, tables, &form, false)?;
            let said = claims::of_token(call, &client, claims::ACCESS, &format!("client-{}", client.id));
            let lifetime = lifetime(&said);
            let access = call.signing_key()?.sign(&said);
            Ok(Answer::ok(&json!({ "access_token": access, "token_type": "Bearer", "expires_in": lifetime })))
        }
        _ => Err(said("grant_type_not_supported", "Grant type not supported")),
    }
}

/// The client that asks, which has proven that it is the one.
fn proven(call: &Call<'_>, tables: &Tables, form: &Form, public_is_enough: bool) -> Result<Client, Failure> {
    let in_form = (form.get("client_id").to_owned(), form.get("client_secret").to_owned());
    let nowhere = in_form.0.is_empty() && in_form.1.is_empty();
    let (id, secret) = if nowhere { basic(call).unwrap_or_default() } else { in_form };
    let missing = || Failure::new(400, "missing_client_credentials", "Client id or secret not provided");
    if id.is_empty() {
        return Err(missing());
    }
    let client = tables.client(&id).ok_or_else(Failure::not_found)?;
    if client.is_public && public_is_enough {
        return Ok(client.clone());
    }
    if secret.is_empty() || client.is_public {
        return Err(missing());
    }
    if client.has_secret(&secret, call.now) {
        return Ok(client.clone());
    }
    Err(Failure::new(400, "invalid_client_secret", "Invalid client secret"))
}

/// Id and secret of the header `Authorization: Basic`, both form-encoded within (RFC 6749, 2.3.1).
fn basic(call: &Call<'_>) -> Option<(String, String)> {
    let text = call.request.header("authorization").strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(String::from);
    Some((decode(id)?, decode(secret)?))
}

/// Whether a verifier fits the challenge of a code, or none was needed.
fn fits(client: &Client, code: &Code, verifier: &str) -> bool {
    if code.challenge.is_empty() {
        return !client.pkce_enabled;
    }
    let hashed = || URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    code.challenge == if code.is_hashed { hashed() } else { verifier.to_owned() }
}

fn issue(call: &Call<'_>, tables: &mut Tables, client: &Client, grant: Grant, nonce: &str) -> Result<Answer, Failure> {
    let user = tables.user(&grant.user).ok_or_else(Failure::not_found)?;
    let key = call.signing_key()?;
    let signed = |mut said: Claims| {
        if !grant.amr.is_empty() {
            said.insert("amr".to_owned(), json!(grant.amr));
        }
        key.sign(&said)
    };
    let access = claims::of_token(call, client, claims::ACCESS, &user.id);
    let lifetime = lifetime(&access);
    let mut id = claims::of_id_token(call, tables, client, user, &grant.scope);
    if !nonce.is_empty() {
        id.insert("nonce".to_owned(), json!(nonce));
    }
    let refresh = random_text(40);
    let answer = Answer::ok(&json!({
        "access_token": signed(access),
        "token_type": "Bearer",
        "id_token": signed(id),
        "refresh_token": refresh,
        "expires_in": lifetime,
    }));
    let minutes = client.lifetimes(call.release()).refresh;
    tables.refreshes.push(Refresh::new(&refresh, grant, call.now + 60 * minutes));
    Ok(answer)
}

/// How long a token is valid, in seconds.
fn lifetime(claims: &Claims) -> i64 {
    let number = |name: &str| claims.get(name).and_then(Value::as_i64).unwrap_or_default();
    number("exp") - number("iat")
}
