//! The demo's Pocket ID, and what an administrator does there.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::Failure;
use super::screen::Screen;
use crate::https::settings::TlsSettings;
use crate::https::tls;
use crate::sim::pocket_id::{Options, Release, Simulator};

/// Who has a passkey there: the manifests put Alice into a group, and Mallory into none.
const PEOPLE: [&str; 2] = ["alice", "mallory"];

/// A simulated Pocket ID, and a client for its administrator.
pub struct PocketId {
    /// What plays Pocket ID.
    pub simulator: Simulator,
    http: reqwest::Client,
}

impl PocketId {
    /// Starts one with people in it, and without groups and clients.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start() -> Result<Self, Failure> {
        let latency = Duration::from_millis(5);
        let options =
            Options { read_latency: latency, write_latency: latency, release: Release::V2_14, ..Options::default() };
        let simulator = Simulator::start(options).await?;
        for user in PEOPLE {
            simulator.add_user(user, &[])?;
        }
        let trust = TlsSettings { ca_pem: Some(simulator.ca_pem().to_owned()), ..TlsSettings::default() };
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(&trust, Arc::default())?)
            .no_proxy()
            .build()?;
        Ok(Self { simulator, http })
    }

    /// Lets everybody sign in with the client of an id, and sends them elsewhere.
    ///
    /// # Errors
    /// When Pocket ID refuses it.
    pub async fn sabotage(&self, screen: &Screen, client: &str) -> Result<(), Failure> {
        screen.command('#', &format!("Pocket ID, OIDC clients, {client}: unrestrict, callback https://evil.example"));
        let body = json!({
            "name": "Proxmox VE", "callbackURLs": ["https://evil.example"], "pkceEnabled": true, "isGroupRestricted": false,
        });
        self.call(Method::PUT, &format!("/api/oidc/clients/{client}"), Some(&body)).await.map(drop)
    }

    /// What Pocket ID answers its administrator.
    ///
    /// # Errors
    /// When it refuses.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.simulator.url());
        let mut request = self.http.request(method.clone(), url).header("X-API-Key", self.simulator.api_key());
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let body: Value = answer.json().await?;
        if status.is_success() { Ok(body) } else { Err(format!("{method} {path}: {status} {body}").into()) }
    }
}
