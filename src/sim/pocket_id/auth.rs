//! Who is calling: a browser session, or an API key (FACTS 5).

use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::http::Request;
use super::oidc::jwt::SigningKey;
use super::server::Server;
use super::state::State;
use super::tables::{STATIC_USER, Tables, User};
use crate::sim::clock::now;
use crate::sim::secrets::random_text;

/// The cookie of a session where APP_URL is https.
const COOKIE: &str = "__Host-access_token";
/// A session lives so many seconds.
const SESSION: i64 = 3600;

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Every user.
    User,
    /// Every user, but not with an API key.
    Session,
    /// Administrators.
    Admin,
}

/// Somebody who may call.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The id of the user.
    pub user: String,
    /// The name of the user.
    pub username: String,
    /// How the user of a session had signed in; empty with a key.
    pub amr: Vec<String>,
}

/// Who is calling, if it may. The user of the static key is made when it is missing.
///
/// # Errors
/// When there is no login, or not enough of one.
pub fn identify(server: &Server, request: &Request, access: Access, tables: &mut Tables) -> Result<Caller, Failure> {
    let State { signing_key, api_key, .. } = &server.state;
    let session = session_token(request).and_then(|token| read_session(signing_key.get()?, &server.issuer, &token));
    let (user, amr) = if let Some((user, amr)) = session {
        (user, amr)
    } else {
        let key = request.header("x-api-key");
        if key.is_empty() {
            return Err(Failure::not_signed_in());
        }
        if access == Access::Session {
            let sentence = "API key authentication is not allowed for this endpoint";
            return Err(Failure::new(403, "api_key_not_allowed", sentence));
        }
        (key_user(tables, api_key, key).ok_or_else(Failure::not_signed_in)?, Vec::new())
    };
    let user = tables.user(&user).ok_or_else(Failure::not_signed_in)?;
    if user.disabled {
        return Err(Failure::new(403, "user_disabled", "User account is disabled"));
    }
    if access == Access::Admin && !user.is_admin {
        return Err(Failure::new(403, "missing_permission", "You don't have permission to perform this action"));
    }
    Ok(Caller { user: user.id.clone(), username: user.username.clone(), amr })
}

/// The user of a key, which is used by this.
fn key_user(tables: &mut Tables, static_key: &str, token: &str) -> Option<String> {
    if token == static_key {
        if tables.user(STATIC_USER).is_none() {
            tables.users.push(static_user());
        }
        return Some(STATIC_USER.to_owned());
    }
    let key = tables.api_keys.iter_mut().find(|key| key.is(token, now()))?;
    key.last_used_at = Some(now());
    Some(key.user.clone())
}

fn static_user() -> User {
    User {
        id: STATIC_USER.to_owned(),
        username: format!("static-api-user-{}", random_text(6)),
        first_name: "Static API User".to_owned(),
        display_name: "Static API User".to_owned(),
        is_admin: true,
        created_at: now(),
        ..User::default()
    }
}

fn session_token(request: &Request) -> Option<String> {
    let cookie = request.header("cookie").split(';').find_map(|cookie| cookie.trim().strip_prefix(COOKIE));
    let token = cookie.and_then(|cookie| cookie.strip_prefix('=')).or_else(|| bearer(request))?;
    Some(token.to_owned())
}

/// The token of the header `Authorization: Bearer`.
pub fn bearer(request: &Request) -> Option<&str> {
    request.header("authorization").strip_prefix("Bearer ").filter(|token| !token.is_empty())
}

/// The cookie that signs a user in.
pub fn session_cookie(key: &SigningKey, issuer: &str, user: &User, amr: &str) -> String {
    let claims = json!({
        "type": "access-token",
        "sub": user.id,
        "iss": issuer,
        "aud": [issuer],
        "iat": now(),
        "exp": now() + SESSION,
        "amr": [amr],
    });
    let token = key.sign(claims.as_object().unwrap_or(&Map::new()));
    format!("{COOKIE}={token}; Path=/; Max-Age={SESSION}; HttpOnly; Secure")
}

/// The user of a session and how it had signed in. Tokens for clients are no sessions.
fn read_session(key: &SigningKey, issuer: &str, token: &str) -> Option<(String, Vec<String>)> {
    let claims = key.verify(token)?;
    let is_session = claims.get("type").is_some_and(|kind| kind == "access-token")
        && claims.get("iss").is_some_and(|by| by == issuer)
        && claims.get("exp").and_then(Value::as_i64).is_some_and(|end| end > now());
    let amr = claims.get("amr").and_then(Value::as_array).into_iter().flatten();
    let amr = amr.filter_map(|way| way.as_str().map(str::to_owned)).collect();
    is_session.then(|| claims.get("sub")?.as_str().map(|user| (user.to_owned(), amr)))?
}
