//! A world in which a walk takes place: a namespace and a Proxmox VE of its own, with an operator shared with others.

use std::collections::{BTreeMap, BTreeSet};
use std::slice::from_ref;
use std::time::{Duration, Instant};

use futures::future::{join_all, try_join_all};
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::discovery::ApiResource;
use kube::{Api, Client};
use proxmox_identity::api::RECONCILE_REQUESTED_AT;
use proxmox_identity::sim::pve::{Options, Simulator};
use serde_json::{Value, json};

use crate::generate::Present;
use crate::judge::{Divergence, Rest, is_of_connection, judge};
use crate::meaning::{self, Around, KEYS, Meaning, Specs, sets_of};
use crate::names::{OWN_USER, ROLES, connection as connection_of};
use crate::pocket::Pocket;
use crate::schema::{SPECS, immutable};
use crate::script::Operation;
use crate::seen::Seen;
use crate::shown::{Pve, Shown, parts};
use crate::support::cluster;
use crate::touch::touched;
use crate::{clients, ground, log, tokens};

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

/// How long anything may take before a walk gives up; nothing measures time by it.
const PATIENCE: Duration = Duration::from_mins(2);

/// So many declarations side by side.
const TOGETHER: usize = 12;

/// So many looks at most until nothing changes any more.
const LOOKS: usize = 60;

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
    uids: BTreeMap<(String, String), String>,
    meanings: BTreeMap<(String, String), Meaning>,
    /// All that an object has ever said.
    history: BTreeMap<(String, String), BTreeSet<String>>,
    /// Objects that are on their way out.
    doomed: BTreeSet<(String, String)>,
    /// All that was ever claimed, and all sets that anybody ever had for itself.
    ever: BTreeSet<String>,
    ever_exact: BTreeSet<String>,
    /// What was edited since the last rest, and ever.
    edited: BTreeSet<String>,
    ever_edited: BTreeSet<String>,
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
        let mut first = pve.shown().await;
        first.extend(pocket.shown().await);
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
            meanings: BTreeMap::new(),
            history: BTreeMap::new(),
            doomed: BTreeSet::new(),
            ever: BTreeSet::new(),
            ever_exact: BTreeSet::new(),
            edited: BTreeSet::new(),
            ever_edited: BTreeSet::new(),
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
                let in_pocket_id = path.starts_with("/api/");
                let (status, _) = if in_pocket_id {
                    self.pocket.call(method, path, form).await
                } else {
                    self.pve.call(method, path, form).await
                };
                if status.is_success() {
                    self.tally.edits += 1;
                    let touched = if in_pocket_id {
                        self.pocket.touched(method, path, form)
                    } else {
                        touched(method, path, form)
                    };
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

    /// Applies objects side by side, each another one: so a burst is over before the operator has looked at each of them.
    pub async fn declare(&mut self, operations: &[Operation]) -> Result<(), Divergence> {
        let put = async |operation: &Operation| match operation {
            Operation::Declare { kind, name, spec } | Operation::Misdeclare { kind, name, spec } => {
                self.put(kind, name, json!({"spec": spec})).await
            }
            _ => panic!("no declaration: {operation}"),
        };
        let answers = join_all(operations.iter().map(put)).await;
        let mut first = Ok(());
        for (operation, answer) in operations.iter().zip(answers) {
            let answered = self.answered(operation, answer);
            first = first.and(answered);
        }
        first
    }

    fn answered(&mut self, operation: &Operation, answer: Result<Value, String>) -> Result<(), Divergence> {
        let (Operation::Declare { kind, name, .. } | Operation::Misdeclare { kind, name, .. }) = operation else {
            return Ok(());
        };
        let well_meant = matches!(operation, Operation::Declare { .. });
        match answer {
            Ok(object) => {
                self.tally.taken += 1;
                if !well_meant {
                    return Err(Divergence::new(format!("{kind}: taken though it is wrong"), operation.to_string()));
                }
                let key = (kind.clone(), name.clone());
                let taken = object["spec"].clone();
                let uid = object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
                let same = self.uids.insert(key.clone(), uid.clone()) == Some(uid);
                if let Some(old) = self.specs.get(&key).filter(|_| same)
                    && let Some(field) = moved(&SPECS[kind], old, &taken)
                {
                    return Err(Divergence::new(format!("{kind}: {field} was changed"), operation.to_string()));
                }
                self.specs.insert(key.clone(), taken);
                self.mean(&key);
                if self.doomed.contains(&key) {
                    self.note_left(&key);
                }
            }
            Err(message) => {
                self.tally.refused += 1;
                if well_meant {
                    *self.tally.refusals.entry(format!("{kind}: {}", shortened(&message))).or_default() += 1;
                }
            }
        }
        Ok(())
    }

    /// Works out what an object, and those that refer to it, say now: all of it counts as claimed from now on.
    fn mean(&mut self, key: &(String, String)) {
        let referring = self.meanings.iter().filter(|(_, meaning)| meaning.refers.contains(key));
        let mut keys: BTreeSet<(String, String)> = referring.map(|(key, _)| key.clone()).collect();
        // A reference to a token or user may lead on to another object.
        let behind: Vec<_> =
            self.meanings.iter().filter(|(_, it)| it.refers.iter().any(|key| keys.contains(key))).collect();
        let behind: Vec<(String, String)> = behind.into_iter().map(|(key, _)| key.clone()).collect();
        keys.extend(behind);
        keys.insert(key.clone());
        for key in keys {
            let Some(spec) = self.specs.get(&key) else { continue };
            let around = self.around(&self.specs);
            let meaning = meaning::of(&key.0, &key.1, spec, &around);
            if spec["managementPolicy"] != "Observe" {
                self.ever.extend(meaning.claims.keys().cloned());
                self.history.entry(key.clone()).or_default().extend(meaning.claims.keys().cloned());
                self.ever_exact.extend(meaning.exact.iter().cloned());
                if spec["allowMove"] == true {
                    // It may take a guest from the pool that it is in.
                    let guests = meaning.claims.keys().filter_map(|claim| claim.split_once(" guest:"));
                    self.ever.extend(guests.map(|(_, guest)| format!("guest {guest}")));
                }
            }
            self.meanings.insert(key, meaning);
        }
    }

    fn around<'a>(&'a self, specs: &'a Specs) -> Around<'a> {
        let (endpoint, issuer) = &self.addresses;
        Around { specs, secrets: &self.secrets, endpoint, issuer }
    }

    async fn delete(&mut self, kind: &str, name: &str) {
        let key = (kind.to_owned(), name.to_owned());
        let _ = self.api(kind).delete(name, &DeleteParams::default()).await;
        self.note_left(&key);
        self.doomed.insert(key);
    }

    /// What a deleted object may leave behind.
    fn note_left(&mut self, key: &(String, String)) {
        let Some(spec) = self.specs.get(key) else { return };
        if spec["deletionPolicy"] == "Orphan" || spec["managementPolicy"] == "Observe" {
            self.left.extend(self.history.get(key).into_iter().flatten().cloned());
        }
    }

    async fn connect(&mut self, fields: &Value) -> Result<(), Divergence> {
        let simulator = &self.pve.simulator;
        let mut spec = json!({
            "endpoints": [simulator.url()], "auth": {"token": {"secretRef": {"name": "pve-token"}}},
            "tls": {"fingerprints": [simulator.fingerprint()]}, "resyncInterval": "4s",
        });
        for (name, value) in fields.as_object().into_iter().flatten() {
            spec[name] = value.clone();
        }
        match self.put("ProxmoxConnection", "pve", json!({"spec": spec})).await {
            Ok(_) => {
                self.tally.taken += 1;
                self.connection = fields.clone();
            }
            Err(_) => self.tally.refused += 1,
        }
        Ok(())
    }

    async fn put(&self, kind: &str, name: &str, mut object: Value) -> Result<Value, String> {
        let resource = resource(kind);
        object["apiVersion"] = json!(resource.api_version);
        object["kind"] = json!(kind);
        object["metadata"] = json!({"name": name});
        let params = PatchParams::apply("walk").force().validation_strict();
        match self.api(kind).patch(name, &params, &Patch::Apply(&object)).await {
            Ok(object) => Ok(serde_json::to_value(object).expect("JSON")),
            Err(kube::Error::Api(status)) if matches!(status.code, 400 | 409 | 422 | 500) => {
                Err(status.message.clone())
            }
            Err(error) => panic!("no answer for {kind} {name}: {error}"),
        }
    }

    fn api(&self, kind: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource(kind))
    }

    /// All objects, as they are now.
    async fn objects(&self) -> Vec<Seen> {
        let of = async |kind: &str| {
            let list = self.api(kind).list(&ListParams::default()).await.expect("a list").items;
            let seen = list.into_iter().map(|object| {
                let name = object.metadata.name.clone().unwrap_or_default();
                Seen { kind: kind.to_owned(), name, object: serde_json::to_value(object).expect("JSON") }
            });
            seen.collect::<Vec<_>>()
        };
        join_all(KINDS.map(of)).await.into_iter().flatten().collect()
    }

    /// Asks for a pass over each connection and waits until they are over.
    async fn pass(&mut self) -> Result<(), Divergence> {
        self.asked += 1;
        let asked = self.asked.to_string();
        try_join_all(CONNECTIONS.map(|kind| self.pass_of(kind, &asked))).await.map(drop)
    }

    async fn pass_of(&self, kind: &str, asked: &str) -> Result<(), Divergence> {
        let (connections, name) = (self.api(kind), connection_of(kind));
        let annotation = json!({"metadata": {"annotations": {RECONCILE_REQUESTED_AT: asked}}});
        connections.patch(name, &PatchParams::default(), &Patch::Merge(annotation)).await.expect("asked");
        let started = Instant::now();
        loop {
            // The sooner it is looked, the more there is to answer for everybody else.
            let waited = started.elapsed();
            tokio::time::sleep((waited / 2).clamp(Duration::from_millis(80), Duration::from_millis(500))).await;
            let connection = connections.get(name).await.expect("a connection");
            if connection.data["status"]["lastHandledReconcileAt"] == asked {
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                let told = format!("{}", connection.data["status"]);
                return Err(Divergence::new("no pass is made", told));
            }
        }
    }

    /// Waits until nothing changes any more: every object is judged as it is now, and a further pass writes nothing.
    async fn rest(&mut self) -> Result<Vec<Seen>, Divergence> {
        let (mut before, mut unrest) = (None, String::new());
        for _ in 0..LOOKS {
            self.pass().await?;
            let written = self.written_by_operator()?;
            if !written.is_empty() {
                (before, unrest) = (None, format!("written {written:?}"));
                continue;
            }
            let objects = self.objects().await;
            let versions: Vec<_> = objects.iter().map(Seen::version).collect();
            let stale: Vec<&Seen> =
                objects.iter().filter(|seen| !seen.is_current() || seen.reason() == "Progressing").collect();
            if stale.is_empty() && before.as_ref() == Some(&versions) {
                return Ok(objects);
            }
            let stale: Vec<String> =
                stale.iter().map(|it| format!("{} {} {}", it.kind, it.name, it.object["status"])).collect();
            unrest = format!("stale {stale:?}, versions {versions:?}, before {before:?}");
            before = Some(versions);
        }
        Err(Divergence::new("it does not come to rest", unrest))
    }

    /// What the operator has written since the last look; all of it must be about what was claimed.
    fn written_by_operator(&self) -> Result<Vec<String>, Divergence> {
        let requests = self.pve.simulator.requests();
        self.pve.simulator.clear_requests();
        let ours = requests.writes.iter().filter(|write| {
            let asks_only = write.path == "/access/openid/auth-url";
            write.agent.starts_with("proxmox-identity") && write.status == 200 && !asks_only
        });
        let of_pve = ours.map(|write| {
            let form = serde_json::to_value(&write.form).expect("JSON");
            let told = format!("{} {} {form}", write.method, write.path);
            (touched(&write.method, &write.path, &form), told)
        });
        let requests = self.pocket.simulator.requests();
        self.pocket.simulator.clear_requests();
        let ours =
            requests.writes.iter().filter(|write| write.agent.starts_with("proxmox-identity") && write.status < 300);
        let of_pocket_id = ours.map(|write| {
            let form = serde_json::to_value(&write.form).expect("JSON");
            let told = format!("{} {} {form}", write.method, write.path);
            (self.pocket.touched(&write.method, &write.path, &form), told)
        });
        let mut written = Vec::new();
        for (touched, told) in of_pve.chain(of_pocket_id) {
            if let Some(claim) = touched.into_iter().find(|it| !self.is_claimed(it)) {
                let noun = claim.split(' ').next().unwrap_or_default().to_owned();
                return Err(Divergence::new(
                    format!("a {noun} is written that nobody claims"),
                    format!("{claim}: {told}"),
                ));
            }
            written.push(told);
        }
        Ok(written)
    }

    /// Whether anybody ever had a say in it.
    fn is_claimed(&self, claim: &str) -> bool {
        let in_exact = sets_of(claim).iter().any(|set| self.ever_exact.contains(set));
        // To remove an entry of somebody who is gone, somebody is made by that name and deleted.
        let ending = |subject: &str| self.ever.iter().any(|it| it.starts_with("acl ") && it.contains(subject));
        let exact_entries = self.ever_exact.iter().any(|set| set.starts_with("entries "));
        let grave = match claim.split_once(' ') {
            Some(("user", user)) => {
                exact_entries || ending(&format!(" user:{user} ")) || ending(&format!(" token:{user}!"))
            }
            Some(("group", group)) => exact_entries || ending(&format!(" group:{group} ")),
            Some(("token", token)) => exact_entries || ending(&format!(" token:{token} ")),
            // The list of a user's groups is sent whole.
            Some(("member", _)) => true,
            // Entries on a nested pool go with it.
            Some(("acl", rest)) => {
                let pool = rest.split(' ').next().and_then(|path| path.strip_prefix("/pool/"));
                pool.is_some_and(|pool| pool.contains('/') && self.ever.contains(&format!("pool {pool}")))
            }
            // A guest may be taken from another pool.
            _ => false,
        };
        self.ever.contains(claim) || in_exact || grave
    }

    /// Comes to rest and judges. What is wrong must stay so: a claim that failed may be waiting for its next attempt.
    async fn settle(&mut self) -> Result<(), Divergence> {
        let mut found = None;
        for wait in [0, 1200, 4800] {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            found = self.look().await?;
            if found.is_none() {
                break;
            }
        }
        found.map_or(Ok(()), Err)
    }

    async fn look(&mut self) -> Result<Option<Divergence>, Divergence> {
        let objects = self.rest().await?;
        let shown = self.shown().await;
        let present: BTreeMap<(String, String), Value> =
            objects.iter().map(|seen| (seen.key(), seen.spec().clone())).collect();
        for seen in &objects {
            if log::has_canary(&self.namespace, &seen.object["status"].to_string()) {
                return Err(Divergence::new(format!("{}: a secret in its status", seen.kind), seen.object.to_string()));
            }
        }
        let around = self.around(&present);
        let found = judge(&Rest { objects: &objects, shown: &shown, around, connection: &self.connection });
        let mut found = found.or_else(|| self.bystanders(&shown));
        if found.is_none() {
            found = tokens::judge(&objects, &self.api("Secret"), &self.pve, &shown, &self.made_by_hand).await;
        }
        if found.is_none() {
            found = clients::judge(&objects, &self.api("Secret"), &self.pocket, &self.made_by_hand).await;
        }
        if found.is_none() {
            self.tally.rests += 1;
            for seen in &objects {
                *self.tally.reasons.entry((seen.kind.clone(), seen.reason().to_owned())).or_default() += 1;
            }
            self.specs = present;
            self.meanings.retain(|key, _| self.specs.contains_key(key));
            self.last = shown;
            self.edited.clear();
            self.doomed = objects.iter().filter(|seen| seen.is_deleted()).map(Seen::key).collect();
        }
        Ok(found)
    }

    /// All that stands.
    async fn shown(&self) -> Shown {
        let mut shown = self.pve.shown().await;
        shown.extend(self.pocket.shown().await);
        shown
    }

    /// What nobody ever claimed and nobody has edited is as it was.
    fn bystanders(&self, shown: &Shown) -> Option<Divergence> {
        let concerned = |claim: &String| {
            let in_exact = sets_of(claim).iter().any(|set| self.ever_exact.contains(set));
            in_exact || parts(claim).iter().any(|part| self.ever.contains(part) || self.edited.contains(part))
        };
        let claims: BTreeSet<&String> = self.last.keys().chain(shown.keys()).collect();
        let plain = |fields: Option<&crate::shown::Fields>| {
            // There is one default realm: another one loses it. And a client loses a group that is deleted.
            fields.map(|fields| {
                fields
                    .iter()
                    .filter(|(name, _)| !matches!(name.as_str(), "default" | "allowedGroups"))
                    .map(|(a, b)| (a.clone(), b.clone()))
                    .collect::<Vec<_>>()
            })
        };
        let changed = |claim: &&&String| plain(self.last.get(**claim)) != plain(shown.get(**claim));
        let wrong = claims.iter().filter(|claim| !concerned(claim)).find(changed)?;
        let noun = wrong.split(' ').next().unwrap_or_default();
        let told = format!("{wrong}: {:?}, before {:?}", shown.get(*wrong), self.last.get(*wrong));
        Some(Divergence::new(format!("a bystander's {noun} is changed"), told))
    }

    /// Ends the walk: everything is deleted, and nothing of what was made is left.
    pub async fn finish(&mut self) -> Result<(), Divergence> {
        self.connect(&json!({})).await?;
        for name in crate::names::SECRETS {
            self.act(&Operation::Secret { name: (*name).to_owned() }).await?;
        }
        let objects = self.objects().await;
        for seen in &objects {
            if seen.is_suspended() {
                let awake = json!({"spec": {"suspend": false}});
                self.merge(seen, awake).await;
            }
            self.delete(&seen.kind, &seen.name).await;
        }
        self.settle().await?;
        // What is held up by what stands there may be left.
        for _ in 0..5 {
            let held: Vec<Seen> = self.objects().await;
            if held.is_empty() {
                break;
            }
            for seen in &held {
                self.left.extend(seen.ledger());
                self.merge(seen, json!({"spec": {"deletionPolicy": "Orphan"}})).await;
            }
            self.rest().await?;
        }
        let held = self.objects().await;
        if let Some(seen) = held.iter().find(|seen| is_of_connection(&seen.kind, seen.spec())) {
            return Err(Divergence::new(format!("{}: it does not go", seen.kind), seen.object.to_string()));
        }
        let shown = self.shown().await;
        let may_be = |claim: &&String| {
            self.first.contains_key(*claim) || self.ever_edited.contains(*claim) || self.left.contains(*claim)
        };
        if let Some(claim) = shown.keys().find(|claim| !may_be(claim)) {
            let noun = claim.split(' ').next().unwrap_or_default();
            return Err(Divergence::new(format!("a {noun} is left behind"), claim.clone()));
        }
        for kind in CONNECTIONS {
            self.api(kind).delete(connection_of(kind), &DeleteParams::default()).await.expect("deleted");
        }
        Ok(())
    }

    async fn merge(&self, seen: &Seen, patch: Value) {
        let patched = self.api(&seen.kind).patch(&seen.name, &PatchParams::default(), &Patch::Merge(patch)).await;
        if let Err(error) = patched {
            assert!(matches!(&error, kube::Error::Api(status) if status.code == 404), "{error}");
        }
    }
}

/// A field that cannot be changed, and was.
fn moved(schema: &Value, old: &Value, new: &Value) -> Option<String> {
    let fields = immutable(schema);
    let own =
        fields.iter().chain([&"connectionRef".to_owned()]).find(|field| old.get(*field) != new.get(*field)).cloned();
    own.filter(|field| old.get(field).is_some() || fields.contains(field))
}

/// What the apiserver says, without what was given.
fn shortened(message: &str) -> String {
    let told = message.split_once(": ").map_or(message, |(_, rest)| rest);
    told.chars().take(160).collect()
}

fn resource(kind: &str) -> ApiResource {
    let (group, version) = if kind == "Secret" { ("", "v1") } else { ("proxmox-identity.dev", "v1alpha1") };
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let (group, version, kind) = (group.to_owned(), version.to_owned(), kind.to_owned());
    let plural = format!("{}s", kind.to_lowercase());
    ApiResource { group, version, api_version, kind, plural }
}
