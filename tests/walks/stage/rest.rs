//! Waits until nothing changes any more.

use std::time::{Duration, Instant};

use futures::future::try_join_all;
use kube::api::{Patch, PatchParams};
use proxmox_identity::api::RECONCILE_REQUESTED_AT;
use serde_json::json;

use crate::judge::Divergence;
use crate::meaning::sets_of;
use crate::names::connection_of;
use crate::seen::Seen;
use crate::stage::{CONNECTIONS, Stage};

/// How long anything may take before a walk gives up; nothing measures time by it.
const PATIENCE: Duration = Duration::from_mins(2);

/// So many looks at most until nothing changes any more.
const LOOKS: usize = 60;

impl Stage {
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
    pub(super) async fn rest(&mut self) -> Result<Vec<Seen>, Divergence> {
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
    fn written_by_operator(&mut self) -> Result<Vec<String>, Divergence> {
        let requests = [self.pve.simulator.requests(), self.pocket.simulator.requests()];
        self.pve.simulator.clear_requests();
        self.pocket.simulator.clear_requests();
        let mut written = Vec::new();
        for write in requests.into_iter().flat_map(|requests| requests.writes) {
            let asks_only = write.path == "/access/openid/auth-url";
            let took_effect = (200..300).contains(&write.status);
            if asks_only || !took_effect || !write.agent.starts_with("proxmox-identity") {
                continue;
            }
            let form = serde_json::to_value(&write.form).expect("JSON");
            let touched = self.touched(&write.method, &write.path, &form);
            let told = format!("{} {} {form}", write.method, write.path);
            if let Some(claim) = touched.iter().find(|it| !self.is_claimed(it)) {
                let noun = claim.split(' ').next().unwrap_or_default().to_owned();
                return Err(Divergence::new(
                    format!("a {noun} is written that nobody claims"),
                    format!("{claim}: {told}"),
                ));
            }
            if write.method == "DELETE" {
                self.removed.extend(touched);
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
}
