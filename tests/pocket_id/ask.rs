//! Asking a simulator, as an administrator unless said.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proxmox_identity::sim::pocket_id::{Options, Release, Simulator};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::client::{Answer, Client};
use super::play::KEY;

/// A simulator and a way to it.
pub struct Pocket {
    pub simulator: Simulator,
    client: Client,
}

/// An answer.
pub struct Said {
    pub status: u16,
    pub body: Value,
    answer: Answer,
}

impl Said {
    /// The value of a header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.answer.header(name)
    }

    /// Status and sentence of a failure.
    pub fn failure(&self) -> (u16, &str) {
        (self.status, self.body["error"].as_str().unwrap_or_default())
    }

    /// The id of what was created.
    pub fn id(&self) -> String {
        assert!(self.status < 300, "{} {}", self.status, self.body);
        self.body["id"].as_str().expect("an id").to_owned()
    }
}

/// How somebody proves who it is.
#[derive(Clone, Copy)]
pub enum Login<'a> {
    No,
    Key(&'a str),
    Session(&'a str),
    Basic(&'a str, &'a str),
    Bearer(&'a str),
}

impl Pocket {
    pub async fn start(options: Options) -> Self {
        let options = Options { api_key: options.api_key.or(Some(KEY.to_owned())), ..options };
        let simulator = Simulator::start(options).await.expect("it starts");
        let client = Client::new(simulator.address(), simulator.ca_pem());
        Self { simulator, client }
    }

    pub async fn of(release: Release) -> Self {
        // Waits of rate limits do not matter.
        Self::start(Options { release, time_scale: 0.0, ..Options::default() }).await
    }

    /// Any request; a `content_type` that is empty is not sent.
    pub async fn send(&self, login: Login<'_>, method: &str, path: &str, content_type: &str, body: &[u8]) -> Said {
        let mut headers = vec![("Content-Length".to_owned(), body.len().to_string())];
        let mut header = |name: &str, value: String| headers.push((name.to_owned(), value));
        match login {
            Login::No => {}
            Login::Key(key) => header("X-API-Key", key.to_owned()),
            Login::Session(cookie) => header("Cookie", cookie.to_owned()),
            Login::Basic(id, secret) => {
                header("Authorization", format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))));
            }
            Login::Bearer(token) => header("Authorization", format!("Bearer {token}")),
        }
        if !content_type.is_empty() {
            header("Content-Type", content_type.to_owned());
        }
        let answer = self.client.send(method, path, &headers, body).await.expect("an answer or none");
        let body = serde_json::from_slice(&answer.body).unwrap_or_default();
        Said { status: answer.status, body, answer }
    }

    pub async fn get(&self, path: &str) -> Said {
        self.send(Login::Key(KEY), "GET", path, "", b"").await
    }

    pub async fn post(&self, path: &str, body: Value) -> Said {
        self.json(Login::Key(KEY), "POST", path, &body).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Said {
        self.json(Login::Key(KEY), "PUT", path, &body).await
    }

    pub async fn delete(&self, path: &str) -> Said {
        self.send(Login::Key(KEY), "DELETE", path, "", b"").await
    }

    pub async fn json(&self, login: Login<'_>, method: &str, path: &str, body: &Value) -> Said {
        self.send(login, method, path, "application/json", body.to_string().as_bytes()).await
    }

    pub async fn group(&self, name: &str) -> String {
        self.post("/api/user-groups", json!({ "name": name, "friendlyName": name })).await.id()
    }

    /// A client with the callback URL <https://pve.example.com> and more fields.
    pub async fn client(&self, more: Value) -> String {
        let mut body = json!({ "name": "Proxmox", "callbackURLs": ["https://pve.example.com"] });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        self.post("/api/oidc/clients", body).await.id()
    }

    /// Asks the token endpoint.
    pub async fn token(&self, login: Login<'_>, form: &[(&str, &str)]) -> Said {
        let form = Serializer::new(String::new()).extend_pairs(form).finish();
        self.send(login, "POST", "/api/oidc/token", "application/x-www-form-urlencoded", form.as_bytes()).await
    }

    /// Signs a user in; the cookie of the session.
    pub async fn session(&self, user: &str) -> String {
        let path = format!("/api/users/{user}/one-time-access-token");
        let token = self.post(&path, json!({ "ttl": "1h" })).await;
        let token = token.body["token"].as_str().expect("a token");
        let said = self.send(Login::No, "POST", &format!("/api/one-time-access-token/{token}"), "", b"").await;
        said.header("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("a session").to_owned()
    }

    /// Has a user agree; the answer to the web interface.
    pub async fn authorize(&self, session: &str, client: &str, more: Value) -> Said {
        let mut body = json!({
            "clientID": client, "scope": "openid email profile groups", "callbackURL": "https://pve.example.com",
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        self.json(Login::Session(session), "POST", "/api/oidc/authorize", &body).await
    }
}
