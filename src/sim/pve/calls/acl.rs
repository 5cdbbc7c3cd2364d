//! ACL entries.

use serde_json::{Value, json};

use super::{Call, Outcome};
use crate::core::ids::{AclKey, AclPath, GroupId, RoleId, Subject, TokenId, UserId};
use crate::core::permissions::NO_ACCESS;
use crate::sim::pve::answer::Failure;
use crate::sim::pve::formats::{chomp, split_tokenid};
use crate::sim::pve::guard::normalise;
use crate::sim::pve::user_cfg::UserCfg;

/// Sorted as a tree; entries on a path that the caller could not change are left out, unless it may read all of
/// the access control (recording `acl-limited`).
pub fn list(call: &Call<'_>) -> Outcome {
    let caller = call.caller()?;
    let sees_all = caller.holds_any("/access", &["Sys.Audit"]);
    let entries = call.files.users.acl.iter();
    let mut visible: Vec<_> = entries.filter(|(key, _)| sees_all || caller.may_modify(key.path.as_str())).collect();
    visible.sort_by_key(|(key, _)| key.path.as_str().split('/').collect::<Vec<_>>());
    Ok(visible
        .into_iter()
        .map(|(key, propagate)| {
            json!({
                "path": key.path.as_str(),
                "type": key.subject.kind(),
                "ugid": key.subject.id(),
                "roleid": key.role.as_str(),
                "propagate": u8::from(*propagate),
            })
        })
        .collect())
}

/// Adds or deletes the product of roles and subjects on one path.
pub async fn update(call: &Call<'_>) -> Outcome {
    let given = call.text("path");
    let delete = call.parameters.flag("delete");
    // For deleting only the characters of a path are checked (FACTS 54).
    let path = normalise(given).filter(|path| delete || is_object_path(path));
    let path = path.ok_or_else(|| Failure::parameter("path", format!("invalid ACL path '{given}'")))?;
    if ["users", "groups", "tokens"].iter().all(|name| call.text(name).is_empty()) {
        let error = "either 'users', 'groups' or 'tokens' is required.";
        let names = ["users", "groups", "tokens"].map(|name| (name.to_owned(), error.to_owned()));
        return Err(Failure::parameters(names.into()));
    }
    let propagate = call.get("propagate") != Some("0");
    let roles = call.parameters.list("roles");
    let change = call.server.change_users("ACL update failed: ", |cfg| {
        for role in &roles {
            check_role(call, cfg, &path, role, delete)?;
            for subject in subjects(call, cfg)? {
                let key = AclKey { path: AclPath::observed(&path), subject, role: RoleId::observed(role) };
                if delete {
                    cfg.acl.remove(&key);
                } else {
                    cfg.acl.insert(key, propagate);
                }
            }
        }
        Ok(Value::Null)
    });
    change.await
}

/// Whoever may not change permissions may only hand on what it holds itself (FACTS 57).
fn check_role(call: &Call<'_>, cfg: &UserCfg, path: &str, role: &str, delete: bool) -> Result<(), Failure> {
    let caller = call.caller()?;
    let Some(privileges) = cfg.roles.get(role) else {
        return Err(Failure::die(format!("role '{role}' does not exist")));
    };
    if caller.holds_any(path, &["Permissions.Modify"]) {
        return Ok(());
    }
    let verb = if delete { "remove" } else { "add" };
    if role == NO_ACCESS {
        let error = format!("Cannot {verb} role '{role}' - requires 'Permissions.Modify'");
        return Err(Failure::parameter("role", error));
    }
    let held = caller.rights().on(&AclPath::observed(path));
    if privileges.iter().all(|privilege| held.contains_key(privilege)) {
        return Ok(());
    }
    let error = format!("Cannot {verb} role '{role}' - requires 'Permissions.Modify' or superset of privileges.");
    Err(Failure::parameter("role", error))
}

/// Whom the call is for; all of them must exist, also for deleting (recording `acl-delete`).
fn subjects(call: &Call<'_>, cfg: &UserCfg) -> Result<Vec<Subject>, Failure> {
    let mut subjects = Vec::new();
    for group in call.parameters.list("groups") {
        if !cfg.groups.contains_key(&group) {
            return Err(Failure::die(format!("group '{group}' does not exist")));
        }
        subjects.push(Subject::Group(GroupId::observed(&group)));
    }
    for user in call.parameters.list("users") {
        if !cfg.users.contains_key(&user) {
            return Err(Failure::die(format!("user '{user}' does not exist")));
        }
        subjects.push(Subject::User(UserId::observed(&user)));
    }
    for token in call.parameters.list("tokens") {
        let (user, name) = split_tokenid(&token).unwrap_or((&token, ""));
        let Some(owner) = cfg.users.get(user) else { return Err(Failure::die(format!("no such user ('{user}')"))) };
        if !owner.tokens.contains_key(name) {
            return Err(Failure::die(format!("no such token '{name}' for user '{user}'")));
        }
        subjects.push(Subject::Token(TokenId::observed(&token)));
    }
    Ok(subjects)
}

/// Whether permissions may stand on a path; that the object exists is not asked
/// (recordings `acl-paths-valid`, `acl-paths-invalid`).
fn is_object_path(path: &str) -> bool {
    let path = chomp(path);
    let components: Vec<&str> = path.split('/').filter(|component| !component.is_empty()).collect();
    if !components.iter().all(|component| component.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))) {
        return false;
    }
    match components.as_slice() {
        []
        | ["access" | "nodes" | "pool" | "sdn" | "storage" | "vms" | "mapping"]
        | ["access", "groups" | "realm"]
        | ["access", "groups" | "realm", _]
        | ["nodes" | "storage" | "mapping", _]
        | ["mapping", _, _]
        | ["sdn", "zones", _, _] => true,
        ["pool", levels @ ..] => levels.len() <= 3,
        ["vms", id] => id.len() >= 3 && is_number(id),
        ["sdn", kind @ ("controllers" | "dns" | "ipams"), id] => {
            id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || (c == '-' && *kind == "controllers"))
        }
        ["sdn", kind] | ["sdn", kind, _] => SDN_KINDS.contains(kind),
        ["sdn", "zones", _, _, tag] => tag.len() <= 4 && is_number(tag),
        _ => false,
    }
}

const SDN_KINDS: [&str; 7] = ["controllers", "dns", "fabrics", "ipams", "prefix-lists", "route-maps", "zones"];

fn is_number(text: &str) -> bool {
    !text.starts_with('0') && text.chars().all(|c| c.is_ascii_digit())
}
