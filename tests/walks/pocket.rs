//! Pocket ID behind the operator's back: what stands there, by what a ledger would call it with `id-` before it, and what people
//! do there by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use proxmox_identity::sim::pocket_id::{Options, Release, Simulator};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::names;
use crate::random::Random;
use crate::script::Operation;
use crate::shown::{Fields, Shown, client, list, text};

/// Who can sign in.
pub const USERS: [&str; 2] = ["alice", "bob"];

/// A Pocket ID.
pub struct Pocket {
    pub simulator: Simulator,
    client: Client,
    /// The names of groups by their ids, of those too that are gone.
    names: Mutex<BTreeMap<String, String>>,
}

impl Pocket {
    /// Of the last release, whose clients have several secrets, or of an older one, whose clients have one. At those with
    /// low rate limits the operator would go too slowly to get anywhere.
    pub async fn new(newest: bool) -> Self {
        let release = if newest { Release::V2_14 } else { Release::V2_12 };
        let options = Options { release, time_scale: 0.001, ..Options::default() };
        let simulator = Simulator::start(options).await.expect("a simulator");
        for user in USERS {
            simulator.add_user(user, &[]).expect("a user");
        }
        Self { simulator, client: client(), names: Mutex::default() }
    }

    /// What it answers an administrator. In paths and bodies `~name` stands for the id of a group or user.
    pub async fn call(&self, method: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        let ids = if format!("{path}{body}").contains('~') { self.ids().await } else { BTreeMap::new() };
        let path: Vec<String> = path.split('/').map(|step| with_id(step, &ids)).collect();
        self.ask(method, &path.join("/"), &with_ids(body, &ids)).await
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let url = format!("{}{path}", self.simulator.url());
        let mut request = self.client.request(method, url).header("X-API-Key", self.simulator.api_key());
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        (status, answer.json().await.unwrap_or_default())
    }

    async fn ids(&self) -> BTreeMap<String, String> {
        let groups = self.list("/api/user-groups").await;
        let users = self.list("/api/users").await;
        let of = |rows: &[Value], name: &str| -> Vec<(String, String)> {
            rows.iter().map(|row| (text(&row[name]), text(&row["id"]))).collect()
        };
        of(&groups, "name").into_iter().chain(of(&users, "username")).collect()
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        let (status, mut body) = self.ask("GET", &format!("{path}?pagination[limit]=100"), &Value::Null).await;
        assert!(status.is_success(), "GET {path}: {status} {body}");
        list(body["data"].take())
    }

    /// All that stands.
    pub async fn shown(&self) -> Shown {
        let mut shown = Shown::new();
        for user in self.list("/api/users").await {
            shown.insert(format!("id-user {}", text(&user["username"])), Fields::new());
        }
        for row in self.list("/api/user-groups").await {
            let id = text(&row["id"]);
            let (_, mut group) = self.ask("GET", &format!("/api/user-groups/{id}"), &Value::Null).await;
            let name = text(&group["name"]);
            for user in list(group["users"].take()) {
                shown.insert(format!("id-member {name} {}", text(&user["username"])), Fields::new());
            }
            let claims = list(group["customClaims"].take());
            let claims =
                claims.iter().map(|claim| format!("{}={}", text(&claim["key"]), text(&claim["value"]))).collect();
            let fields = [("friendlyName", text(&group["friendlyName"])), ("customClaims", joined(claims))];
            shown.insert(format!("id-group {name}"), named(fields));
            self.names.lock().expect("no panic").insert(id, name);
        }
        for row in self.list("/api/oidc/clients").await {
            let id = text(&row["id"]);
            let (_, mut client) = self.ask("GET", &format!("/api/oidc/clients/{id}"), &Value::Null).await;
            let groups = list(client["allowedUserGroups"].take()).iter().map(|group| text(&group["name"])).collect();
            let callbacks = list(client["callbackURLs"].take()).iter().map(text).collect();
            let fields = [
                ("displayName", text(&client["name"])),
                ("callbackUrls", joined(callbacks)),
                ("pkce", text(&client["pkceEnabled"])),
                ("public", text(&client["isPublic"])),
                ("restricted", text(&client["isGroupRestricted"])),
                ("allowedGroups", joined(groups)),
            ];
            shown.insert(format!("id-client {id}"), named(fields));
        }
        shown
    }

