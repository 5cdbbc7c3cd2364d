//! Proxmox VE and Pocket ID side by side, with connections to both.

use std::ops::Deref;

use kube::api::{Patch, PatchParams};
use proxmox_identity::sim::pocket_id::{Options, Release, Simulator};
use proxmox_identity::sim::pve;
use serde_json::{Value, json};

use crate::account::Reach;
use crate::support::control_plane;
use crate::world::World;

/// A world with a Pocket ID beside Proxmox VE, and connections to both: `pve` and `pocket-id`.
pub struct Both {
    world: World,
    pub pocket: Simulator,
}

impl Deref for Both {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl Both {
    /// With Pocket ID of the recorded release.
    pub async fn new() -> Self {
        Self::of(Release::default()).await
    }

    /// With Pocket ID of another release.
    pub async fn of(release: Release) -> Self {
        Self::with(Options { release, ..Options::default() }).await
    }

    /// With a simulator of one's own making.
    pub async fn with(options: Options) -> Self {
        Self::reaching(Reach::Namespace, options).await
    }

    /// The same with an operator that may look so far, though it looks into one namespace.
    pub async fn reaching(reach: Reach, options: Options) -> Self {
        let pve = pve::Options { time_scale: 0.02, ..pve::Options::default() };
        Self::of_both(reach, pve, options).await
    }

    /// The same with a Proxmox VE of one's own making, which trusts Pocket ID.
    pub async fn of_both(reach: Reach, pve: pve::Options, pocket: Options) -> Self {
        let pocket = Simulator::start(pocket).await.expect("a simulator");
        let pve = pve::Options { trust_ca: Some(pocket.ca_pem().to_owned()), ..pve };
        let world = World::reaching(reach, control_plane().await, pve).await;
        let both = Self { world, pocket };
        both.connect().await;
        both.connect_pocket_id("").await;
        both
    }

    /// The connection to Pocket ID, with more lines of spec.
    pub async fn connect_pocket_id(&self, more: &str) {
        let (url, fingerprint, key) = (self.pocket.url(), self.pocket.fingerprint(), self.pocket.api_key());
        self.apply(&format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: pocket-id}}\nstringData: {{key: \"{key}\"}}\n---\n\
             apiVersion: proxmox-identity.dev/v1alpha1\nkind: PocketIdConnection\nmetadata: {{name: pocket-id}}\nspec:\n  \
             url: \"{url}\"\n  apiKeySecretRef: {{name: pocket-id, key: key}}\n  \
             tls: {{fingerprints: [\"{fingerprint}\"]}}\n  resyncInterval: 1s\n{more}"
        ))
        .await;
    }

    /// How often a connection, such as `PocketIdConnection/pocket-id`, is compared with its objects.
    pub async fn resync(&self, connection: &str, interval: &str) {
        let (kind, name) = connection.split_once('/').expect("kind and name");
        self.patch(kind, name, json!({"spec": {"resyncInterval": interval}})).await;
    }

    /// Changes something of an object.
    pub async fn patch(&self, kind: &str, name: &str, patch: Value) {
        let (params, patch) = (PatchParams::default(), Patch::Merge(patch));
        self.api(kind).patch(name, &params, &patch).await.expect("patched");
    }

    /// An object of Pocket ID in one line: `spec` is YAML flow without the connection.
    pub async fn declare(&self, kind: &str, name: &str, spec: &str) -> &Self {
        let comma = if spec.is_empty() { "" } else { ", " };
        self.apply(&format!(
            "apiVersion: proxmox-identity.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\n\
             spec: {{connectionRef: {{name: pocket-id}}{comma}{spec}}}\n"
        ))
        .await;
        self
    }

    /// A call to Pocket ID behind the operator's back; answers with status and body.
    pub async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let url = format!("{}{path}", self.pocket.url());
        let mut request = self.http.request(method, url).header("X-API-Key", self.pocket.api_key());
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    /// Something in Pocket ID.
    pub async fn pocket_get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Changes something in Pocket ID behind the operator's back.
    pub async fn pocket_put(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask("PUT", path, Some(&body)).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// Makes something in Pocket ID behind the operator's back.
    pub async fn pocket_post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask("POST", path, Some(&body)).await;
        assert!(status < 300, "{path}: {status} {answer}");
        answer
    }

