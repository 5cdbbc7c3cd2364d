//! Logging in with a password.

use serde_json::{Value, json};

use super::{Call, Outcome};
use crate::core::ids::{AclPath, UserId};
use crate::core::permissions::Rights;
use crate::core::snapshot::Credential;
use crate::sim::clock::now;
use crate::sim::pve::answer::Failure;
use crate::sim::pve::auth;
use crate::sim::pve::directory::RealmDirectory;
use crate::sim::pve::guard::normalise;
use crate::sim::pve::server::Server;
use crate::sim::secrets::password_fits;

/// What the web interface wants to know: name, path, privileges that start so.
const CAPABILITIES: [(&str, &str, &[&str]); 7] = [
    ("access", "/access", &["User.", "Group.", "Permissions."]),
    ("dc", "/", &["Sys.Audit", "Sys.Modify", "SDN."]),
    ("mapping", "/mapping", &["Mapping.", "Permissions."]),
    ("nodes", "/nodes", &["Sys.", "Permissions."]),
    ("sdn", "/sdn", &["SDN.", "Permissions."]),
    ("storage", "/storage", &["Datastore.", "Permissions."]),
    ("vms", "/vms", &["VM.", "Permissions."]),
];

/// What every wrong login answers.
pub fn failure() -> Failure {
    Failure::status(401, "authentication failure\n")
}

pub fn ticket(call: &Call<'_>) -> Outcome {
    let username = call.text("username");
    let username = call.get("realm").map_or_else(|| username.to_owned(), |realm| format!("{username}@{realm}"));
    let user = UserId::observed(&username);
    let is_plain = call.get("otp").is_none() && call.get("tfa-challenge").is_none();
    let may = call.files.directory.is_active(&user, now()) && is_plain && knows_password(call, &user);
    if !may {
        return Err(failure());
    }
    let Some(path) = call.get("path") else { return Ok(success(call.server, &username)) };
    let rights = call.files.directory.rights(&Credential::User(user), now());
    let path = normalise(path).ok_or_else(failure)?;
    let held = rights.on(&AclPath::observed(&path));
    if !call.parameters.list("privs").iter().all(|privilege| held.contains_key(privilege.as_str())) {
        return Err(failure());
    }
    Ok(json!({ "username": username, "cap": capabilities(&rights) }))
}

/// What somebody is given who has logged in.
pub fn success(server: &Server, username: &str) -> Value {
    let ticket = auth::ticket(&server.state, username, 0);
    let files = server.state.files();
    let rights = files.directory.rights(&Credential::User(UserId::observed(username)), now());
    json!({
        "ticket": ticket.ticket,
        "CSRFPreventionToken": ticket.csrf,
        "username": username,
        "cap": capabilities(&rights),
    })
}

/// A valid ticket works as password, and root's for everybody (FACTS 92).
fn knows_password(call: &Call<'_>, user: &UserId) -> bool {
    let password = call.text("password");
    if let Some(other) = auth::ticket_user(&call.server.state, password) {
        return other == *user || other.is_root();
    }
    let realm = user.realm();
    if let Some(section) = call.files.realms.0.get(realm.as_str())
        && matches!(section.kind.as_deref(), Some("ldap" | "ad"))
    {
        let bind = call.server.state.secrets().realms.get(realm.as_str()).cloned();
        let name = user.as_str().rsplit_once('@').map_or("", |(name, _)| name);
        return RealmDirectory::new(section, bind).knows(name, password);
    }
    let hash = call.server.state.secrets().passwords.get(user.as_str()).cloned();
    hash.is_some_and(|hash| password_fits(password, &hash))
}

fn capabilities(rights: &Rights<'_>) -> Value {
    let of = |(name, path, starts): &(&str, &str, &[&str])| {
        let held = rights.on(&AclPath::observed(path));
        let held = held.keys().filter(|privilege| starts.iter().any(|start| privilege.starts_with(start)));
        ((*name).to_owned(), Value::Object(held.map(|privilege| (privilege.to_string(), json!(1))).collect()))
    };
    Value::Object(CAPABILITIES.iter().map(of).collect())
}
