//! Ways to a session: the first administrator, and one-time access (recordings `initial-admin-setup`,
//! `oidc-flow-groups`). Passkeys are not played.

use jiff::SignedDuration;

use super::users;
use crate::sim::pocket_id::answer::Answer;
use crate::sim::pocket_id::auth::session_cookie;
use crate::sim::pocket_id::call::Call;
use crate::sim::pocket_id::failure::Failure;
use crate::sim::pocket_id::fields::Fields;
use crate::sim::pocket_id::tables::{OneTimeAccess, STATIC_USER, Tables, User};
use crate::sim::secrets::{random_text, random_uuid};

/// One-time access lives so long, unless said.
const USUAL: SignedDuration = SignedDuration::from_mins(15);

/// `GET /api/signup/setup`
pub fn setup_is_open(_: &Call<'_>, tables: &Tables) -> Result<Answer, Failure> {
    if is_set_up(tables) { Err(closed()) } else { Ok(Answer::no_content()) }
}

/// `POST /api/signup/setup`: makes an administrator while there is no user but that of the static key.
pub fn set_up(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let fields = call.fields()?;
    let mut user = User {
        id: random_uuid(),
        username: fields.text("username")?,
        email: fields.optional_text("email")?,
        first_name: fields.text("firstName")?,
        last_name: fields.text("lastName")?,
        is_admin: true,
        created_at: call.now,
        ..User::default()
    };
    user.display_name = user.full_name();
    users::checked(&user).done()?;
    if is_set_up(tables) {
        return Err(closed());
    }
    users::has_email(&user)?;
    let id = user.id.clone();
    tables.users.push(user);
    signed_in(call, tables, &id)
}

/// `POST /api/users/{id}/one-time-access-token`
pub fn grant_once(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let fields = if call.request.body.is_empty() { Fields::default() } else { call.fields()? };
    let lifetime = match fields.optional_text("ttl")? {
        Some(text) => text.parse::<SignedDuration>().map_err(|_| Failure::unreadable())?,
        None => USUAL,
    };
    tables.user(call.id()).ok_or_else(Failure::not_found)?;
    // Short ones are to be typed.
    let token = random_text(if lifetime <= USUAL { 6 } else { 16 });
    tables.one_time.push(OneTimeAccess::new(&token, call.id(), call.now + lifetime.as_secs()));
    Ok(Answer::json(201, &serde_json::json!({ "token": token })))
}

/// `POST /api/one-time-access-token/{token}`
pub fn once(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let user = tables.take_one_time(call.id(), call.now);
    let invalid = || Failure::new(400, "token_invalid_or_expired", "Token is invalid or expired");
    signed_in(call, tables, &user.ok_or_else(invalid)?)
}

fn signed_in(call: &Call<'_>, tables: &Tables, id: &str) -> Result<Answer, Failure> {
    let user = tables.user(id).ok_or_else(Failure::not_found)?;
    let cookie = session_cookie(call.signing_key()?, &call.server.issuer, user, "otp");
    Ok(Answer::ok(&user.shown_alone()).with("set-cookie", cookie))
}

fn is_set_up(tables: &Tables) -> bool {
    tables.users.iter().any(|user| user.id != STATIC_USER)
}

fn closed() -> Failure {
    Failure::new(404, "not_found", "Not found")
}
