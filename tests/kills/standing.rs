//! What stands in all three systems, in words that are the same in each life.

use std::sync::LazyLock;

use kube::api::ListParams;
use regex::Regex;
use serde_json::{Map, Value, json};

use crate::both::Both;
use crate::objects::OBJECTS;

/// What differs from life to life, and the word that stands for it.
static DIFFERENT: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let words = [
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
        (r"127\.0\.0\.1:\d+", "<address>"),
        (r"([0-9A-F]{2}:){31}[0-9A-F]{2}", "<fingerprint>"),
        (r"\btest-\d+\b", "<namespace>"),
    ];
    words.into_iter().map(|(pattern, word)| (Regex::new(pattern).expect("a pattern"), word)).collect()
});

/// Keys whose values differ from life to life: those that are made anew, what the last process did and not the one before,
/// and what appeared while a process watched.
const UNLIKE: [&str; 7] = ["resourceVersion", "uid", "digest", "createdAt", "prefix", "lastChange", "newest"];

/// Secrets that the operator has delivered.
#[derive(Default)]
pub struct Secrets {
    token: Option<String>,
    client: Option<String>,
}

impl Secrets {
    /// Those that are in their Secrets now.
    pub async fn of(world: &Both) -> Self {
        Self { token: world.value("ci", "token").await, client: world.value("proxmox", "clientSecret").await }
    }

    /// Their secret parts.
    pub fn values(&self) -> Vec<String> {
        let token = self.token.as_deref().and_then(|token| token.split_once('=')).map(|(_, secret)| secret.to_owned());
        token.into_iter().chain(self.client.clone()).collect()
    }

    /// Which of them work.
    async fn work(&self, world: &Both) -> Value {
        let token = match &self.token {
            Some(token) => Some(world.works(token).await),
            None => None,
        };
        let client = match &self.client {
            Some(secret) => Some(world.takes("proxmox", secret).await),
            None => None,
        };
        json!({"token": token, "client": client})
    }
}

/// What stands in Proxmox VE, Pocket ID and Kubernetes, and whether the secrets that are delivered work, and former ones.
pub async fn standing(world: &Both, former: &Secrets) -> Value {
    let delivered = Secrets::of(world).await;
    let mut stands = json!({
        "pve": in_pve(world, &delivered).await,
        "pocketId": in_pocket_id(world).await,
        "objects": in_kubernetes(world).await,
        "secrets": secrets(world).await,
        "work": {"delivered": delivered.work(world).await, "former": former.work(world).await},
    });
    alike(&mut stands);
    stands
}

async fn in_pve(world: &Both, delivered: &Secrets) -> Value {
    let mut found = Map::new();
    for path in
        ["/access/users?full=1", "/access/groups", "/access/roles", "/access/acl", "/pools", "/cluster/jobs/realm-sync"]
    {
        found.insert(path.to_owned(), world.pve_get(path).await);
    }
    let pools = found["/pools"].as_array().expect("a list").clone();
    for id in pools.iter().filter_map(|pool| pool["poolid"].as_str()) {
        let path = format!("/pools/?poolid={id}");
        found.insert(path.clone(), world.pve_get(&path).await);
    }
    let realms = world.pve_get("/access/domains").await;
    for id in realms.as_array().expect("a list").iter().filter_map(|realm| realm["realm"].as_str()) {
        let path = format!("/access/domains/{id}");
        let mut realm = world.pve_get(&path).await;
        if let Some(key) = realm.get("client-key") {
            realm["client-key"] =
                json!(if key.as_str() == delivered.client.as_deref() { "delivered" } else { "another" });
        }
        found.insert(path, realm);
    }
    Value::Object(found)
}

async fn in_pocket_id(world: &Both) -> Value {
    let mut found = Map::new();
    for path in ["/api/oidc/clients", "/api/user-groups"] {
        let list = world.pocket_get(&format!("{path}?pagination[limit]=100")).await;
        for row in list["data"].as_array().expect("a list") {
            let id = row["id"].as_str().expect("an id");
            let name = format!("{path}/{}", row["name"].as_str().expect("a name"));
            found.insert(name, world.pocket_get(&format!("{path}/{id}")).await);
        }
    }
    let secrets = world.ask("GET", "/api/oidc/clients/proxmox/secrets", None).await;
    if secrets.0 == 200 {
        found.insert("secrets".to_owned(), secrets.1);
    }
    Value::Object(found)
}

async fn in_kubernetes(world: &Both) -> Value {
    let mut found = Map::new();
    let connections = [("ProxmoxConnection", "pve"), ("PocketIdConnection", "pocket-id")];
    for (kind, name) in OBJECTS.iter().map(|object| (object.kind, object.name)).chain(connections) {
        let Some(object) = world.get_object(kind, name).await else { continue };
        // Before the first pass a connection is as it was made, and after all it is gone.
        let shown = json!({"finalizers": object["metadata"]["finalizers"], "status": object["status"]});
        if !kind.ends_with("Connection") || object["status"]["observedGeneration"] != -1 {
            found.insert(format!("{kind}/{name}"), shown);
        }
    }
    Value::Object(found)
}

/// The Secrets without their values.
async fn secrets(world: &Both) -> Value {
    let list = world.api("Secret").list(&ListParams::default()).await.expect("Secrets").items;
    let shown = list.into_iter().map(|secret| {
        let owners = secret.metadata.owner_references.unwrap_or_default();
        let keys: Vec<String> = secret.data["data"].as_object().into_iter().flat_map(Map::keys).cloned().collect();
        let owners: Vec<String> = owners.into_iter().map(|owner| format!("{}/{}", owner.kind, owner.name)).collect();
        (secret.metadata.name.unwrap_or_default(), json!({"type": secret.data["type"], "keys": keys, "owners": owners}))
    });
    shown.collect::<Map<_, _>>().into()
}

/// Puts words in place of what differs, and lists in one order.
fn alike(value: &mut Value) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => *text = plain(text),
        Value::Array(list) => {
            list.iter_mut().for_each(alike);
            list.sort_by_key(Value::to_string);
        }
        Value::Object(object) => {
            object.retain(|key, _| !UNLIKE.contains(&key.as_str()));
            object.values_mut().for_each(alike);
        }
    }
}

/// A text with words in place of what differs from life to life.
pub fn plain(text: &str) -> String {
    DIFFERENT.iter().fold(text.to_owned(), |text, (pattern, word)| pattern.replace_all(&text, *word).into_owned())
}

/// The lines in which two of them differ.
pub fn difference(expected: &Value, found: &Value) -> String {
    let lines = |value: &Value| {
        let mut lines = Vec::new();
        leaves("", value, &mut lines);
        lines
    };
    let (expected, found) = (lines(expected), lines(found));
    let lacking = expected.iter().filter(|line| !found.contains(line)).map(|line| format!("- {line}"));
    let unexpected = found.iter().filter(|line| !expected.contains(line)).map(|line| format!("+ {line}"));
    lacking.chain(unexpected).collect::<Vec<_>>().join("\n")
}

fn leaves(path: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Array(list) => list.iter().enumerate().for_each(|(at, it)| leaves(&format!("{path}/{at}"), it, lines)),
        Value::Object(object) => object.iter().for_each(|(key, it)| leaves(&format!("{path}/{key}"), it, lines)),
        leaf => lines.push(format!("{path}: {leaf}")),
    }
}
