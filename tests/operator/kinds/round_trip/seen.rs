//! All that stands in Proxmox VE, as lines of which each is one claim, and as the lists themselves.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::kinds::bench::text;
use crate::world::World;

/// A line about a thing, with what Proxmox VE shows of it beyond its defaults.
pub fn line(noun: &str, id: &str, fields: &BTreeMap<String, String>) -> String {
    let defaults = [("enable", "1"), ("expire", "0"), ("privsep", "1"), ("autocreate", "0"), ("query-userinfo", "1")];
    let told =
        fields.iter().filter(|(name, value)| !value.is_empty() && !defaults.contains(&(name.as_str(), value.as_str())));
    let told: Vec<String> = told.map(|(name, value)| format!("{name}={value}")).collect();
    format!("{noun} {id}: {}", told.join(" "))
}

/// The fields of a thing but for some.
fn fields(thing: &Map<String, Value>, but: &[&str]) -> BTreeMap<String, String> {
    let told = thing.iter().filter(|(name, _)| !but.contains(&name.as_str()));
    told.map(|(name, value)| (name.clone(), text(value))).collect()
}

async fn list(world: &World, path: &str) -> Vec<Map<String, Value>> {
    let list = world.pve_get(path).await;
    list.as_array().expect("a list").iter().map(|it| it.as_object().expect("an object").clone()).collect()
}

/// What stands, claim by claim.
pub async fn lines(world: &World) -> BTreeSet<String> {
    let mut lines: BTreeSet<String> = world.acl().await.into_iter().map(|entry| format!("entry {entry}")).collect();
    for group in list(world, "/access/groups").await {
        lines.insert(line("group", &text(&group["groupid"]), &fields(&group, &["groupid", "users"])));
    }
    for role in list(world, "/access/roles").await {
        let mut privileges: Vec<String> = text(&role["privs"]).split(',').map(str::to_owned).collect();
        privileges.sort();
        lines.insert(format!("role {}: {}", text(&role["roleid"]), privileges.join(",")));
    }
    for user in list(world, "/access/users?full=1").await {
        let id = text(&user["userid"]);
        lines.insert(line("user", &id, &fields(&user, &["userid", "groups", "tokens", "realm-type"])));
        for group in text(&user["groups"]).split(',').filter(|group| !group.is_empty()) {
            lines.insert(format!("member {id} of {group}"));
        }
        for token in user["tokens"].as_array().into_iter().flatten().filter_map(Value::as_object) {
            let full = format!("{id}!{}", text(&token["tokenid"]));
            lines.insert(line("token", &full, &fields(token, &["tokenid"])));
        }
    }
    for realm in list(world, "/access/domains").await {
        let id = text(&realm["realm"]);
        let details = world.pve_get(&format!("/access/domains/{id}")).await;
        lines.insert(line("realm", &id, &fields(details.as_object().expect("a realm"), &["digest"])));
    }
    for pool in list(world, "/pools").await {
        let id = text(&pool["poolid"]);
        lines.insert(line("pool", &id, &fields(&pool, &["poolid"])));
        for member in members(world, &id).await.as_array().expect("members") {
            lines.insert(format!("{} in {id}", text(&member["id"])));
        }
    }
    lines
}

async fn members(world: &World, pool: &str) -> Value {
    world.pve_get(&format!("/pools?poolid={}", pool.replace('/', "%2F"))).await[0]["members"].clone()
}

/// The lists as Proxmox VE shows them, with what is in each pool; the digest of a realm covers the file of all.
pub async fn lists(world: &World) -> Vec<Value> {
    let mut lists = Vec::new();
    let paths = ["/access/groups", "/access/users?full=1", "/access/roles", "/access/acl", "/access/domains"];
    for path in paths.into_iter().chain(["/access/domains/pam", "/pools"]) {
        lists.push(world.pve_get(path).await);
    }
    for pool in list(world, "/pools").await {
        lists.push(members(world, &text(&pool["poolid"])).await);
    }
    lists
}
