//! Logging in with a password, and what there is of OpenID.

use serde_json::{Map, Value, json};

use super::{Call, Outcome};
use crate::core::ids::{AclPath, UserId};
use crate::core::permissions::Rights;
use crate::core::snapshot::Credential;
use crate::sim::clock::now;
use crate::sim::pve::answer::Failure;
use crate::sim::pve::auth;
use crate::sim::pve::directory::RealmDirectory;
use crate::sim::pve::guard::normalise;
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
    let rights = call.files.directory.rights(&Credential::User(user), now());
    let mut answer = Map::new();
    if let Some(path) = call.get("path") {
        let path = normalise(path).ok_or_else(failure)?;
        let held = rights.on(&AclPath::observed(&path));
        if !call.parameters.list("privs").iter().all(|privilege| held.contains_key(privilege.as_str())) {
            return Err(failure());
        }
    } else {
        let ticket = auth::ticket(&call.server.state, &username, 0);
        answer.insert("ticket".to_owned(), json!(ticket.ticket));
        answer.insert("CSRFPreventionToken".to_owned(), json!(ticket.csrf));
    }
    answer.insert("username".to_owned(), json!(username));
    answer.insert("cap".to_owned(), capabilities(&rights));
    Ok(Value::Object(answer))
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

/// Where to sign in. Only providers on this machine are asked; all others are as in the recording `openid-calls`.
pub async fn openid_url(call: &Call<'_>) -> Outcome {
    let id = call.text("realm");
    let realm = call.files.realms.0.get(id);
    match realm.and_then(|realm| realm.kind.as_deref()) {
        None => Err(Failure::die(format!("authentication domain '{id}' does not exist"))),
        Some("openid") => {
            let issuer = realm.and_then(|realm| realm.get("issuer-url")).unwrap_or_default();
            if !issuer.starts_with("http://127.0.0.1:") {
                return Err(Failure::die("openid discovery not available in this stub"));
            }
            let endpoint = discover(issuer).await.map_err(Failure::die)?;
            let client = realm.and_then(|realm| realm.get("client-id")).unwrap_or_default();
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("response_type", "code")
                .append_pair("client_id", client)
                .append_pair("redirect_uri", call.text("redirect-url"))
                .finish();
            Ok(json!(format!("{endpoint}?{query}")))
        }
        Some(kind) => Err(Failure::die(format!("wrong realm type ({kind} != openid)"))),
    }
}

/// The address to sign in at, from the provider's own document, which must call it by the very name that is asked for.
async fn discover(issuer: &str) -> Result<String, String> {
    let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    // Whoever runs the simulator may have installed one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().map_err(|error| error.to_string())?;
    let answer = client.get(address).send().await.and_then(reqwest::Response::error_for_status);
    let document: Value = answer
        .map_err(|_| "Request failed".to_owned())?
        .json()
        .await
        .map_err(|_| "Failed to parse server response".to_owned())?;
    let found = document["issuer"].as_str().unwrap_or_default();
    if found != issuer {
        return Err(format!("Validation error: unexpected issuer URI `{found}` (expected `{issuer}`)"));
    }
    Ok(document["authorization_endpoint"].as_str().unwrap_or_default().to_owned())
}
