//! Proxmox VE and Pocket ID side by side, with people and groups.

use proxmox_identity::sim::browser::{Browser, SignedIn, TurnedAway};
use proxmox_identity::sim::{pocket_id, pve};
use reqwest::Method;
use serde_json::{Value, json};

/// Both simulators, and a client of Pocket ID for Proxmox VE that admits the groups `proxmox_users` and
/// `Proxmox Users`. Ann is in the first, ben in none, cem in both, and dan in the second.
pub struct World {
    pub pve: pve::Simulator,
    pub pocket_id: pocket_id::Simulator,
    http: reqwest::Client,
    pub client: String,
    pub secret: String,
}

/// Options of a realm; those that are empty are left out.
pub type Options<'a> = &'a [(&'a str, &'a str)];

impl World {
    pub async fn new() -> Self {
        let pocket_id = pocket_id::Simulator::start(pocket_id::Options::default()).await.expect("it starts");
        let trust_ca = Some(pocket_id.ca_pem().to_owned());
        let options = pve::Options { trust_ca, time_scale: 0.01, ..pve::Options::default() };
        Self::of(pve::Simulator::start(options).await.expect("it starts"), pocket_id).await
    }

    pub async fn of(pve: pve::Simulator, pocket_id: pocket_id::Simulator) -> Self {
        // Only for what administrators do; what is tested is the browser, and Proxmox VE's way to Pocket ID.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().build();
        let http = http.expect("a client");
        let mut world = Self { pve, pocket_id, http, client: "proxmox".to_owned(), secret: String::new() };
        let mut admitted = Vec::new();
        for name in ["proxmox_users", "Proxmox Users"] {
            let group =
                world.pocket_id("POST", "/api/user-groups", json!({ "name": name, "friendlyName": name })).await;
            admitted.push(group["id"].clone());
        }
        let client = json!({ "id": world.client, "name": "Proxmox", "isGroupRestricted": true, "pkceEnabled": true });
        world.pocket_id("POST", "/api/oidc/clients", with(&client, "callbackURLs", json!([world.pve.url()]))).await;
        let path = format!("/api/oidc/clients/{}", world.client);
        world.pocket_id("PUT", &format!("{path}/allowed-user-groups"), json!({ "userGroupIds": admitted })).await;
        let secret = world.pocket_id("POST", &format!("{path}/secret"), json!({})).await;
        secret["secret"].as_str().expect("a secret").clone_into(&mut world.secret);
        for (name, groups) in [
            ("ann", &["proxmox_users"][..]),
            ("ben", &[]),
            ("cem", &["proxmox_users", "Proxmox Users"]),
            ("dan", &["Proxmox Users"]),
        ] {
            world.pocket_id.add_user(name, groups).expect("a user");
        }
        world
    }

    /// A realm for Pocket ID that makes users and has groups, but for what `options` say; with its group
    /// `proxmox_users-ID`.
    pub async fn realm(&self, id: &str, options: Options<'_>) {
        let mut form = vec![
            ("realm", id),
            ("type", "openid"),
            ("client-id", &self.client),
            ("client-key", &self.secret),
            ("username-claim", "username"),
            ("scopes", "openid email profile groups"),
            ("groups-claim", "groups"),
            ("autocreate", "1"),
        ];
        let issuer = self.pocket_id.url();
        form.push(("issuer-url", &issuer));
        form.retain(|(name, _)| !options.iter().any(|(other, _)| other == name));
        form.extend(options.iter().filter(|(_, value)| !value.is_empty()));
        self.pve("POST", "/access/domains", &form).await;
        self.pve("POST", "/access/groups", &[("groupid", &format!("proxmox_users-{id}"))]).await;
    }

    pub fn browser(&self) -> Browser<'_> {
        Browser::new(&self.pve, &self.pocket_id).expect("a browser")
    }

    pub async fn sign_in(&self, realm: &str, user: &str) -> Result<SignedIn, TurnedAway> {
        self.browser().sign_in(realm, user).await
    }

    /// What Proxmox VE answers root.
    pub async fn pve(&self, method: &str, path: &str, form: &[(&str, &str)]) -> Value {
        let url = format!("{}/api2/json{path}", self.pve.url());
        let mut request = self.http.request(verb(method), url);
        request = request.header("Authorization", format!("PVEAPIToken={}", self.pve.token()));
        if !form.is_empty() {
            request = request.form(form);
        }
        answer(request).await["data"].take()
    }

    /// What Pocket ID answers its administrator.
    pub async fn pocket_id(&self, method: &str, path: &str, body: Value) -> Value {
        let request = self.http.request(verb(method), format!("{}{path}", self.pocket_id.url()));
        answer(request.header("X-API-Key", self.pocket_id.api_key()).json(&body)).await
    }
}

/// An object with one more field.
pub fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[name] = value;
    object
}

fn verb(method: &str) -> Method {
    Method::from_bytes(method.as_bytes()).expect("a method")
}

async fn answer(request: reqwest::RequestBuilder) -> Value {
    let answer = request.send().await.expect("an answer");
    let (status, url) = (answer.status(), answer.url().clone());
    let body = answer.text().await.expect("a body");
    assert!(status.is_success(), "{url}: {status} {body}");
    serde_json::from_str(&body).unwrap_or_default()
}
