//! What stands in Proxmox VE, as its lists show it to root: each thing by what a ledger would call it, with its fields.

use std::collections::{BTreeMap, BTreeSet};

use proxmox_identity::sim::pve::Simulator;
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

/// The fields of a thing, by their names in Proxmox VE.
pub type Fields = BTreeMap<String, String>;

/// All that stands.
pub type Shown = BTreeMap<String, Fields>;

/// Proxmox VE behind the operator's back.
pub struct Pve {
    pub simulator: Simulator,
    client: Client,
}

impl Pve {
    pub fn new(simulator: Simulator) -> Self {
        Self { simulator, client: client() }
    }

    /// What it answers root.
    pub async fn call(&self, method: &str, path: &str, form: &Value) -> (StatusCode, Value) {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut url = url::Url::parse(&format!("{}/api2/json{path}", self.simulator.url())).expect("a URL");
        let pairs = form.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), text(value)));
        let pairs: Vec<(&str, String)> = pairs.collect();
        let with_body = matches!(method, Method::POST | Method::PUT);
        if !with_body && !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(&pairs);
        }
        let login = format!("PVEAPIToken={}", self.simulator.token());
        let mut request = self.client.request(method, url).header("Authorization", login);
        if with_body && !pairs.is_empty() {
            request = request.form(&pairs);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        (status, answer.json().await.unwrap_or_default())
    }

    /// Whether a whole token, `user@realm!tokenid=uuid`, is taken.
    pub async fn takes(&self, token: &str) -> bool {
        let url = format!("{}/api2/json/version", self.simulator.url());
        let request = self.client.get(url).header("Authorization", format!("PVEAPIToken={token}"));
        request.send().await.expect("an answer").status().is_success()
    }

    async fn get(&self, path: &str) -> Value {
        let (status, mut body) = self.call("GET", path, &Value::Null).await;
        assert!(status.is_success(), "GET {path}: {status} {body}");
        body["data"].take()
    }

    /// All that stands.
    pub async fn shown(&self) -> Shown {
        let mut shown = Shown::new();
        for user in list(self.get("/access/users?full=1").await) {
            let id = text(&user["userid"]);
            for token in list(user["tokens"].clone()) {
                shown.insert(format!("token {id}!{}", text(&token["tokenid"])), fields(&token, &["tokenid"]));
            }
            shown.insert(format!("user {id}"), fields(&user, &["userid", "tokens", "groups", "realm-type"]));
        }
        for group in list(self.get("/access/groups").await) {
            let id = text(&group["groupid"]);
            for user in words(&text(&group["users"])) {
                shown.insert(format!("member {id} {user}"), Fields::new());
            }
            shown.insert(format!("group {id}"), fields(&group, &["groupid", "users"]));
        }
        for role in list(self.get("/access/roles").await) {
            shown.insert(format!("role {}", text(&role["roleid"])), fields(&role, &["roleid"]));
        }
        for entry in list(self.get("/access/acl").await) {
            let [path, role, kind, who] = ["path", "roleid", "type", "ugid"].map(|name| text(&entry[name]));
            let claim = format!("acl {path} {kind}:{who} {role}");
            shown.insert(claim, fields(&entry, &["path", "roleid", "type", "ugid"]));
        }
        for pool in list(self.get("/pools").await) {
            let id = text(&pool["poolid"]);
            let (_, body) = self.call("GET", "/pools", &serde_json::json!({"poolid": id})).await;
            for member in list(body["data"][0]["members"].clone()) {
                let (kind, name) = if member["type"] == "storage" { ("storage", "storage") } else { ("guest", "vmid") };
                shown.insert(format!("pool-member {id} {kind}:{}", text(&member[name])), Fields::new());
            }
            shown.insert(format!("pool {id}"), fields(&pool, &["poolid", "members"]));
        }
        for realm in list(self.get("/access/domains").await) {
            let id = text(&realm["realm"]);
            let mut options = fields(&self.get(&format!("/access/domains/{id}")).await, &["digest"]);
            options.insert("type".to_owned(), text(&realm["type"]));
            shown.insert(format!("realm {id}"), options);
        }
        for job in list(self.get("/cluster/jobs/realm-sync").await) {
            let fields = fields(&job, &["id", "last-run", "next-run", "type"]);
            shown.insert(format!("sync-job {}", text(&job["id"])), fields);
        }
        shown
    }
}

/// A client for simulators. Their certificates are made anew for each; what is tested here is not this client.
pub fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().build().expect("a client")
}

/// The items of a list.
pub fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list,
        _ => Vec::new(),
    }
}

fn fields(value: &Value, without: &[&str]) -> Fields {
    let all = value.as_object().into_iter().flatten().filter(|(name, _)| !without.contains(&name.as_str()));
    all.map(|(name, value)| (name.clone(), text(value))).collect()
}

/// A value as a form has it.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(flag) => u8::from(*flag).to_string(),
        Value::Array(list) => list.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// The words of a list in a text.
pub fn words(text: &str) -> BTreeSet<&str> {
    text.split([',', ';', ' ']).map(str::trim).filter(|word| !word.is_empty()).collect()
}

/// The named things that a claim is made of, such as `group g1` and `user a@pve` of `member g1 a@pve`.
pub fn parts(claim: &str) -> Vec<String> {
    let mut words = claim.split(' ');
    let (noun, first) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let rest: Vec<&str> = words.collect();
    let with_colon = |word: &str| word.replacen(':', " ", 1);
    let mut parts = vec![claim.to_owned()];
    match noun {
        "member" => parts.extend([format!("group {first}"), format!("user {}", rest.join(" "))]),
        "id-member" => parts.extend([format!("id-group {first}"), format!("id-user {}", rest.join(" "))]),
        "pool-member" => parts.extend([format!("pool {first}"), with_colon(&rest.join(" "))]),
        "acl" => {
            parts.extend([with_colon(rest[0]), format!("role {}", rest[1])]);
            if let Some(pool) = first.strip_prefix("/pool/") {
                parts.push(format!("pool {pool}"));
            }
        }
        _ => {}
    }
    let tokens: Vec<String> = parts.iter().filter_map(|part| part.strip_prefix("token ")).map(str::to_owned).collect();
    let owners = tokens.iter().filter_map(|token| token.split_once('!')).map(|(user, _)| format!("user {user}"));
    parts.extend(owners);
    let pools: Vec<String> = parts.iter().filter_map(|part| part.strip_prefix("pool ")).map(str::to_owned).collect();
    for pool in pools {
        let mut above = pool.as_str();
        while let Some((parent, _)) = above.rsplit_once('/') {
            parts.push(format!("pool {parent}"));
            above = parent;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_made_of_what_it_names() {
        for (claim, made_of) in [
            ("group g", vec!["group g"]),
            ("member g a@pve", vec!["member g a@pve", "group g", "user a@pve"]),
            (
                "acl /pool/p/q token:a@pve!t r",
                vec!["acl /pool/p/q token:a@pve!t r", "token a@pve!t", "role r", "pool p/q", "user a@pve", "pool p"],
            ),
            ("pool-member p guest:100", vec!["pool-member p guest:100", "pool p", "guest 100"]),
        ] {
            assert_eq!(parts(claim), made_of);
        }
    }
}
