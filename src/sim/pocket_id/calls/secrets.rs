//! Secrets of clients: up to 2.13 one that is replaced, from 2.14 on several (FACTS 1, recording `client-secret`).

use serde_json::{Value, json};

use crate::sim::pocket_id::answer::Answer;
use crate::sim::pocket_id::call::Call;
use crate::sim::pocket_id::check::{Check, Rule};
use crate::sim::pocket_id::failure::Failure;
use crate::sim::pocket_id::fields::Fields;
use crate::sim::pocket_id::tables::{Client, MOST_SECRETS, Secret, Tables};
use crate::sim::secrets::{random_text, random_uuid};

/// Characters of a secret that is not chosen.
const LENGTH: usize = 32;

/// `POST /api/oidc/clients/{id}/secret`: the old one is dead at once.
pub fn replace(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let value = chosen(&body(call)?)?;
    let client = confidential(call, tables)?;
    client.secrets = vec![Secret::new(random_uuid(), &value, call.now, None)];
    Ok(Answer::ok(&json!({ "secret": value })))
}

/// `GET /api/oidc/clients/{id}/secrets`
pub fn list(call: &Call<'_>, tables: &Tables) -> Result<Answer, Failure> {
    let client = tables.client(call.id()).ok_or_else(Failure::not_found)?;
    Ok(Answer::ok(&client.secrets.iter().map(|secret| secret.shown(call.now)).collect::<Value>()))
}

/// `POST /api/oidc/clients/{id}/secrets`: the others stay valid.
pub fn add(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let fields = body(call)?;
    let (value, expires_at) = (chosen(&fields)?, fields.moment("expiresAt")?);
    if expires_at.is_some_and(|end| end <= call.now) {
        return Err(Failure::invalid("ExpiresAt must be in the future"));
    }
    let client = confidential(call, tables)?;
    if client.secrets.len() >= MOST_SECRETS {
        let sentence = format!("A client can have at most {MOST_SECRETS} secrets");
        return Err(Failure::new(400, "too_many_client_secrets", sentence));
    }
    let secret = Secret::new(random_uuid(), &value, call.now, expires_at);
    let mut shown = secret.shown(call.now);
    shown["secret"] = json!(value);
    client.secrets.push(secret);
    Ok(Answer::json(201, &shown))
}

/// `DELETE /api/oidc/clients/{id}/secrets/{secret}`
pub fn delete(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let client = tables.client_mut(call.id()).ok_or_else(Failure::not_found)?;
    let index = client.secrets.iter().position(|secret| secret.id == call.parameter(1));
    client.secrets.remove(index.ok_or_else(Failure::not_found)?);
    Ok(Answer::no_content())
}

/// A body may be left out, and is not looked at before 2.12.
fn body(call: &Call<'_>) -> Result<Fields, Failure> {
    let looked_at = call.release().takes_own_values() && !call.request.body.is_empty();
    if looked_at { call.fields() } else { Ok(Fields::default()) }
}

/// The secret of a body, or a random one.
fn chosen(fields: &Fields) -> Result<String, Failure> {
    let own = fields.text("secret")?;
    Check::default().optional("Secret", &own, &[Rule::Printable, Rule::Min(16)]).done()?;
    Ok(if own.is_empty() { random_text(LENGTH) } else { own })
}

/// The client, which from 2.13 on must not be public.
fn confidential<'t>(call: &Call<'_>, tables: &'t mut Tables) -> Result<&'t mut Client, Failure> {
    let client = tables.client_mut(call.id()).ok_or_else(Failure::not_found)?;
    if client.is_public && call.release().has_error_codes() {
        return Err(Failure::new(400, "public_client_secret", "A public client can't have a secret"));
    }
    Ok(client)
}
