//! The paths below `/sim/`, for tests and for the demo; they need no login.

use std::net::Ipv4Addr;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::faults::{Fault, FaultName};
use super::server::Server;
use super::user_cfg::User;
use crate::sim::ldap::Directory;
use crate::sim::lock::lock;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    userid: String,
    #[serde(default)]
    groups: Vec<String>,
}

/// Answers a call below `/sim/`.
pub async fn answer(server: &Arc<Server>, method: &str, path: &str, body: &[u8]) -> Answer {
    let outcome = match (method, path) {
        ("POST", "/sim/reset") => {
            server.reset();
            Ok(Value::Null)
        }
        ("POST", "/sim/fault") if is_for_directory(body) => directory(server).map(|()| Value::Null),
        ("POST", "/sim/login") => match serde_json::from_slice::<SignIn>(body) {
            Ok(wanted) => sign_in(server, &wanted.userid, &wanted.groups).await.map(|()| Value::Null),
            Err(error) => Err(error.to_string()),
        },
        _ => server.controls.answer(method, path, body),
    };
    let (status, reason, body) = match outcome {
        Ok(value) => (200, "OK", value),
        Err(error) => (400, "Bad Request", json!({ "error": error })),
    };
    Answer {
        status,
        reason: reason.to_owned(),
        content_type: Some("application/json"),
        body: body.to_string().into_bytes(),
        protected: false,
    }
}

fn is_for_directory(body: &[u8]) -> bool {
    serde_json::from_slice::<Fault>(body).is_ok_and(|fault| fault.name == FaultName::Ldap)
}

/// Where the recordings expect the directory.
const RECORDED: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 13890);

/// Starts the directory, if there is none.
fn directory(server: &Server) -> Result<(), String> {
    let mut directory = lock(&server.directory);
    if directory.is_none() {
        let started = Directory::start(RECORDED.into());
        *directory = Some(started.map_err(|error| format!("no directory on 127.0.0.1:{}: {error}", RECORDED.1))?);
    }
    Ok(())
}

/// The first OpenID sign-in of a user.
pub async fn sign_in(server: &Arc<Server>, userid: &str, groups: &[String]) -> Result<(), String> {
    super::formats::userid(userid)?;
    let realm = userid.rsplit_once('@').map_or("", |(_, realm)| realm);
    let files = server.state.files();
    let realm = files.realms.0.get(realm).ok_or_else(|| format!("realm '{realm}' does not exist"))?;
    if realm.kind.as_deref() != Some("openid") {
        return Err("the realm is not of type openid".to_owned());
    }
    let exists = files.users.users.contains_key(userid);
    if !exists && realm.get("autocreate") != Some("1") {
        return Err(format!("user '{userid}' does not exist and the realm has no autocreate"));
    }
    let change = server.change_users("", |cfg| {
        let fresh = User { enable: true, expire: Some(0), ..User::default() };
        cfg.users.entry(userid.to_owned()).or_insert(fresh);
        for group in groups {
            if let Some(group) = cfg.groups.get_mut(group) {
                group.members.insert(userid.to_owned());
            }
        }
        Ok(())
    });
    change.await.map_err(|failure| match failure {
        Failure::Said { message, .. } => message.trim_end().to_owned(),
        _ => "a fault struck".to_owned(),
    })
}
