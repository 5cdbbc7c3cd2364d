//! A world in which a walk takes place: a namespace and a Proxmox VE of its own, with an operator shared with others.

mod declare;
mod kubernetes;
mod rest;
mod settle;

use std::collections::{BTreeMap, BTreeSet};
use std::slice::from_ref;

use kube::Client;
use kube::api::DeleteParams;
use proxmox_identity::sim::pve::{Options, Simulator};
use serde_json::{Value, json};

use crate::generate::Present;
use crate::judge::Divergence;
use crate::meaning::{KEYS, Specs};
use crate::names::{OWN_USER, ROLES};
use crate::pocket::Pocket;
use crate::script::Operation;
use crate::shown::{Pve, Shown, parts};
use crate::support::cluster;
use crate::touch::touched;
use crate::{ground, log};

/// The kinds that are walked over.
pub const KINDS: [&str; 10] = [
    "ProxmoxRealm",
    "ProxmoxGroup",
    "ProxmoxUser",
    "ProxmoxToken",
    "ProxmoxRole",
    "ProxmoxAcl",
    "ProxmoxPool",
    "ProxmoxAccessCheck",
    "PocketIdGroup",
    "PocketIdClient",
];

/// The connections of a world.
const CONNECTIONS: [&str; 2] = ["ProxmoxConnection", "PocketIdConnection"];

/// So many declarations side by side.
const TOGETHER: usize = 12;

/// An object: its kind and name.
type Key = (String, String);

/// What became of declarations.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub taken: usize,
    pub refused: usize,
    /// Of those that were meant well, by what the apiserver said.
    pub refusals: BTreeMap<String, usize>,
    pub edits: usize,
    pub rests: usize,
    /// How often an object was found at rest, by kind and reason.
    pub reasons: BTreeMap<(String, String), usize>,
}

/// A world.
pub struct Stage {
    client: Client,
    pub namespace: String,
    pub pve: Pve,
    pub pocket: Pocket,
    /// The objects that should be there, with their specs as the apiserver took them.
    pub specs: Specs,
    pub secrets: BTreeSet<String>,
    pub tally: Tally,
    connection: Value,
    /// Those of Proxmox VE and of Pocket ID.
    addresses: (String, String),
    uids: BTreeMap<Key, String>,
    /// What each has said since the last rest, what it said then included, and what that refers to.
    lately: BTreeMap<Key, Vec<(Value, BTreeSet<Key>)>>,
    /// All that an object has ever said.
    history: BTreeMap<Key, BTreeSet<String>>,
    /// Objects that are on their way out.
    doomed: BTreeSet<Key>,
    /// All that was ever claimed, and all sets that anybody ever had for itself.
    ever: BTreeSet<String>,
    ever_exact: BTreeSet<String>,
    /// What was edited since the last rest, and ever.
    edited: BTreeSet<String>,
    ever_edited: BTreeSet<String>,
    /// What the operator has removed since the last rest.
    removed: BTreeSet<String>,
    /// What was made by hand.
    made_by_hand: BTreeSet<String>,
    /// What objects were told to leave behind.
    left: BTreeSet<String>,
    first: Shown,
    last: Shown,
    asked: usize,
    written: usize,
}

impl Stage {
    pub async fn new(client: &Client) -> Self {
        let namespace = cluster::namespace(client).await;
        // Half of the worlds have the newest Pocket ID.
        let pocket = Pocket::new(namespace.ends_with(['0', '2', '4', '6', '8'])).await;
        let trust_ca = Some(pocket.simulator.ca_pem().to_owned());
        let options = Options { time_scale: 0.02, trust_ca, ..Options::default() };
        let pve = Pve::new(Simulator::start(options).await.expect("a simulator"));
        let first = shown(&pve, &pocket).await;
        let mut stage = Self {
            client: client.clone(),
            namespace,
            addresses: (pve.simulator.url(), pocket.simulator.url()),
            pve,
            pocket,
            specs: Specs::new(),
            secrets: BTreeSet::new(),
            tally: Tally::default(),
            connection: json!({}),
            uids: BTreeMap::new(),
            lately: BTreeMap::new(),
            history: BTreeMap::new(),
            doomed: BTreeSet::new(),
            ever: BTreeSet::new(),
            ever_exact: BTreeSet::new(),
            edited: BTreeSet::new(),
            ever_edited: BTreeSet::new(),
            removed: BTreeSet::new(),
            made_by_hand: BTreeSet::new(),
            left: BTreeSet::new(),
            last: first.clone(),
            first,
            asked: 0,
            written: 0,
        };
        let token = json!({"token": stage.pve.simulator.token()});
        stage.put("Secret", "pve-token", json!({"stringData": token})).await.expect("a Secret");
        // Somebody else's.
        stage.put("Secret", "taken", json!({"stringData": {"theirs": "theirs"}})).await.expect("a Secret");
        let key = json!({"key": stage.pocket.simulator.api_key()});
        stage.put("Secret", "pocket-id", json!({"stringData": key})).await.expect("a Secret");
        let simulator = &stage.pocket.simulator;
        let spec = json!({
            "url": simulator.url(), "apiKeySecretRef": {"name": "pocket-id", "key": "key"},
            "tls": {"fingerprints": [simulator.fingerprint()]}, "resyncInterval": "4s",
        });
        stage.put("PocketIdConnection", "pocket-id", json!({"spec": spec})).await.expect("a connection");
        stage.connect(&json!({})).await.expect("a connection");
        stage
    }

