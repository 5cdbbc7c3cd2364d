//! Users.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Call, Outcome, integer, number, object, shown, tokens};
use crate::core::ids::{Subject, UserId};
use crate::sim::pve::answer::Failure;
use crate::sim::pve::state::Files;
use crate::sim::pve::user_cfg::{User, UserCfg};
use crate::sim::secrets::password_fits;

/// With one of these on a group of a user, the user is in the list.
const TO_SEE: [&str; 2] = ["User.Modify", "Sys.Audit"];

/// System users whose password can be set; any other is unknown to the system (recording `users-password`).
const SYSTEM_USERS: [&str; 5] = ["root", "daemon", "www-data", "backup", "nobody"];

pub fn missing(id: &str) -> Failure {
    Failure::die(format!("no such user ('{id}')"))
}

fn view(user: &User) -> Map<String, Value> {
    object([
        ("enable", Some(json!(u8::from(user.enable)))),
        ("expire", user.expire.map(number)),
        ("firstname", shown(&user.firstname)),
        ("lastname", shown(&user.lastname)),
        ("email", user.email.as_ref().map(|email| json!(email))),
        ("comment", shown(&user.comment)),
        ("keys", shown(&user.keys)),
    ])
}

fn realm_of(id: &str) -> &str {
    id.rsplit_once('@').map_or("", |(_, realm)| realm)
}

fn kind_of<'a>(files: &'a Files, realm: &str) -> Option<&'a str> {
    files.realms.0.get(realm)?.kind.as_deref()
}

pub fn list(call: &Call<'_>) -> Outcome {
    let caller = call.caller()?;
    let cfg = &call.files.users;
    let groups_of = cfg.groups_by_user();
    let sees_all = caller.holds_any("/access/groups", &TO_SEE);
    let seen: BTreeSet<&str> = if sees_all {
        BTreeSet::new()
    } else {
        let groups = cfg.groups.iter().filter(|(id, _)| caller.reaches_group(id, &TO_SEE));
        groups.flat_map(|(_, group)| group.members.iter().map(String::as_str)).collect()
    };
    let visible = cfg.users.iter().filter(|(id, user)| {
        let wanted = call.get("enabled").is_none_or(|enabled| (enabled == "1") == user.enable);
        wanted && (sees_all || seen.contains(id.as_str()) || caller.id() == **id)
    });
    Ok(visible
        .map(|(id, user)| {
            let mut shown = view(user);
            shown.insert("userid".to_owned(), json!(id));
            if let Some(kind) = kind_of(call.files, realm_of(id)) {
                shown.insert("realm-type".to_owned(), json!(kind));
            }
            if call.parameters.flag("full") {
                let groups = groups_of.get(id.as_str()).map(|groups| groups.join(",")).unwrap_or_default();
                shown.insert("groups".to_owned(), json!(groups));
                let tokens = if user.tokens.is_empty() { Value::Null } else { tokens::list_of(user) };
                shown.insert("tokens".to_owned(), tokens);
            }
            Value::Object(shown)
        })
        .collect())
}

pub fn read(call: &Call<'_>) -> Outcome {
    let id = call.text("userid");
    let cfg = &call.files.users;
    let user = cfg.users.get(id).ok_or_else(|| missing(id))?;
    let mut shown = view(user);
    shown.insert("groups".to_owned(), cfg.groups_of(id).collect());
    let tokens = user.tokens.iter().map(|(name, token)| (name.clone(), Value::Object(tokens::view(token))));
    let tokens = if user.tokens.is_empty() { Value::Null } else { Value::Object(tokens.collect()) };
    shown.insert("tokens".to_owned(), tokens);
    Ok(Value::Object(shown))
}

/// The password is stored before the groups are looked at, and stays when they do not exist
/// (recording `users-password`).
pub async fn create(call: &Call<'_>) -> Outcome {
    let id = call.text("userid");
    let change = call.server.change_users("create user failed: ", |cfg| {
        if let Some(known) = same_user(call.files, cfg, id) {
            return Err(Failure::die(format!("user '{known}' already exists")));
        }
        if let Some(password) = call.get("password") {
            set_password(call, id, password)?;
        }
        let enable = call.get("enable") != Some("0");
        let mut user = User { enable, expire: Some(0), ..User::default() };
        set_fields(call, &mut user);
        join_groups(call, cfg, id)?;
        cfg.users.insert(id.to_owned(), user);
        Ok(Value::Null)
    });
    change.await
}

