//! Pocket ID and Kubernetes as far as the plan needs them: what requests do, and what is stored between passes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::*;
use super::fixtures::*;
use crate::api::status::SecretState;
use crate::core::pocket_id::ids::{GroupId, SecretId};
use crate::core::pocket_id::snapshot::{Client, Group};
use crate::core::token::Kept;

/// So many passes are enough for anything.
const PASSES: usize = 12;

/// Pocket ID with what its secrets were numbered by.
pub struct Model {
    pub snapshot: Snapshot,
    issued: usize,
}

impl Model {
    pub fn new(snapshot: Snapshot) -> Self {
        Self { snapshot, issued: 0 }
    }

    /// Makes passes until nothing is left to do; says all that was written.
    pub fn settle(&mut self, objects: &mut Vec<Object>) -> Vec<Write> {
        let mut written = Vec::new();
        for _ in 0..PASSES {
            let before = objects.clone();
            let plan = planned(objects, &self.snapshot);
            store(objects, &plan);
            for step in &plan.steps {
                self.apply(step, objects);
                written.push(step.write.clone());
            }
            self.recognize(objects);
            objects.retain(|object| object.mode != Mode::Deleting || !object.ledger.is_empty());
            let ledgers = |objects: &[Object]| objects.iter().map(|it| it.ledger.clone()).collect::<Vec<_>>();
            if plan.steps.is_empty() && ledgers(&before) == ledgers(objects) {
                return written;
            }
        }
        panic!("it does not come to rest: {written:#?}");
    }

    /// What a group that is an object's is called by Pocket ID is stored too.
    fn recognize(&self, objects: &mut [Object]) {
        for object in objects {
            let name = object.ledger.keys().find_map(|claim| match claim {
                Claim::Group(name) => Some(name),
                Claim::Member { .. } | Claim::Client(_) | Claim::Logo(_) => None,
            });
            let stands = object.known.as_ref().is_some_and(|id| self.snapshot.groups.contains_key(id));
            if let Some((id, _)) = name.filter(|_| !stands).and_then(|name| self.snapshot.group_named(name)) {
                object.known = Some(id.clone());
            }
        }
    }

    /// Carries out one step as Pocket ID does, and delivers the secret that it shows.
    pub fn apply(&mut self, step: &Step, objects: &mut [Object]) {
        let Snapshot { version: _, groups, users, clients } = &mut self.snapshot;
        match &step.write {
            Write::CreateGroup { name, friendly_name } => {
                assert!(!groups.values().any(|group| group.name == *name), "{name} is in use");
                let id = GroupId::observed(&format!("id-of-{name}"));
                let group = Group { name: name.clone(), friendly_name: friendly_name.clone(), ..plain() };
                groups.insert(id, group);
            }
            Write::UpdateGroup { group, name, friendly_name } => {
                let taken = groups.iter().any(|(id, other)| id != group && other.name == *name);
                assert!(!taken, "{name} is in use");
                let group = groups.get_mut(group).expect("a group");
                (group.name, group.friendly_name) = (name.clone(), friendly_name.clone());
            }
            Write::SetClaims { group, claims } => {
                groups.get_mut(group).expect("a group").claims.clone_from(claims);
            }
            Write::SetMembers { group, users: members } => {
                for (id, user) in users.iter_mut().flatten() {
                    if members.contains(id) {
                        user.groups.insert(group.clone())
                    } else {
                        user.groups.remove(group)
                    };
                }
            }
            Write::DeleteGroup(group) => {
                groups.remove(group).expect("a group");
                for user in users.iter_mut().flat_map(|users| users.values_mut()) {
                    user.groups.remove(group);
                }
                for allowed in clients.values_mut().flat_map(|client| &mut client.allowed) {
                    allowed.remove(group);
                }
            }
            Write::CreateClient { client, fields } => {
                let mut fields = fields.clone();
                fields.insert("id".to_owned(), json!(client.as_str()));
                let made = Client { fields, allowed: Some(BTreeSet::new()), secrets: Some(BTreeSet::new()) };
                assert!(clients.insert(client.clone(), made).is_none(), "{client} is in use");
            }
            Write::SetLogo { client, file: _ } => {
                let client = clients.get_mut(client).expect("a client");
                client.fields.insert("hasLogo".to_owned(), json!(true));
            }
            Write::UpdateClient { client, fields } => {
                let standing = clients.get_mut(client).expect("a client");
                standing.fields.clone_from(fields);
                standing.fields.insert("id".to_owned(), json!(client.as_str()));
                if fields.get("isGroupRestricted") != Some(&Value::Bool(true)) {
                    standing.allowed = Some(BTreeSet::new());
                }
            }
            Write::AllowGroups { client, groups: allowed } => {
                let known = allowed.iter().filter(|id| groups.contains_key(*id)).cloned().collect();
                clients.get_mut(client).expect("a client").allowed = Some(known);
            }
            Write::DeleteClient(client) => {
                clients.remove(client);
            }
            Write::RetireSecret { client, secret } => {
                let secrets = clients.get_mut(client).and_then(|client| client.secrets.as_mut());
                assert!(secrets.is_some_and(|secrets| secrets.remove(secret)), "there is no {secret}");
            }
            Write::IssueSecret(client) => {
                self.issued += 1;
                let id = SecretId::observed(&format!("secret-{}", self.issued));
                let secrets = clients.get_mut(client).and_then(|client| client.secrets.as_mut());
                secrets.expect("a client").insert(id.clone());
                deliver(&mut objects[step.owner], step.issue.expect("a number"), id);
            }
        }
    }
}

/// Stores what a plan says before its steps are taken; ledgers keep what is given up.
pub fn store(objects: &mut [Object], plan: &Plan) {
    for (index, object) in objects.iter_mut().enumerate() {
        let has_steps = plan.steps.iter().any(|step| step.owner == index);
        let mut ledger = plan.verdicts[index].ledger.clone();
        for (claim, entry) in object.ledger.iter().filter(|_| has_steps) {
            ledger.entry(claim.clone()).or_insert(*entry);
        }
        object.ledger = ledger;
        if let (Some(secret), Some(secrecy)) = (&mut object.secret, &plan.secrets[index]) {
            secret.token.issued = Some(secrecy.issued.clone());
            secret.others.clone_from(&secrecy.others);
            secret.retiring = secrecy.retiring;
        }
    }
}

/// A secret arrives in Kubernetes, and all realms take it.
pub fn deliver(object: &mut Object, issue: i64, id: SecretId) {
    let secret = object.secret.as_mut().expect("a client");
    assert_eq!(secret.token.issued.as_ref().map(|it| (it.issue, it.state)), Some((issue, SecretState::Pending)));
    secret.token.kept = Kept::Ours { issue, holds: true };
    secret.current = Some(id);
    secret.realms_have_it = Some(true);
}

fn plain() -> Group {
    Group { name: String::new(), friendly_name: String::new(), claims: [].into(), from_directory: false }
}
