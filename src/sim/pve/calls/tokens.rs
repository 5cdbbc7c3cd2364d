//! API tokens.

use serde_json::{Map, Value, json};

use super::users::missing as no_user;
use super::{Call, Outcome, integer, number, object, shown};
use crate::core::ids::Subject;
use crate::sim::pve::answer::Failure;
use crate::sim::pve::user_cfg::{Token, User, truthy};
use crate::sim::secrets::random_uuid;

/// The settings of a token.
pub fn view(token: &Token) -> Map<String, Value> {
    object([
        ("privsep", Some(json!(u8::from(token.privsep)))),
        ("expire", Some(number(token.expire))),
        ("comment", shown(&token.comment)),
    ])
}

/// The tokens of a user as a list.
pub fn list_of(user: &User) -> Value {
    let tokens = user.tokens.iter();
    tokens
        .map(|(name, token)| {
            let mut shown = view(token);
            shown.insert("tokenid".to_owned(), json!(name));
            Value::Object(shown)
        })
        .collect()
}

fn user<'a>(call: &Call<'a>) -> Result<&'a User, Failure> {
    let id = call.text("userid");
    call.files.users.users.get(id).ok_or_else(|| no_user(id))
}

fn missing(call: &Call<'_>) -> Failure {
    let (user, name) = (call.text("userid"), call.text("tokenid"));
    Failure::die(format!("no such token '{name}' for user '{user}'"))
}

fn token<'a>(call: &Call<'a>) -> Result<&'a Token, Failure> {
    user(call)?.tokens.get(call.text("tokenid")).ok_or_else(|| missing(call))
}

fn full_id(call: &Call<'_>) -> String {
    format!("{}!{}", call.text("userid"), call.text("tokenid"))
}

pub fn list(call: &Call<'_>) -> Outcome {
    user(call).map(list_of)
}

pub fn read(call: &Call<'_>) -> Outcome {
    token(call).map(|token| Value::Object(view(token)))
}

/// What was given comes back as text, what is filled in as a number (FACTS 13).
pub async fn create(call: &Call<'_>) -> Outcome {
    if user(call)?.tokens.contains_key(call.text("tokenid")) {
        return Err(Failure::parameter("tokenid", "Token already exists."));
    }
    let secret = random_uuid();
    let fresh = Token {
        expire: call.get("expire").map_or(0, integer),
        privsep: call.get("privsep") != Some("0"),
        comment: call.text("comment").to_owned(),
    };
    let change = call.server.change_users("generating token failed: ", |cfg| {
        let user = cfg.users.get_mut(call.text("userid")).ok_or_else(|| no_user(call.text("userid")))?;
        user.tokens.insert(call.text("tokenid").to_owned(), fresh);
        call.server.state.secrets().tokens.insert(full_id(call), secret.clone());
        Ok(())
    });
    change.await?;
    let info = object([
        ("privsep", Some(call.get("privsep").map_or(json!(1), Value::from))),
        ("expire", call.get("expire").map(Value::from)),
        ("comment", truthy(call.get("comment")).map(Value::from)),
    ]);
    Ok(json!({ "full-tokenid": full_id(call), "value": secret, "info": info }))
}

pub async fn update(call: &Call<'_>) -> Outcome {
    let mut answer = view(token(call)?);
    let secret = call.parameters.flag("regenerate").then(random_uuid);
    let change = call.server.change_users("updating token info failed: ", |cfg| {
        let user = cfg.users.get_mut(call.text("userid")).ok_or_else(|| no_user(call.text("userid")))?;
        let token = user.tokens.get_mut(call.text("tokenid")).ok_or_else(|| missing(call))?;
        if let Some(privsep) = call.get("privsep") {
            token.privsep = privsep == "1";
        }
        if let Some(expire) = call.get("expire") {
            token.expire = integer(expire);
        }
        if let Some(comment) = call.get("comment") {
            comment.clone_into(&mut token.comment);
        }
        if let Some(delete) = call.get("delete") {
            check_delete(call, delete)?;
            token.comment.clear();
        }
        if let Some(secret) = &secret {
            call.server.state.secrets().tokens.insert(full_id(call), secret.clone());
        }
        Ok(())
    });
    change.await?;
    for name in ["privsep", "expire", "comment"] {
        if let Some(given) = call.get(name) {
            answer.insert(name.to_owned(), json!(given));
        }
    }
    if call.get("delete").is_some() || call.get("comment") == Some("") {
        answer.remove("comment");
    }
    if let Some(secret) = secret {
        answer.insert("value".to_owned(), json!(secret));
        answer.insert("full-tokenid".to_owned(), json!(full_id(call)));
    }
    Ok(Value::Object(answer))
}

/// Only the comment can be deleted (recording `tokens-crud`).
fn check_delete(call: &Call<'_>, delete: &str) -> Result<(), Failure> {
    if delete.is_empty() {
        let text = "Can't use string (\"\") as a HASH ref while \"strict refs\" in use at API2/User.pm line 1000.";
        return Err(Failure::die(text));
    }
    let mut names = call.parameters.list("delete").into_iter();
    match names.find(|name| name != "comment") {
        Some(name) => Err(Failure::parameter("delete", format!("unknown option '{name}'"))),
        None => Ok(()),
    }
}

/// Its ACL entries go with it.
pub async fn delete(call: &Call<'_>) -> Outcome {
    token(call)?;
    let id = full_id(call);
    let change = call.server.change_users("deleting token failed: ", |cfg| {
        let user = cfg.users.get_mut(call.text("userid")).ok_or_else(|| no_user(call.text("userid")))?;
        user.tokens.remove(call.text("tokenid")).ok_or_else(|| missing(call))?;
        cfg.acl.retain(|key, _| !matches!(&key.subject, Subject::Token(token) if token.as_str() == id));
        call.server.state.secrets().tokens.remove(&id);
        Ok(Value::Null)
    });
    change.await
}
