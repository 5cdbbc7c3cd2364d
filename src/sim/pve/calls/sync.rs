//! The sync of a realm with its directory, line by line as recording `realms-ldap-sync` has its log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use super::{Call, Outcome};
use crate::core::ids::Subject;
use crate::core::snapshot::Credential;
use crate::sim::pve::answer::Failure;
use crate::sim::pve::directory::{PeopleGroup, Person, RealmDirectory};
use crate::sim::pve::server::Server;
use crate::sim::pve::tasks::{self, Running};
use crate::sim::pve::user_cfg::{Group, User, UserCfg};
use crate::sim::pve::{formats, property_string};

/// What a sync is asked to do.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub realm: String,
    pub scope: String,
    pub enable_new: bool,
    pub remove_vanished: String,
    pub dry_run: bool,
}

impl Wanted {
    fn users(&self) -> bool {
        self.scope != "groups"
    }

    fn groups(&self) -> bool {
        self.scope != "users"
    }

    fn removes(&self, part: &str) -> bool {
        self.remove_vanished.split(';').any(|it| it == part)
    }

    fn what(&self) -> &'static str {
        match self.scope.as_str() {
            "users" => "users",
            "groups" => "groups",
            _ => "users and groups",
        }
    }
}

/// Starts the task of a sync.
pub fn sync(call: &Call<'_>) -> Outcome {
    let id = call.text("realm");
    let realm = call.files.realms.0.get(id);
    let Some((realm, kind)) = realm.and_then(|realm| Some((realm, realm.kind.as_deref()?))) else {
        return Err(Failure::parameter("realm", "Realm does not exist."));
    };
    if !matches!(kind, "ldap" | "ad") {
        return Err(Failure::die(format!("Cannot sync realm type '{kind}'! Only LDAP/AD realms can be synced.")));
    }
    let defaults = property_string::parse(realm.get("sync-defaults-options").unwrap_or_default());
    let option = |name: &str| call.get(name).or_else(|| defaults.get(name).copied());
    let Some(scope) = option("scope") else {
        let error = "Not passed as parameter and not defined in realm default sync options.";
        return Err(Failure::parameter("scope", error));
    };
    let wanted = Wanted {
        realm: id.to_owned(),
        scope: scope.to_owned(),
        enable_new: option("enable-new") != Some("0"),
        remove_vanished: option("remove-vanished").unwrap_or("none").to_owned(),
        dry_run: call.parameters.flag("dry-run"),
    };
    Ok(json!(start(call.server, wanted, &call.caller()?.credential)))
}

/// Starts a sync and answers with the id of its task.
pub fn start(server: &Arc<Server>, wanted: Wanted, credential: &Credential) -> String {
    let kind = if wanted.dry_run { "auth-realm-sync-test" } else { "auth-realm-sync" };
    let realm = wanted.realm.clone();
    tasks::start(server, kind, &realm, credential, async move |server, task| run(&server, &wanted, &task).await)
}

async fn run(server: &Arc<Server>, wanted: &Wanted, task: &Running) -> Result<(), String> {
    let dry = if wanted.dry_run { "(dry test run) " } else { "" };
    task.log(format!("{dry}starting sync for realm {}", wanted.realm));
    let files = server.state.files();
    let realm = files.realms.0.get(&wanted.realm).ok_or("Realm does not exist.")?;
    let directory = RealmDirectory::new(realm, server.state.secrets().realms.get(&wanted.realm).cloned());
    let groups_too = wanted.groups();
    let read = tokio::task::spawn_blocking(move || {
        let people = directory.people()?;
        let groups = if groups_too { directory.groups()? } else { Vec::new() };
        Ok((people, groups))
    });
    let read: Result<_, crate::sim::ldap::LdapError> = read.await.map_err(|error| error.to_string())?;
    let (people, groups) = read.map_err(|error| error.to_string())?;
    let (users, names) = users(wanted, people, task);
    let groups = valid_groups(wanted, groups, &names, task);
    task.log(format!("got data from server, updating {}", wanted.what()));
    let change = |cfg: &mut UserCfg| {
        if wanted.users() {
            update_users(wanted, cfg, &users, task);
        }
        if wanted.groups() {
            update_groups(wanted, cfg, &groups, task);
        }
        // A failure takes back what was changed.
        if wanted.dry_run { Err(Failure::die("dry run")) } else { Ok(()) }
    };
    match server.change_users("", change).await {
        Err(_) if wanted.dry_run => {
            task.log("\nNOTE: Dry test run, changes were NOT written to the configuration.");
            Ok(())
        }
        Err(Failure::Said { message, .. }) => Err(message.trim_end().to_owned()),
        Err(_) => Err("interrupted".to_owned()),
        Ok(()) => {
            task.log(format!("successfully updated {} configuration", wanted.what()));
            Ok(())
        }
    }
}

