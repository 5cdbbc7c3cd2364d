//! Groups.

use serde_json::{Value, json};

use super::{Call, Outcome, object, shown};
use crate::core::ids::Subject;
use crate::sim::pve::answer::Failure;
use crate::sim::pve::user_cfg::Group;

/// With one of these on a group it is in the list (recording `groups-limited`).
const TO_SEE: [&str; 3] = ["User.Modify", "Sys.Audit", "Group.Allocate"];

fn missing(id: &str) -> Failure {
    Failure::die(format!("group '{id}' does not exist"))
}

pub fn list(call: &Call<'_>) -> Outcome {
    let caller = call.caller()?;
    let visible = call.files.users.groups.iter().filter(|(id, _)| caller.reaches_group(id, &TO_SEE));
    Ok(visible
        .map(|(id, group)| {
            let users: Vec<&str> = group.members.iter().map(String::as_str).collect();
            Value::Object(object([
                ("groupid", Some(json!(id))),
                ("users", Some(json!(users.join(",")))),
                ("comment", shown(&group.comment)),
            ]))
        })
        .collect())
}

pub fn read(call: &Call<'_>) -> Outcome {
    let id = call.text("groupid");
    let group = call.files.users.groups.get(id).ok_or_else(|| missing(id))?;
    Ok(Value::Object(object([("members", Some(json!(group.members))), ("comment", shown(&group.comment))])))
}

pub async fn create(call: &Call<'_>) -> Outcome {
    let id = call.text("groupid");
    let change = call.server.change_users("create group failed: ", |cfg| {
        if cfg.groups.contains_key(id) {
            return Err(Failure::die(format!("group '{id}' already exists")));
        }
        let comment = call.text("comment").to_owned();
        cfg.groups.insert(id.to_owned(), Group { comment, ..Group::default() });
        Ok(Value::Null)
    });
    change.await
}

pub async fn update(call: &Call<'_>) -> Outcome {
    let id = call.text("groupid");
    let change = call.server.change_users("update group failed: ", |cfg| {
        let group = cfg.groups.get_mut(id).ok_or_else(|| missing(id))?;
        if let Some(comment) = call.get("comment") {
            comment.clone_into(&mut group.comment);
        }
        Ok(Value::Null)
    });
    change.await
}

/// Its memberships and ACL entries go with it (recording `groups-members`).
pub async fn delete(call: &Call<'_>) -> Outcome {
    let id = call.text("groupid");
    let change = call.server.change_users("delete group failed: ", |cfg| {
        cfg.groups.remove(id).ok_or_else(|| missing(id))?;
        cfg.acl.retain(|key, _| !matches!(&key.subject, Subject::Group(group) if group.as_str() == id));
        Ok(Value::Null)
    });
    change.await
}
