//! Realms.

use serde_json::{Map, Value, json};

use super::{Call, Outcome, shown};
use crate::sim::pve::answer::Failure;
use crate::sim::pve::directory::RealmDirectory;
use crate::sim::pve::methods;
use crate::sim::pve::property_string;
use crate::sim::pve::sections::{Section, Sections};

/// The realms that are always there, with the comment they have of themselves.
const BUILTIN: [(&str, &str); 2] =
    [("pam", "Linux PAM standard authentication"), ("pve", "Proxmox VE authentication server")];

const COMMON: [&str; 2] = ["comment", "default"];
const OPENID: [&str; 13] = [
    "acr-values",
    "audiences",
    "autocreate",
    "client-id",
    "client-key",
    "groups-autocreate",
    "groups-claim",
    "groups-overwrite",
    "issuer-url",
    "prompt",
    "query-userinfo",
    "scopes",
    "username-claim",
];
const DIRECTORY: [&str; 24] = [
    "base_dn",
    "bind_dn",
    "capath",
    "case-sensitive",
    "cert",
    "certkey",
    "filter",
    "group_classes",
    "group_dn",
    "group_filter",
    "group_name_attr",
    "mode",
    "port",
    "secure",
    "server1",
    "server2",
    "sslversion",
    "sync-defaults-options",
    "sync_attributes",
    "tfa",
    "user_attr",
    "user_classes",
    "verify",
    "password",
];

/// Options of a call that are no options of the realm.
const OF_THE_CALL: [&str; 5] = ["realm", "type", "digest", "delete", "check-connection"];

/// The options a realm of this type must have.
pub fn required(kind: &str) -> &'static [&'static str] {
    match kind {
        "openid" => &["client-id", "issuer-url"],
        "ldap" => &["base_dn", "server1", "user_attr"],
        "ad" => &["domain", "server1"],
        _ => &[],
    }
}

fn has_option(kind: &str, name: &str) -> bool {
    let own = match kind {
        "openid" => OPENID.contains(&name),
        "ldap" => DIRECTORY.contains(&name),
        "ad" => DIRECTORY.contains(&name) || name == "domain",
        _ => name == "tfa",
    };
    own || COMMON.contains(&name) || name == "password"
}

fn is_directory(kind: &str) -> bool {
    matches!(kind, "ldap" | "ad")
}

/// Reads `domains.cfg`; the built-in realms are there whatever it says.
pub fn parse(text: &str) -> Sections {
    let mut sections = Sections::parse(text, required);
    for section in sections.0.values_mut() {
        section.options.retain(|name, value| name != "comment" || value != "0");
    }
    for (id, comment) in BUILTIN {
        let section = sections.0.entry(id.to_owned()).or_default();
        section.kind = Some(id.to_owned());
        section.options.entry("comment".to_owned()).or_insert_with(|| comment.to_owned());
    }
    sections
}

/// Anyone may read this (FACTS 63).
pub fn list(call: &Call<'_>) -> Value {
    let realms = call.files.realms.0.iter();
    realms
        .map(|(id, realm)| {
            let mut entry = Map::from_iter([("realm".to_owned(), json!(id)), ("type".to_owned(), json!(realm.kind))]);
            entry.extend(realm.get("comment").and_then(shown).map(|comment| ("comment".to_owned(), comment)));
            if realm.get("default") == Some("1") {
                entry.insert("default".to_owned(), json!(1));
            }
            let tfa = realm.get("tfa").and_then(|tfa| property_string::parse(tfa).get("type").copied());
            entry.extend(tfa.map(|tfa| ("tfa".to_owned(), json!(tfa))));
            Value::Object(entry)
        })
        .collect()
}

pub fn read(call: &Call<'_>) -> Outcome {
    let id = call.text("realm");
    let realm = call.files.realms.0.get(id);
    let Some((realm, kind)) = realm.and_then(|realm| Some((realm, realm.kind.as_ref()?))) else {
        return Err(Failure::die(format!("domain '{id}' does not exist")));
    };
    let options = realm.options.iter().map(|(name, value)| (name.clone(), typed(name, value)));
    let mut answer: Map<String, Value> = options.collect();
    answer.insert("type".to_owned(), json!(kind));
    answer.insert("digest".to_owned(), json!(call.files.realms_digest));
    if kind == "pam" {
        answer.insert("plugin".to_owned(), json!("PVE::Auth::PAM"));
    }
    Ok(Value::Object(answer))
}

/// Booleans and numbers of the schema are numbers in answers.
fn typed(name: &str, value: &str) -> Value {
    let property = methods::find("POST", "/access/domains").and_then(|(method, _)| method.properties.get(name));
    let is_number = property.is_some_and(|property| matches!(property.kind.as_str(), "boolean" | "integer"));
    value.parse::<i64>().ok().filter(|_| is_number).map_or_else(|| json!(value), Value::from)
}

