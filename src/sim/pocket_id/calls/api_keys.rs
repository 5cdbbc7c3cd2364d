//! API keys of users (FACTS 5, recording `api-keys-life-cycle`).

use serde_json::json;

use crate::sim::pocket_id::answer::Answer;
use crate::sim::pocket_id::call::Call;
use crate::sim::pocket_id::check::{Check, Rule};
use crate::sim::pocket_id::failure::Failure;
use crate::sim::pocket_id::fields::Fields;
use crate::sim::pocket_id::listing::{Column, Key, Query};
use crate::sim::pocket_id::tables::{ApiKey, Tables};
use crate::sim::secrets::{random_text, random_uuid};

/// Characters of a key.
const LENGTH: usize = 32;

/// `GET /api/api-keys`: the caller's own.
pub fn list(call: &Call<'_>, tables: &Tables) -> Result<Answer, Failure> {
    let user = &call.caller()?.user;
    let rows = tables.api_keys.iter().filter(|key| key.user == *user).collect();
    let columns: [Column<&ApiKey>; 4] = [
        Column::new("name", |key| Key::from(key.name.as_str())),
        Column::new("expiresAt", |key| Key::Number(key.expires_at)),
        Column::new("lastUsedAt", |key| key.last_used_at.map_or(Key::Null, Key::Number)),
        Column::new("createdAt", |key| Key::Number(key.created_at)),
    ];
    Ok(Query::read(&call.request.query).page(rows, &columns, |key| key.shown()))
}

/// `POST /api/api-keys`
pub fn create(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let fields = call.fields()?;
    let (name, description) = (fields.text("name")?, fields.optional_text("description")?);
    let expires_at = fields.moment("expiresAt")?;
    let check = Check::default().field("Name", &name, &[Rule::Required, Rule::Min(3), Rule::Max(50)]);
    check.given("ExpiresAt", expires_at.as_ref()).done()?;
    let expires_at = in_future(call, expires_at)?;
    let token = random_text(LENGTH);
    let mut key = ApiKey::new(random_uuid(), &call.caller()?.user, name, &token, expires_at, call.now);
    key.description = description;
    let shown = json!({ "apiKey": key.shown(), "token": token });
    tables.api_keys.push(key);
    Ok(Answer::json(201, &shown))
}

/// `POST /api/api-keys/{id}/renew`: only of a key that has expired.
pub fn renew(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let fields: Fields = call.fields()?;
    let expires_at = fields.moment("expiresAt")?;
    Check::default().given("ExpiresAt", expires_at.as_ref()).done()?;
    let expires_at = in_future(call, expires_at)?;
    let user = &call.caller()?.user;
    let mut own = tables.api_keys.iter_mut().filter(|key| key.user == *user);
    let key = own.find(|key| key.id == call.id()).ok_or_else(Failure::not_found)?;
    if key.expires_at > call.now {
        return Err(Failure::new(400, "api_key_not_expired", "API Key is not expired yet"));
    }
    let token = random_text(LENGTH);
    key.renew(&token, expires_at);
    Ok(Answer::ok(&json!({ "apiKey": key.shown(), "token": token })))
}

/// `DELETE /api/api-keys/{id}`: also the key that asks.
pub fn revoke(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let user = &call.caller()?.user;
    let index = tables.api_keys.iter().position(|key| key.id == call.id() && key.user == *user);
    tables.api_keys.remove(index.ok_or_else(Failure::not_found)?);
    Ok(Answer::no_content())
}

fn in_future(call: &Call<'_>, moment: Option<i64>) -> Result<i64, Failure> {
    let sentence = "API Key expiration time must be in the future";
    let future = moment.filter(|moment| *moment > call.now);
    future.ok_or_else(|| Failure::new(400, "api_key_expiration_in_past", sentence))
}
