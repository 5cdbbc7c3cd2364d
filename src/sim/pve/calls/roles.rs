//! Roles.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Call, Outcome};
use crate::sim::pve::answer::Failure;
use crate::sim::pve::methods::builtin_roles;

fn missing(id: &str) -> Failure {
    Failure::die(format!("role '{id}' does not exist"))
}

fn refuse_builtin(id: &str, what: &str) -> Result<(), Failure> {
    if builtin_roles().contains_key(id) {
        return Err(Failure::die(format!("auto-generated role '{id}' cannot be {what}")));
    }
    Ok(())
}

fn privileges(call: &Call<'_>) -> impl Iterator<Item = Arc<str>> {
    call.parameters.list("privs").into_iter().map(Arc::from)
}

pub fn list(call: &Call<'_>) -> Value {
    let roles = call.files.users.roles.iter();
    roles
        .map(|(id, privileges)| {
            let privileges: Vec<&str> = privileges.iter().map(|name| &**name).collect();
            let special = u8::from(builtin_roles().contains_key(id));
            json!({ "roleid": id, "privs": privileges.join(","), "special": special })
        })
        .collect()
}

pub fn read(call: &Call<'_>) -> Outcome {
    let id = call.text("roleid");
    let privileges = call.files.users.roles.get(id).ok_or_else(|| missing(id))?;
    Ok(Value::Object(privileges.iter().map(|name| (name.to_string(), json!(1))).collect()))
}

pub async fn create(call: &Call<'_>) -> Outcome {
    let id = call.text("roleid");
    if id.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("pve")) {
        let error = "cannot use role ID starting with the (case-insensitive) 'PVE' namespace";
        return Err(Failure::parameter("roleid", error));
    }
    let change = call.server.change_users("create role failed: ", |cfg| {
        if cfg.roles.contains_key(id) {
            return Err(Failure::die(format!("role '{id}' already exists")));
        }
        cfg.roles.insert(id.to_owned(), privileges(call).collect());
        Ok(Value::Null)
    });
    change.await
}

/// Without `append` the role becomes what is given, also when that is nothing (recording `roles-crud`).
pub async fn update(call: &Call<'_>) -> Outcome {
    let id = call.text("roleid");
    refuse_builtin(id, "modified")?;
    let change = call.server.change_users("update role failed: ", |cfg| {
        let role = cfg.roles.get_mut(id).ok_or_else(|| missing(id))?;
        if !call.parameters.flag("append") {
            role.clear();
        }
        role.extend(privileges(call));
        Ok(Value::Null)
    });
    change.await
}

pub async fn delete(call: &Call<'_>) -> Outcome {
    let id = call.text("roleid");
    refuse_builtin(id, "deleted")?;
    let change = call.server.change_users("delete role failed: ", |cfg| {
        cfg.roles.remove(id).ok_or_else(|| missing(id))?;
        Ok(Value::Null)
    });
    change.await
}