/// Users by id with their properties, and the id of each by its name in the directory.
fn users(
    wanted: &Wanted,
    people: Vec<Person>,
    task: &Running,
) -> (BTreeMap<String, BTreeMap<String, String>>, BTreeMap<String, String>) {
    let (mut users, mut names) = (BTreeMap::new(), BTreeMap::new());
    for Person { dn, name, properties } in people {
        let id = format!("{name}@{}", wanted.realm);
        if let Err(error) = formats::userid(&id) {
            task.log(error);
            continue;
        }
        let mut taken = BTreeMap::new();
        for (property, attribute, value) in properties {
            if property == "email" && formats::check("email-opt", &property, &value).is_err() {
                task.log(format!(
                    "skipping attribute mapping '{attribute}'->'{property}' for user '{id}' - 400 invalid value \
                     '{value}'\n_root: invalid format - value does not look like a valid email address\n"
                ));
                continue;
            }
            taken.insert(property, value);
        }
        names.insert(dn.to_lowercase(), id.clone());
        users.insert(id, taken);
    }
    (users, names)
}

fn valid_groups(
    wanted: &Wanted,
    groups: Vec<PeopleGroup>,
    names: &BTreeMap<String, String>,
    task: &Running,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut valid = BTreeMap::new();
    for PeopleGroup { name, members } in groups {
        let id = format!("{name}-{}", wanted.realm);
        if let Err(error) = formats::check("pve-groupid", "group", &id) {
            task.log(error);
            continue;
        }
        let members = members.iter().filter_map(|dn| names.get(&dn.to_lowercase()).cloned()).collect();
        valid.insert(id, members);
    }
    valid
}

fn update_users(
    wanted: &Wanted,
    cfg: &mut UserCfg,
    users: &BTreeMap<String, BTreeMap<String, String>>,
    task: &Running,
) {
    task.log(format!("syncing users (remove-vanished opts: {})", wanted.remove_vanished));
    let of_realm = |id: &String| id.rsplit_once('@').is_some_and(|(_, realm)| realm == wanted.realm);
    let vanished: Vec<String> =
        cfg.users.keys().filter(|id| of_realm(id) && !users.contains_key(*id)).cloned().collect();
    if wanted.removes("entry") || wanted.removes("acl") {
        task.log("deleting outdated existing users first");
    }
    for id in vanished {
        if wanted.removes("entry") {
            task.log(format!("remove user '{id}'"));
            cfg.users.remove(&id);
            for group in cfg.groups.values_mut() {
                group.members.remove(&id);
            }
        }
        if wanted.removes("acl") {
            task.log(format!("purging users '{id}' ACL entries"));
            cfg.acl.retain(|key, _| key.subject.user().is_none_or(|user| user.as_str() != id));
        }
    }
    for (id, properties) in users {
        let known = cfg.users.get(id).cloned();
        let (verb, mut user) = match known {
            None => ("adding", User { enable: wanted.enable_new, expire: Some(0), ..User::default() }),
            Some(user) if wanted.removes("properties") => {
                let User { enable, expire, tokens, .. } = user;
                ("overwriting", User { enable, expire, tokens, ..User::default() })
            }
            Some(user) => ("updating", user),
        };
        task.log(format!("{verb} user '{id}'"));
        for (property, value) in properties {
            match property.as_str() {
                "firstname" => user.firstname.clone_from(value),
                "lastname" => user.lastname.clone_from(value),
                "email" => user.email = Some(value.clone()),
                "comment" => user.comment.clone_from(value),
                "keys" => user.keys.clone_from(value),
                _ => {}
            }
        }
        cfg.users.insert(id.clone(), user);
    }
}

fn update_groups(wanted: &Wanted, cfg: &mut UserCfg, groups: &BTreeMap<String, BTreeSet<String>>, task: &Running) {
    task.log(format!("syncing groups (remove-vanished opts: {})", wanted.remove_vanished));
    let suffix = format!("-{}", wanted.realm);
    let vanished: Vec<String> =
        cfg.groups.keys().filter(|id| id.ends_with(&suffix) && !groups.contains_key(*id)).cloned().collect();
    if wanted.removes("entry") || wanted.removes("acl") {
        task.log("deleting outdated existing groups first");
    }
    for id in vanished {
        if wanted.removes("entry") {
            task.log(format!("remove group '{id}'"));
            cfg.groups.remove(&id);
        }
        if wanted.removes("acl") {
            task.log(format!("purging groups '{id}' ACL entries"));
            cfg.acl.retain(|key, _| !matches!(&key.subject, Subject::Group(group) if group.as_str() == id));
        }
    }
    for (id, members) in groups {
        let known = cfg.groups.get(id).cloned();
        let (verb, mut group) = match known {
            None => ("adding", Group::default()),
            Some(_) if wanted.removes("properties") => ("overwriting", Group::default()),
            Some(group) => ("updating", group),
        };
        task.log(format!("{verb} group '{id}'"));
        group.members = members.iter().filter(|user| cfg.users.contains_key(*user)).cloned().collect();
        cfg.groups.insert(id.clone(), group);
    }
}
