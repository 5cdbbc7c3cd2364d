//! The demo's Proxmox VE, and what an administrator does there, as the `pveum` lines that one would type.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::Failure;
use super::pocket_id::PocketId;
use super::screen::Screen;
use crate::https::settings::TlsSettings;
use crate::https::tls;
use crate::sim::pve::{Options, Simulator};

/// A command of an administrator, as it is typed and as it is sent.
pub struct Pveum {
    line: &'static str,
    method: Method,
    path: &'static str,
    form: &'static [(&'static str, &'static str)],
}

/// A role with no more than the operator needs, a user that has it, and a token of that user.
const OPERATOR: [Pveum; 4] = [
    Pveum {
        line: "pveum role add ProxmoxIdentity --privs \"Group.Allocate User.Modify Realm.Allocate Realm.AllocateUser \
               Permissions.Modify Pool.Allocate Pool.Audit Sys.Audit Sys.Modify\"",
        method: Method::POST,
        path: "/access/roles",
        form: &[
            ("roleid", "ProxmoxIdentity"),
            (
                "privs",
                "Group.Allocate User.Modify Realm.Allocate Realm.AllocateUser Permissions.Modify Pool.Allocate \
                 Pool.Audit Sys.Audit Sys.Modify",
            ),
        ],
    },
    Pveum {
        line: "pveum user add proxmox-identity@pve --comment \"Kubernetes operator\"",
        method: Method::POST,
        path: "/access/users",
        form: &[("userid", "proxmox-identity@pve"), ("comment", "Kubernetes operator")],
    },
    Pveum {
        line: "pveum acl modify / --users proxmox-identity@pve --roles ProxmoxIdentity",
        method: Method::PUT,
        path: "/access/acl",
        form: &[("path", "/"), ("users", "proxmox-identity@pve"), ("roles", "ProxmoxIdentity")],
    },
    Pveum {
        line: "pveum user token add proxmox-identity@pve operator --privsep 0",
        method: Method::POST,
        path: "/access/users/proxmox-identity@pve/token/operator",
        form: &[("privsep", "0")],
    },
];

/// What somebody does behind the operator's back.
const SABOTAGE: [Pveum; 2] = [
    Pveum {
        line: "pveum group delete proxmox_users-PocketID",
        method: Method::DELETE,
        path: "/access/groups/proxmox_users-PocketID",
        form: &[],
    },
    Pveum {
        line: "pveum acl modify /pool/alice --users alice@PocketID --roles PVEVMUser --propagate 0",
        method: Method::PUT,
        path: "/access/acl",
        form: &[("path", "/pool/alice"), ("users", "alice@PocketID"), ("roles", "PVEVMUser"), ("propagate", "0")],
    },
];

/// A simulated Proxmox VE, and a client for its administrator.
pub struct Proxmox {
    /// What plays Proxmox VE.
    pub simulator: Simulator,
    http: reqwest::Client,
}

impl Proxmox {
    /// Starts one that takes as long for an answer as a small cluster does, and trusts the certificate of Pocket ID.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start(pocket_id: &PocketId) -> Result<Self, Failure> {
        let latency = |milliseconds| Duration::from_millis(milliseconds);
        let trust_ca = Some(pocket_id.simulator.ca_pem().to_owned());
        let options = Options { read_latency: latency(5), write_latency: latency(25), trust_ca, ..Options::default() };
        let simulator = Simulator::start(options).await?;
        let trust = TlsSettings { ca_pem: Some(simulator.ca_pem().to_owned()), ..TlsSettings::default() };
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(&trust, Arc::default())?)
            .no_proxy()
            .build()?;
        Ok(Self { simulator, http })
    }

    /// Gives the operator an identity of its own; answers with its token.
    ///
    /// # Errors
    /// When Proxmox VE refuses it.
    pub async fn prepare_operator(&self, screen: &Screen) -> Result<String, Failure> {
        let answer = self.play(screen, &OPERATOR).await?;
        let secret = answer["value"].as_str().ok_or("Proxmox VE shows no secret for the token")?;
        Ok(format!("{}={secret}", answer["full-tokenid"].as_str().unwrap_or_default()))
    }

    /// Changes things behind the operator's back.
    ///
    /// # Errors
    /// When Proxmox VE refuses it.
    pub async fn sabotage(&self, screen: &Screen) -> Result<(), Failure> {
        self.play(screen, &SABOTAGE).await.map(drop)
    }

    /// Shows and carries out commands of an administrator; answers with what the last one answers.
    async fn play(&self, screen: &Screen, commands: &[Pveum]) -> Result<Value, Failure> {
        let mut answer = Value::Null;
        for Pveum { line, method, path, form } in commands {
            screen.command('#', line);
            answer = self.call(method.clone(), path, form).await?;
        }
        Ok(answer)
    }

    /// What Proxmox VE answers its administrator.
    ///
    /// # Errors
    /// When it refuses.
    pub async fn call(&self, method: Method, path: &str, form: &[(&str, &str)]) -> Result<Value, Failure> {
        let mut request = self
            .http
            .request(method.clone(), format!("{}/api2/json{path}", self.simulator.url()))
            .header("Authorization", format!("PVEAPIToken={}", self.simulator.token()));
        if !form.is_empty() {
            request = request.form(form);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let mut body: Value = answer.json().await?;
        if status.is_success() {
            Ok(body["data"].take())
        } else {
            Err(format!("{method} {path}: {status} {body}").into())
        }
    }
}
