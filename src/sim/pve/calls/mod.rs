//! The calls, by kind of object.

mod acl;
mod groups;
pub mod jobs;
mod login;
mod nodes;
mod openid;
mod permissions;
mod pools;
pub mod realms;
mod roles;
mod sync;
mod tfa;
mod tokens;
mod users;

use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value, json};

use super::answer::Failure;
use super::certificates;
use super::guard::Caller;
use super::methods::{Method, access_index, version};
use super::parameters::Parameters;
use super::server::Server;
use super::state::Files;
use super::tasks;

/// What a call answers as `data`.
pub type Outcome = Result<Value, Failure>;

/// A call that passed all checks.
pub struct Call<'a> {
    /// Where to write.
    pub server: &'a Arc<Server>,
    /// The files when the call came in.
    pub files: &'a Files,
    /// Absent for calls without a login.
    pub caller: Option<&'a Caller<'a>>,
    /// Checked parameters.
    pub parameters: &'a Parameters,
    /// How many there are in all, where the answer is a part and says so.
    pub total: OnceLock<usize>,
}

impl<'a> Call<'a> {
    /// The text of a parameter that the schema requires.
    pub fn text(&self, name: &str) -> &'a str {
        self.parameters.text(name)
    }

    /// The text of an optional parameter.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.parameters.get(name)
    }

    /// The caller of a call that needs a login.
    pub fn caller(&self) -> Result<&'a Caller<'a>, Failure> {
        self.caller.ok_or_else(|| Failure::login("No ticket"))
    }
}

/// Carries out a call.
pub async fn dispatch(method: &Method, call: &Call<'_>) -> Outcome {
    match (method.verb.as_str(), method.path.as_str()) {
        ("GET", "/") => Ok(index(&["version", "cluster", "nodes", "storage", "access", "pools"])),
        ("GET", "/access") => Ok(access_index()),
        ("GET", "/access/openid") => Ok(index(&["auth-url", "login"])),
        ("GET", "/cluster/jobs") => Ok(index(&["schedule-analyze", "realm-sync"])),
        ("GET", "/version") => Ok(version(call.server.options.release.version())),
        ("GET", "/nodes") => Ok(nodes::list()),
        ("GET", "/nodes/{node}/certificates/info") => Ok(certificates::info(&call.server.state.certificates)),
        ("GET", "/nodes/{node}/tasks/{upid}/status") => tasks::status(call),
        ("GET", "/nodes/{node}/tasks/{upid}/log") => tasks::log(call),
        ("GET", "/cluster/resources") => nodes::resources(call),
        ("GET", "/access/permissions") => permissions::read(call),

        ("GET", "/access/groups") => groups::list(call),
        ("POST", "/access/groups") => groups::create(call).await,
        ("GET", "/access/groups/{groupid}") => groups::read(call),
        ("PUT", "/access/groups/{groupid}") => groups::update(call).await,
        ("DELETE", "/access/groups/{groupid}") => groups::delete(call).await,

        ("GET", "/access/roles") => Ok(roles::list(call)),
        ("POST", "/access/roles") => roles::create(call).await,
        ("GET", "/access/roles/{roleid}") => roles::read(call),
        ("PUT", "/access/roles/{roleid}") => roles::update(call).await,
        ("DELETE", "/access/roles/{roleid}") => roles::delete(call).await,

        ("GET", "/access/acl") => acl::list(call),
        ("PUT", "/access/acl") => acl::update(call).await,

        ("GET", "/access/users") => users::list(call),
        ("POST", "/access/users") => users::create(call).await,
        ("GET", "/access/users/{userid}") => users::read(call),
        ("PUT", "/access/users/{userid}") => users::update(call).await,
        ("DELETE", "/access/users/{userid}") => users::delete(call).await,
        ("PUT", "/access/password") => users::change_password(call),

        ("GET", "/access/users/{userid}/token") => tokens::list(call),
        ("POST", "/access/users/{userid}/token/{tokenid}") => tokens::create(call).await,
        ("GET", "/access/users/{userid}/token/{tokenid}") => tokens::read(call),
        ("PUT", "/access/users/{userid}/token/{tokenid}") => tokens::update(call).await,
        ("DELETE", "/access/users/{userid}/token/{tokenid}") => tokens::delete(call).await,

        ("GET", "/access/domains") => Ok(realms::list(call)),
        ("POST", "/access/domains") => realms::create(call).await,
        ("GET", "/access/domains/{realm}") => realms::read(call),
        ("PUT", "/access/domains/{realm}") => realms::update(call).await,
        ("DELETE", "/access/domains/{realm}") => realms::delete(call).await,
        ("POST", "/access/domains/{realm}/sync") => sync::sync(call),

        ("GET", "/pools") => pools::list(call),
        ("POST", "/pools") => pools::create(call).await,
        ("GET", "/pools/{poolid}") => pools::read(call),
        ("PUT", "/pools" | "/pools/{poolid}") => pools::update(call).await,
        ("DELETE", "/pools" | "/pools/{poolid}") => pools::delete(call).await,

        ("GET", "/cluster/jobs/schedule-analyze") => Ok(jobs::analyze(call)),
        ("GET", "/cluster/jobs/realm-sync") => Ok(jobs::list(call)),
        ("POST", "/cluster/jobs/realm-sync/{id}") => jobs::create(call).await,
        ("GET", "/cluster/jobs/realm-sync/{id}") => jobs::read(call),
        ("PUT", "/cluster/jobs/realm-sync/{id}") => jobs::update(call).await,
        ("DELETE", "/cluster/jobs/realm-sync/{id}") => jobs::delete(call).await,

        ("GET", "/access/ticket") => Ok(Value::Null),
        ("POST", "/access/ticket") => login::ticket(call),
        ("POST", "/access/openid/auth-url") => openid::auth_url(call).await,
        ("POST", "/access/openid/login") => openid::login(call).await,
        ("POST", "/access/vncticket") => Err(login::failure()),

        (verb, path) if path.contains("tfa") => tfa::answer(verb, path, call),
        (verb, path) => Err(Failure::status(501, format!("Method '{verb} {path}' not implemented"))),
    }
}

fn index(names: &[&str]) -> Value {
    names.iter().map(|name| json!({ "subdir": name })).collect()
}

/// An object of those entries that are set.
fn object<const N: usize>(entries: [(&str, Option<Value>); N]) -> Map<String, Value> {
    entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// A text field as answers show it: absent when nothing is in it.
fn shown(text: &str) -> Option<Value> {
    super::user_cfg::truthy(Some(text)).map(Value::from)
}

/// A number of a file; beyond 63 bits PVE makes it text (recording `users-field-limits`).
fn number(value: u64) -> Value {
    i64::try_from(value).map_or_else(|_| Value::from(value.to_string()), Value::from)
}

/// A checked integer as PVE computes with it; what is too large becomes a number that is not read back.
fn integer(text: &str) -> u64 {
    text.trim_start_matches('+').parse().unwrap_or(u64::MAX)
}
