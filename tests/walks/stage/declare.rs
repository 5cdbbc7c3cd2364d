//! Objects are declared and deleted, and the connection is changed.

use std::collections::BTreeSet;

use futures::future::join_all;
use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::judge::Divergence;
use crate::meaning::{self, Around, Meaning, Specs};
use crate::schema::{SPECS, immutable};
use crate::script::Operation;
use crate::stage::{Key, Stage};

impl Stage {
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

    pub(super) fn answered(&mut self, operation: &Operation, answer: Result<Value, String>) -> Result<(), Divergence> {
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
    pub(super) fn mean(&mut self, key: &Key) {
        let mut keys = self.referring(&BTreeSet::from([key.clone()]));
        // A reference to a token or user may lead on to another object.
        keys.extend(self.referring(&keys));
        keys.insert(key.clone());
        for key in keys {
            let Some(spec) = self.specs.get(&key).cloned() else { continue };
            let meaning = meaning::of(&key.0, &key.1, &spec, &self.around(&self.specs));
            let lately = self.lately.entry(key.clone()).or_default();
            match lately.last_mut() {
                // What it refers to is read no further than to what is missing.
                Some((last, refers)) if *last == spec => refers.extend(meaning.refers),
                _ => lately.push((spec, meaning.refers)),
            }
            for (spec, meaning) in self.possible(&key) {
                self.claim(&key, &spec, &meaning);
            }
        }
    }

    /// Those that have referred to any of these since the last rest.
    fn referring(&self, keys: &BTreeSet<Key>) -> BTreeSet<Key> {
        let refers = |lately: &[(Value, BTreeSet<Key>)]| lately.iter().any(|(_, refers)| !refers.is_disjoint(keys));
        self.lately.iter().filter(|(_, lately)| refers(lately)).map(|(key, _)| key.clone()).collect()
    }

    /// What an object may have said since the last rest to who sees it, or one that it refers to, late: they are declared
    /// side by side, and Kubernetes shows each kind by itself.
    fn possible(&self, key: &Key) -> Vec<(Value, Meaning)> {
        let lately = |key: &Key| self.lately.get(key).into_iter().flatten();
        let mean = |spec: &Value, specs: &Specs| (spec.clone(), meaning::of(&key.0, &key.1, spec, &self.around(specs)));
        let mut possible: Vec<(Value, Meaning)> = lately(key).map(|(spec, _)| mean(spec, &self.specs)).collect();
        for other in lately(key).flat_map(|(_, refers)| refers).collect::<BTreeSet<_>>() {
            for (earlier, _) in lately(other).filter(|(spec, _)| self.specs.get(other) != Some(spec)) {
                let mut specs = self.specs.clone();
                specs.insert(other.clone(), earlier.clone());
                possible.extend(lately(key).map(|(spec, _)| mean(spec, &specs)));
            }
        }
        possible
    }

    fn claim(&mut self, key: &Key, spec: &Value, meaning: &Meaning) {
        if spec["managementPolicy"] == "Observe" {
            return;
        }
        self.ever.extend(meaning.claims.keys().cloned());
        self.history.entry(key.clone()).or_default().extend(meaning.claims.keys().cloned());
        self.ever_exact.extend(meaning.exact.iter().cloned());
        if spec["allowMove"] == true {
            // It may take a guest from the pool that it is in.
            let guests = meaning.claims.keys().filter_map(|claim| claim.split_once(" guest:"));
            self.ever.extend(guests.map(|(_, guest)| format!("guest {guest}")));
        }
    }

    pub(super) fn around<'a>(&'a self, specs: &'a Specs) -> Around<'a> {
        let (endpoint, issuer) = &self.addresses;
        Around { specs, secrets: &self.secrets, endpoint, issuer }
    }

    pub(super) async fn delete(&mut self, kind: &str, name: &str) {
        let key = (kind.to_owned(), name.to_owned());
        let _ = self.api(kind).delete(name, &DeleteParams::default()).await;
        self.note_left(&key);
        self.doomed.insert(key);
    }

    /// What a deleted object may leave behind.
    pub(super) fn note_left(&mut self, key: &Key) {
        let Some(spec) = self.specs.get(key) else { return };
        if spec["deletionPolicy"] == "Orphan" || spec["managementPolicy"] == "Observe" {
            self.left.extend(self.history.get(key).into_iter().flatten().cloned());
        }
    }

    pub(super) async fn connect(&mut self, fields: &Value) -> Result<(), Divergence> {
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