/// Sets what was given; a password goes into a file of its own that is never shown.
fn set_options(call: &Call<'_>, id: &str, sections: &mut Sections) -> Result<(), Failure> {
    let Some(section) = sections.0.get_mut(id) else { return Ok(()) };
    let kind = section.kind.clone().unwrap_or_default();
    let given = call.parameters.iter().filter(|(name, _)| !OF_THE_CALL.contains(name));
    for (name, value) in given {
        if !has_option(&kind, name) {
            return Err(Failure::die(format!("unexpected property '{name}'")));
        }
        let value = match name {
            "password" => {
                call.server.state.secrets().realms.insert(id.to_owned(), value.to_owned());
                continue;
            }
            "sync-defaults-options" => property_string::stored_sync_options(value),
            _ => value.to_owned(),
        };
        section.options.insert(name.to_owned(), value);
    }
    if call.parameters.flag("default") {
        for (_, other) in sections.0.iter_mut().filter(|(other, _)| *other != id) {
            other.options.remove("default");
        }
    }
    Ok(())
}

fn check_connection(call: &Call<'_>, kind: &str) -> Result<(), Failure> {
    match call.get("check-connection") {
        Some(_) if !is_directory(kind) => {
            Err(Failure::die("'check-connection' parameter can only be set for realms of type 'ldap' or 'ad'"))
        }
        _ => Ok(()),
    }
}

/// The check binds for real; a new bind password is in force already when it fails (FACTS 72).
fn connect(call: &Call<'_>, id: &str, sections: &Sections) -> Result<(), Failure> {
    let (Some(realm), true) = (sections.0.get(id), call.parameters.flag("check-connection")) else { return Ok(()) };
    let password = call.server.state.secrets().realms.get(id).cloned();
    RealmDirectory::new(realm, password).check().map_err(|error| Failure::die(error.to_string()))
}

pub async fn create(call: &Call<'_>) -> Outcome {
    let (id, kind) = (call.text("realm"), call.text("type"));
    let change = call.server.change_realms("add auth server failed: ", |sections| {
        if sections.0.contains_key(id) {
            return Err(Failure::die(format!("domain '{id}' already exists")));
        }
        if BUILTIN.iter().any(|(builtin, _)| *builtin == kind) {
            return Err(Failure::die(format!("unable to create builtin type '{kind}'")));
        }
        check_connection(call, kind)?;
        sections.0.insert(id.to_owned(), Section { kind: Some(kind.to_owned()), ..Section::default() });
        set_options(call, id, sections)?;
        let section = sections.0.get(id);
        let is_missing = |name: &&&str| section.is_some_and(|section| section.get(name).is_none());
        if let Some(name) = required(kind).iter().find(is_missing) {
            return Err(Failure::die(format!("missing value for required option '{name}'")));
        }
        connect(call, id, sections)?;
        Ok(Value::Null)
    });
    change.await
}

/// The digest is looked at first, also for a realm that does not exist (recording `realms-digest`).
pub async fn update(call: &Call<'_>) -> Outcome {
    let id = call.text("realm");
    let change = call.server.change_realms("update auth server failed: ", |sections| {
        let current = &call.server.state.files().realms_digest;
        if call.get("digest").is_some_and(|digest| !digest.is_empty() && digest != current) {
            return Err(Failure::die("detected modified configuration - file changed by other user? Try again."));
        }
        let Some((kind, section)) = sections.0.get_mut(id).and_then(|section| Some((section.kind.clone()?, section)))
        else {
            let text = "cannot lookup undefined type! at /usr/share/perl5/PVE/SectionConfig.pm line 1000.";
            return Err(Failure::die(text));
        };
        check_connection(call, &kind)?;
        let delete = call.parameters.list("delete");
        let sets = call.parameters.iter().any(|(name, _)| !OF_THE_CALL.contains(&name));
        if !sets && delete.is_empty() {
            return Err(Failure::die("no options specified"));
        }
        for name in delete {
            section.options.remove(&name);
            if name == "password" {
                call.server.state.secrets().realms.remove(id);
            }
        }
        set_options(call, id, sections)?;
        connect(call, id, sections)?;
        Ok(Value::Null)
    });
    change.await
}

/// Deleting a built-in realm only resets it (recording `realms-builtin`).
pub async fn delete(call: &Call<'_>) -> Outcome {
    let id = call.text("realm");
    let change = call.server.change_realms("delete auth server failed: ", |sections| {
        if sections.0.get(id).is_none_or(|section| section.kind.is_none()) {
            return Err(Failure::die(format!("authentication domain '{id}' does not exist")));
        }
        sections.0.remove(id);
        call.server.state.secrets().realms.remove(id);
        Ok(Value::Null)
    });
    change.await
}
