//! The permission model of the operator beside the recorded answers: what it makes of the lists must be what the real
//! Proxmox VE said.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use proxmox_identity::core::ids::{AclPath, TokenId, UserId};
use proxmox_identity::core::permissions::{Directory, Privileges};
use proxmox_identity::core::snapshot::Credential;
use proxmox_identity::https::observer::Unobserved;
use proxmox_identity::https::settings::{Fingerprint, TlsSettings};
use proxmox_identity::permit::Permit;
use proxmox_identity::pve::client::Client;
use proxmox_identity::pve::config::{Auth, Settings};
use proxmox_identity::pve::read::SnapshotScope;
use proxmox_identity::pve::realms::RealmCache;
use proxmox_identity::sim::pve::Simulator;
use serde_json::Value;

/// Path → privilege → whether it is passed on.
type Answer = BTreeMap<String, BTreeMap<String, bool>>;

/// Whether a step asks for somebody's permissions and was answered.
pub fn is_about(step: &Value) -> bool {
    step["method"] == "GET" && step["path"] == "/access/permissions" && step["status"] == 200
}

/// What the model says otherwise than the recording, for whom it was asked.
pub async fn differences(simulator: &Simulator, step: &Value, who: &str) -> Vec<String> {
    let recorded = recorded(&step["body"]["data"]);
    let modelled = modelled(simulator, step["query"]["path"].as_str(), who).await;
    if recorded == modelled {
        return Vec::new();
    }
    let about = |answer: &Answer| answer.keys().cloned().collect::<Vec<_>>().join(" ");
    vec![format!("the model says otherwise for {who}: want {}, got {}", about(&recorded), about(&modelled))]
}

fn recorded(data: &Value) -> Answer {
    let flags = |held: &Value| {
        let held = held.as_object().into_iter().flatten();
        held.map(|(name, flag)| (name.clone(), flag == 1 || flag == "1")).collect()
    };
    data.as_object().into_iter().flatten().map(|(path, held)| (path.clone(), flags(held))).collect()
}

async fn modelled(simulator: &Simulator, path: Option<&str>, who: &str) -> Answer {
    let settings = Settings {
        endpoints: vec![simulator.url().parse().expect("a URL")],
        auth: Auth::token(&simulator.token()).expect("a token"),
        tls: TlsSettings {
            fingerprints: vec![Fingerprint::parse(&simulator.fingerprint()).expect("a fingerprint")],
            ..TlsSettings::default()
        },
        proxy: None,
        request_timeout: std::time::Duration::from_secs(30),
        replica: None,
    };
    let session = Client::new(&settings, &(Arc::new(Unobserved) as _))
        .expect("a client")
        .connect(&Permit::unlimited())
        .await
        .expect("a session");
    let scope = SnapshotScope { every_pool: true, ..SnapshotScope::default() };
    let snapshot = session.snapshot(&scope, &RealmCache::default()).await.expect("a snapshot");
    let directory = Directory::of(&snapshot).expect("all lists");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let credential = if who.contains('!') {
        Credential::Token(TokenId::observed(who))
    } else {
        Credential::User(UserId::observed(who))
    };
    let rights = directory.rights(&credential, i64::try_from(now).expect("not yet"));
    let flags = |held: &Privileges| held.iter().map(|(name, flag)| (name.to_string(), *flag)).collect();
    match path {
        Some(path) => BTreeMap::from([(path.to_owned(), flags(&rights.on(&AclPath::observed(path))))]),
        None => rights.everywhere().iter().map(|(path, held)| (path.to_string(), flags(held))).collect(),
    }
}