    /// What there is for others to be about.
    pub fn present(&self) -> Present {
        let mut present = Present::default();
        for (kind, name) in self.specs.keys() {
            present.objects.entry(kind.clone()).or_default().push(name.clone());
        }
        for (noun, id) in self.last.keys().filter_map(|claim| claim.split_once(' ')) {
            // Entries for root are not stored, and of the roles of Proxmox VE a few are enough.
            let own = id.starts_with(OWN_USER);
            let many = id.starts_with("PVE") && !ROLES.contains(&id);
            if !own && !many && !id.contains(' ') {
                present.ids.entry(noun.to_owned()).or_default().push(id.to_owned());
            }
        }
        present
    }

    /// Does all of these, declarations of different objects side by side.
    pub async fn play(&mut self, script: &[Operation]) -> Result<(), Divergence> {
        let mut rest = script;
        while let Some(operation) = rest.first() {
            let run = rest.iter().scan(BTreeSet::new(), |seen, it| it.object().map(|key| seen.insert(key)));
            let together = run.take(TOGETHER).take_while(|new| *new).count();
            if together > 1 {
                self.declare(&rest[..together]).await?;
                rest = &rest[together..];
            } else {
                self.act(operation).await?;
                rest = &rest[1..];
            }
        }
        Ok(())
    }

    /// Does one operation.
    pub async fn act(&mut self, operation: &Operation) -> Result<(), Divergence> {
        match operation {
            Operation::Declare { .. } | Operation::Misdeclare { .. } => self.declare(from_ref(operation)).await,
            Operation::Delete { kind, name } => {
                self.delete(kind, name).await;
                Ok(())
            }
            Operation::Connect { fields } => self.connect(fields).await,
            Operation::Edit { method, path, form } => {
                let (status, _) = match System::of(path) {
                    System::ProxmoxVe => self.pve.call(method, path, form).await,
                    System::PocketId => self.pocket.call(method, path, form).await,
                };
                if status.is_success() {
                    self.tally.edits += 1;
                    let touched = self.touched(method, path, form);
                    self.edited.extend(touched.iter().flat_map(|claim| parts(claim)));
                    if method == "POST" {
                        self.made_by_hand.extend(touched.iter().cloned());
                    }
                    self.ever_edited.extend(touched);
                }
                Ok(())
            }
            Operation::Secret { name } => {
                self.written += 1;
                let value = |key: &str| match key {
                    // It is shown in Proxmox VE.
                    "id" => "client".to_owned(),
                    _ => log::canary(&self.namespace, self.written),
                };
                let data: BTreeMap<&str, String> = KEYS.iter().map(|key| (*key, value(key))).collect();
                self.put("Secret", name, json!({"stringData": data})).await.expect("a Secret");
                self.secrets.insert(name.clone());
                Ok(())
            }
            Operation::NoSecret { name } => {
                let _ = self.api("Secret").delete(name, &DeleteParams::default()).await;
                self.secrets.remove(name);
                Ok(())
            }
            Operation::Kill => ground::kill().await,
            Operation::Settle => self.settle().await,
        }
    }

    /// What a request is about.
    fn touched(&self, method: &str, path: &str, form: &Value) -> Vec<String> {
        match System::of(path) {
            System::ProxmoxVe => touched(method, path, form),
            System::PocketId => self.pocket.touched(method, path, form),
        }
    }
}

/// Who is called.
enum System {
    ProxmoxVe,
    PocketId,
}

impl System {
    fn of(path: &str) -> Self {
        if path.starts_with("/api/") { Self::PocketId } else { Self::ProxmoxVe }
    }
}

/// All that stands in both.
async fn shown(pve: &Pve, pocket: &Pocket) -> Shown {
    let mut shown = pve.shown().await;
    shown.extend(pocket.shown().await);
    shown
}