    /// The client of an id, as Pocket ID shows it alone.
    pub async fn pocket_client(&self, id: &str) -> Option<Value> {
        let (status, body) = self.ask("GET", &format!("/api/oidc/clients/{id}"), None).await;
        (status == 200).then_some(body)
    }

    /// The names of the groups that a client lets in, sorted.
    pub async fn lets_in(&self, id: &str) -> Vec<String> {
        names(&self.pocket_client(id).await.expect("a client")["allowedUserGroups"], "name")
    }

    /// A group by its name, as Pocket ID shows it alone.
    pub async fn pocket_group(&self, name: &str) -> Option<Value> {
        let list = self.pocket_get(&format!("/api/user-groups?search={name}&pagination[limit]=100")).await;
        let found = list["data"].as_array().expect("a list").iter().find(|group| group["name"] == name)?.clone();
        Some(self.pocket_get(&format!("/api/user-groups/{}", found["id"].as_str().expect("an id"))).await)
    }

    /// A group made behind the operator's back; answers with its id.
    pub async fn group_by_hand(&self, name: &str) -> String {
        let made = self.pocket_post("/api/user-groups", json!({"name": name, "friendlyName": "By hand"})).await;
        made["id"].as_str().expect("an id").to_owned()
    }

    /// The names of a group's members, sorted.
    pub async fn members(&self, group: &str) -> Vec<String> {
        names(&self.pocket_group(group).await.expect("a group")["users"], "username")
    }

    /// A value of a Secret in Kubernetes.
    pub async fn value(&self, secret: &str, key: &str) -> Option<String> {
        let secret = self.get_object("Secret", secret).await?;
        let k8s_openapi::ByteString(bytes) = serde_json::from_value(secret["data"][key].clone()).ok()?;
        String::from_utf8(bytes).ok()
    }

    /// Whether Pocket ID takes a client's secret: a wrong code is another failure than a wrong secret.
    pub async fn takes(&self, client: &str, secret: &str) -> bool {
        let form =
            [("grant_type", "authorization_code"), ("code", "none"), ("client_id", client), ("client_secret", secret)];
        let url = format!("{}/api/oidc/token", self.pocket.url());
        let answer = self.http.post(url).form(&form).send().await.expect("an answer");
        let body = answer.text().await.expect("a body");
        !body.to_lowercase().contains("client")
    }

    /// How many requests that change something Pocket ID has seen.
    pub fn pocket_writes(&self) -> u64 {
        self.pocket.requests().counts.iter().filter(|it| it.method != "GET").map(|it| it.count).sum()
    }

    /// Asks an object for a new secret and waits until it has arrived.
    pub async fn rotate(&self, name: &str, when: &str) {
        let annotations = json!({"proxmox-identity.dev/rotate-requested-at": when});
        self.patch("PocketIdClient", name, json!({"metadata": {"annotations": annotations}})).await;
        self.until("the new secret has arrived", async || {
            let client = self.get_object("PocketIdClient", name).await?;
            let secret = &client["status"]["clientSecret"];
            (secret["lastHandledRotateAt"] == when && secret["secretState"] == "Delivered").then_some(())
        })
        .await;
    }

    /// Waits until so many passes over Pocket ID more have been made.
    pub async fn pocket_passes(&self, more: u64) {
        let count = || self.pocket.requests().count("GET", "/api/version/current");
        let target = count() + more;
        self.until("passes are made", async || (count() >= target).then_some(())).await;
    }
}

fn names(list: &Value, field: &str) -> Vec<String> {
    let texts = list.as_array().expect("a list").iter().map(|it| it[field].as_str().unwrap_or_default().to_owned());
    let mut texts: Vec<String> = texts.collect();
    texts.sort();
    texts
}