/// Where a realm does not tell cases apart, a user that differs in nothing else is the same (FACTS 36).
fn same_user<'a>(files: &Files, cfg: &'a UserCfg, id: &'a str) -> Option<&'a str> {
    if cfg.users.contains_key(id) {
        return Some(id);
    }
    let realm = files.realms.0.get(realm_of(id))?;
    if realm.get("case-sensitive") != Some("0") {
        return None;
    }
    cfg.users.keys().find(|known| known.to_lowercase() == id.to_lowercase()).map(String::as_str)
}

fn set_password(call: &Call<'_>, id: &str, password: &str) -> Result<(), Failure> {
    let (name, realm) = id.rsplit_once('@').unwrap_or((id, ""));
    match kind_of(call.files, realm) {
        None => return Err(Failure::die(format!("auth domain '{realm}' does not exist"))),
        Some("pve") => {}
        Some("pam") if SYSTEM_USERS.contains(&name) => {}
        Some("pam") => return Err(Failure::die("change password failed: exit code 6")),
        Some(kind) => return Err(Failure::die(format!("can't set password on auth type '{kind}'"))),
    }
    call.server.set_password(id, password);
    Ok(())
}

fn set_fields(call: &Call<'_>, user: &mut User) {
    if let Some(expire) = call.get("expire") {
        user.expire = Some(integer(expire));
    }
    if let Some(email) = call.get("email") {
        user.email = Some(email.to_owned());
    }
    let fields = [
        ("firstname", &mut user.firstname),
        ("lastname", &mut user.lastname),
        ("comment", &mut user.comment),
        ("keys", &mut user.keys),
    ];
    for (name, field) in fields {
        if let Some(text) = call.get(name) {
            text.clone_into(field);
        }
    }
}

fn join_groups(call: &Call<'_>, cfg: &mut UserCfg, id: &str) -> Result<(), Failure> {
    for group in call.parameters.list("groups") {
        let group = cfg.groups.get_mut(&group).ok_or_else(|| Failure::die(format!("no such group '{group}'")))?;
        group.members.insert(id.to_owned());
    }
    Ok(())
}

pub async fn update(call: &Call<'_>) -> Outcome {
    let id = call.text("userid");
    let change = call.server.change_users("update user failed: ", |cfg| {
        let user = cfg.users.get_mut(id).ok_or_else(|| missing(id))?;
        if let Some(enable) = call.get("enable") {
            user.enable = enable == "1";
        }
        set_fields(call, user);
        if call.get("groups").is_some() {
            if !call.parameters.flag("append") {
                for group in cfg.groups.values_mut() {
                    group.members.remove(id);
                }
            }
            join_groups(call, cfg, id)?;
        }
        Ok(Value::Null)
    });
    change.await
}

/// A login of root may delete what does not exist (recording `users-delete-unknown`).
pub async fn delete(call: &Call<'_>) -> Outcome {
    let id = call.text("userid");
    let change = call.server.change_users("delete user failed: ", |cfg| {
        cfg.users.remove(id);
        for group in cfg.groups.values_mut() {
            group.members.remove(id);
        }
        let user = UserId::observed(id);
        cfg.acl.retain(|key, _| match &key.subject {
            Subject::Group(_) => true,
            Subject::User(other) => *other != user,
            Subject::Token(token) => token.user() != user,
        });
        let mut secrets = call.server.state.secrets();
        secrets.passwords.remove(id);
        let tokens = format!("{id}!");
        secrets.tokens.retain(|token, _| !token.starts_with(&tokens));
        Ok(Value::Null)
    });
    change.await
}

/// Everybody but root must say a password of the caller (recording `auth-token-forbidden`).
pub fn change_password(call: &Call<'_>) -> Outcome {
    let caller = call.caller()?;
    let id = call.text("userid");
    if !caller.is_root_login() {
        let Some(confirmation) = call.get("confirmation-password") else {
            return Err(Failure::parameter("confirmation-password", "password is required to modify user"));
        };
        let hash = call.server.state.secrets().passwords.get(&caller.id()).cloned();
        if !hash.is_some_and(|hash| password_fits(confirmation, &hash)) {
            return Err(Failure::die("invalid credentials"));
        }
    }
    if !call.files.users.users.contains_key(id) {
        return Err(missing(id));
    }
    set_password(call, id, call.text("password"))?;
    call.server.state.keep().map_err(|error| Failure::die(error.to_string()))?;
    Ok(Value::Null)
}
