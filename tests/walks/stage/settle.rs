//! What stands once a world has come to rest.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kube::api::{DeleteParams, ListParams};
use serde_json::{Value, json};

use crate::judge::{Divergence, Rest, is_of_connection, judge};
use crate::meaning::sets_of;
use crate::names::connection_of;
use crate::script::Operation;
use crate::seen::Seen;
use crate::shown::{Shown, parts};
use crate::stage::{CONNECTIONS, Stage, shown};
use crate::{clients, log, tokens};

impl Stage {
    /// Comes to rest and judges. What is wrong must stay so: a claim that failed may be waiting for its next attempt.
    pub(super) async fn settle(&mut self) -> Result<(), Divergence> {
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
        let shown = shown(&self.pve, &self.pocket).await;
        let present: BTreeMap<(String, String), Value> =
            objects.iter().map(|seen| (seen.key(), seen.spec().clone())).collect();
        for seen in &objects {
            if log::has_canary(&self.namespace, &seen.object["status"].to_string()) {
                return Err(Divergence::new(format!("{}: a secret in its status", seen.kind), seen.object.to_string()));
            }
        }
        let around = self.around(&present);
        let secrets = self.api("Secret").list(&ListParams::default()).await.expect("Secrets").items.into_iter();
        let secrets = secrets.map(|secret| {
            (secret.metadata.name.clone().unwrap_or_default(), serde_json::to_value(secret).expect("JSON"))
        });
        let (secrets, connection) = (secrets.collect(), &self.connection);
        let found = judge(&Rest { objects: &objects, shown: &shown, around, secrets: &secrets, connection });
        let mut found = found.or_else(|| self.bystanders(&shown));
        if found.is_none() {
            found = self.secrets_of(&objects, &shown).await.err();
        }
        if found.is_none() {
            self.tally.rests += 1;
            for seen in &objects {
                *self.tally.reasons.entry((seen.kind.clone(), seen.reason().to_owned())).or_default() += 1;
            }
            self.specs = present;
            self.lately.retain(|key, lately| {
                lately.drain(..lately.len() - 1);
                self.specs.contains_key(key)
            });
            self.last = shown;
            self.edited.clear();
            self.removed.clear();
            self.doomed = objects.iter().filter(|seen| seen.is_deleted()).map(Seen::key).collect();
        }
        Ok(found)
    }

    /// Judges what is delivered.
    async fn secrets_of(&self, objects: &[Seen], shown: &Shown) -> Result<(), Divergence> {
        let secrets = self.api("Secret");
        tokens::judge(objects, &secrets, &self.pve, shown, &self.made_by_hand).await?;
        clients::judge(objects, &secrets, &self.pocket, &self.made_by_hand).await
    }

    /// What nobody ever claimed and nobody has edited is as it was.
    fn bystanders(&self, shown: &Shown) -> Option<Divergence> {
        let concerned = |claim: &String| {
            let in_exact = sets_of(claim).iter().any(|set| self.ever_exact.contains(set));
            let is_about = |part: &String| self.edited.contains(part) || self.removed.contains(part);
            // Whoever has a say in a group or user has none in who else is in it.
            let has_a_say = match claim.split_once(' ') {
                Some(("member" | "id-member", _)) => self.ever.contains(claim),
                // A guest is taken from another pool.
                Some(("pool-member", _)) => {
                    let item = claim.rsplit(' ').next().unwrap_or_default();
                    self.ever.iter().any(|it| it.starts_with("pool-member ") && it.ends_with(&format!(" {item}")))
                }
                _ => parts(claim).iter().any(|part| self.ever.contains(part)),
            };
            in_exact || has_a_say || parts(claim).iter().any(is_about)
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
        let shown = shown(&self.pve, &self.pocket).await;
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
}
