//! What a request to Proxmox VE is about, by what a ledger would call it.

use serde_json::Value;

use crate::shown::text;

/// All that a request makes, changes or removes, but for what Proxmox VE drops along with it.
pub fn touched(method: &str, path: &str, form: &Value) -> Vec<String> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned();
    let value = |name: &str| {
        let in_query = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
        in_query.map(|(_, value)| value.into_owned()).or_else(|| form.get(name).map(text)).unwrap_or_default()
    };
    let words =
        |name: &str| -> Vec<String> { crate::shown::words(&value(name)).into_iter().map(str::to_owned).collect() };
    let steps: Vec<&str> = decoded.trim_start_matches('/').split('/').collect();
    let of_user = |user: &str| {
        let groups = words("groups").into_iter().map(|group| format!("member {group} {user}"));
        // A list of groups that replaces the old one is about these alone too: which it takes away is seen by what stands.
        let only_groups = method == "PUT"
            && form.as_object().is_some_and(|it| it.keys().all(|key| key == "groups" || key == "append"));
        let thing = (!only_groups).then(|| format!("user {user}"));
        thing.into_iter().chain(groups).collect::<Vec<_>>()
    };
    match steps.as_slice() {
        ["access", "groups"] => vec![format!("group {}", value("groupid"))],
        ["access", "groups", id] => vec![format!("group {id}")],
        ["access", "roles"] => vec![format!("role {}", value("roleid"))],
        ["access", "roles", id] => vec![format!("role {id}")],
        ["access", "users"] => of_user(&value("userid")),
        ["access", "users", id] => of_user(id),
        ["access", "users", user, "token", name] => vec![format!("token {user}!{name}")],
        ["access", "password"] => vec![format!("user {}", value("userid"))],
        ["access", "domains"] => vec![format!("realm {}", value("realm"))],
        ["access", "domains", id, ..] => vec![format!("realm {id}")],
        ["cluster", "jobs", "realm-sync", id] => vec![format!("sync-job {id}")],
        ["pools", ..] => {
            let pool = if steps.len() > 1 { steps[1..].join("/") } else { value("poolid") };
            let guests = words("vms").into_iter().map(|id| format!("pool-member {pool} guest:{id}"));
            let storages = words("storage").into_iter().map(|id| format!("pool-member {pool} storage:{id}"));
            let members: Vec<String> = guests.chain(storages).collect();
            if members.is_empty() { vec![format!("pool {pool}")] } else { members }
        }
        ["access", "acl"] => {
            let path = value("path");
            let subjects = [("groups", "group"), ("users", "user"), ("tokens", "token")];
            let subjects =
                subjects.iter().flat_map(|(name, kind)| words(name).into_iter().map(move |id| format!("{kind}:{id}")));
            let subjects: Vec<String> = subjects.collect();
            let roles = words("roles");
            let entry = |role: &String, subject: &String| format!("acl {path} {subject} {role}");
            roles.iter().flat_map(|role| subjects.iter().map(move |subject| entry(role, subject))).collect()
        }
        _ => vec![format!("{method} {decoded}")],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn requests_are_about_what_they_name() {
        for (method, path, form, about) in [
            ("POST", "/access/groups", json!({"groupid": "g"}), vec!["group g"]),
            (
                "PUT",
                "/access/users/a%40pve",
                json!({"groups": "g,h", "append": "1"}),
                vec!["member g a@pve", "member h a@pve"],
            ),
            ("POST", "/access/users", json!({"userid": "a@pve", "groups": "g"}), vec!["user a@pve", "member g a@pve"]),
            ("POST", "/access/users/a@pve/token/t", json!({}), vec!["token a@pve!t"]),
            ("PUT", "/pools?poolid=p", json!({"vms": "100"}), vec!["pool-member p guest:100"]),
            ("DELETE", "/pools?poolid=p/q", json!(null), vec!["pool p/q"]),
            (
                "PUT",
                "/access/acl",
                json!({"path": "/", "roles": "A,B", "groups": "g"}),
                vec!["acl / group:g A", "acl / group:g B"],
            ),
        ] {
            assert_eq!(touched(method, path, &form), about, "{method} {path}");
        }
    }
}