    /// What a write was about, as far as its name is known.
    pub fn touched(&self, method: &str, path: &str, form: &Value) -> Vec<String> {
        let steps: Vec<&str> = path.trim_start_matches("/api/").split('/').collect();
        let group = |id: &str| {
            let name = id.strip_prefix('~').map(str::to_owned);
            name.or_else(|| self.names.lock().expect("no panic").get(id).cloned())
        };
        let ids = form["userIds"].as_array().into_iter().flatten();
        let users: Vec<&str> = ids.filter_map(|id| id.as_str()?.strip_prefix('~')).collect();
        let claim = match steps.as_slice() {
            ["user-groups"] if method == "POST" => Some(format!("id-group {}", text(&form["name"]))),
            ["user-groups", id, ..] | ["custom-claims", "user-group", id] => {
                group(id).map(|name| format!("id-group {name}"))
            }
            ["oidc", "clients"] => Some(format!("id-client {}", text(&form["id"]))),
            ["oidc", "clients", id, ..] => Some(format!("id-client {id}")),
            _ => Some(format!("{method} {path}")),
        };
        let members = claim
            .iter()
            .filter_map(|claim| claim.strip_prefix("id-group "))
            .flat_map(|group| users.iter().map(move |user| format!("id-member {group} {user}")));
        let members: Vec<String> = members.collect();
        claim.into_iter().chain(members).collect()
    }

    /// Whether a client's secret is taken.
    pub async fn takes(&self, id: &str, secret: &str) -> bool {
        let form =
            [("grant_type", "authorization_code"), ("code", "none"), ("client_id", id), ("client_secret", secret)];
        let url = format!("{}/api/oidc/token", self.simulator.url());
        let answer = self.client.post(url).form(&form).send().await.expect("an answer");
        // Then the code is what is wrong.
        !answer.text().await.expect("a body").to_lowercase().contains("client")
    }
}

fn named<const N: usize>(fields: [(&str, String); N]) -> Fields {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A set as one text.
pub fn joined(words: BTreeSet<String>) -> String {
    words.into_iter().collect::<Vec<_>>().join(" ")
}

fn with_id(word: &str, ids: &BTreeMap<String, String>) -> String {
    let id = word.strip_prefix('~').and_then(|name| ids.get(name));
    id.cloned().unwrap_or_else(|| word.to_owned())
}

fn with_ids(body: &Value, ids: &BTreeMap<String, String>) -> Value {
    match body {
        Value::String(text) => with_id(text, ids).into(),
        Value::Array(list) => list.iter().map(|it| with_ids(it, ids)).collect(),
        Value::Object(fields) => fields.iter().map(|(name, it)| (name.clone(), with_ids(it, ids))).collect(),
        other => other.clone(),
    }
}

/// One change by hand.
pub fn edit(random: &mut Random) -> Operation {
    let group = *random.pick(names::ID_GROUPS);
    let client = *random.pick(names::CLIENTS);
    let shown = *random.pick(names::SHOWN);
    let user = format!("~{}", random.pick(&USERS));
    let (method, path, form): (_, String, Value) = match random.below(9) {
        0 => ("POST", "/api/user-groups".into(), json!({"name": group, "friendlyName": shown})),
        1 => ("PUT", format!("/api/user-groups/~{group}"), json!({"name": group, "friendlyName": shown})),
        2 => ("DELETE", format!("/api/user-groups/~{group}"), Value::Null),
        3 => ("PUT", format!("/api/user-groups/~{group}/users"), json!({"userIds": [user]})),
        4 => ("PUT", format!("/api/user-groups/~{group}/users"), json!({"userIds": []})),
        5 => ("PUT", format!("/api/custom-claims/user-group/~{group}"), json!([{"key": "tier", "value": shown}])),
        6 => {
            let url = *random.pick(names::CALLBACKS);
            let fields = json!({
                "id": client, "name": shown, "callbackURLs": [url], "pkceEnabled": false, "isPublic": false,
                "isGroupRestricted": true,
            });
            ("POST", "/api/oidc/clients".into(), fields)
        }
        7 => ("DELETE", format!("/api/oidc/clients/{client}"), Value::Null),
        _ => {
            let groups = if random.chance(50) { json!([format!("~{group}")]) } else { json!([]) };
            ("PUT", format!("/api/oidc/clients/{client}/allowed-user-groups"), json!({"userGroupIds": groups}))
        }
    };
    Operation::Edit { method: method.to_owned(), path, form }
}
