//! Proxmox VE, behind the operator's back.

use serde_json::Value;

use super::World;

impl World {
    /// What Proxmox VE answers root.
    pub async fn pve_get(&self, path: &str) -> Value {
        self.pve_call("GET", path, &[]).await
    }

    /// What Proxmox VE answers root, or nothing where it refuses.
    pub async fn pve_find(&self, path: &str) -> Option<Value> {
        let (status, body) = self.pve_answer("GET", path, &[]).await;
        status.is_success().then(|| body["data"].clone())
    }

    /// A call to Proxmox VE behind the operator's back; like a person it tries again where the lock is taken.
    pub async fn pve_call(&self, method: &str, path: &str, form: &[(&str, &str)]) -> Value {
        let (mut status, mut body) = self.pve_answer(method, path, form).await;
        for _ in 0..5 {
            if !body["message"].as_str().is_some_and(|message| message.contains("got lock request timeout")) {
                break;
            }
            (status, body) = self.pve_answer(method, path, form).await;
        }
        assert!(status.is_success(), "{method} {path}: {status} {body}");
        body["data"].clone()
    }

    async fn pve_answer(&self, method: &str, path: &str, form: &[(&str, &str)]) -> (reqwest::StatusCode, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut url = url::Url::parse(&format!("{}/api2/json{path}", self.pve.url())).expect("a URL");
        if method == reqwest::Method::DELETE {
            url.query_pairs_mut().extend_pairs(form);
        }
        let mut request =
            self.http.request(method.clone(), url).header("Authorization", format!("PVEAPIToken={}", self.pve.token()));
        if !form.is_empty() && method != reqwest::Method::DELETE {
            request = request.form(form);
        }
        let answer = request.send().await.expect("an answer");
        (answer.status(), answer.json().await.expect("JSON"))
    }

    /// Whether a whole token, `user@realm!tokenid=uuid`, is taken.
    pub async fn works(&self, token: &str) -> bool {
        let url = format!("{}/api2/json/version", self.pve.url());
        let request = self.http.get(url).header("Authorization", format!("PVEAPIToken={token}"));
        request.send().await.expect("an answer").status().is_success()
    }

    /// Whether a user can log in with a password.
    pub async fn logs_in(&self, user: &str, password: &str) -> bool {
        let url = format!("{}/api2/json/access/ticket", self.pve.url());
        let request = self.http.post(url).form(&[("username", user), ("password", password)]);
        request.send().await.expect("an answer").status().is_success()
    }

    /// The ACL as `path role type:subject propagate`, sorted.
    pub async fn acl(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entries = self.pve_get("/access/acl").await;
        let mut lines: Vec<String> = entries
            .as_array()
            .expect("a list")
            .iter()
            .map(|entry| {
                let (path, role) = (text(&entry["path"]), text(&entry["roleid"]));
                format!("{path} {role} {}:{} {}", text(&entry["type"]), text(&entry["ugid"]), entry["propagate"])
            })
            .collect();
        lines.sort();
        lines
    }

    /// The ids of all groups, sorted.
    pub async fn groups(&self) -> Vec<String> {
        let groups = self.pve_get("/access/groups").await;
        let ids = groups
            .as_array()
            .expect("a list")
            .iter()
            .map(|group| group["groupid"].as_str().unwrap_or_default().to_owned());
        let mut ids: Vec<String> = ids.collect();
        ids.sort();
        ids
    }

    /// How many requests that change something Proxmox VE has seen: all but reads and the beginnings of logins.
    pub fn pve_writes(&self) -> u64 {
        let changes = |path: &str| !matches!(path, "/access/ticket" | "/access/openid/auth-url");
        let counts = self.pve.requests().counts;
        counts.iter().filter(|it| it.method != "GET" && changes(&it.path)).map(|it| it.count).sum()
    }
}

/// A client that takes any certificate.
pub(super) fn insecure() -> reqwest::Client {
    // The simulator's certificate is made anew for each; what is tested here is not this client.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().build().expect("a client")
}
