//! What Argo CD makes of it.

use serde_json::{Value, json};

use crate::argocd::health::{shows, shows_as_going, shows_as_not_seen};
use crate::argocd::{Apply, Git};
use crate::kinds::bench::{Bench, flow};
use crate::kinds::table::{Choice, Need, Table, insert};

/// More lines of a connection whose objects may do nothing.
const NOTHING_IS_ALLOWED: &str = "  policy: {rules: [{namespaces: [nowhere]}]}\n";

pub async fn argo_cd_tells_its_health_in_every_state(table: Table) {
    let bench = Bench::alone(table).await;
    let with = |field, value: Value| {
        let mut spec = bench.table.spec(|_| Choice::One);
        insert(&mut spec, field, value);
        spec
    };
    let is = async |reason: &str, health: &str| {
        bench.reason(reason).await;
        shows(&bench.object().await, health).await;
    };
    bench.put(&bench.table.spec(|_| Choice::One)).await;
    shows_as_not_seen(&bench.object().await).await;
    bench.world.start_operator();
    is("ConnectionNotFound", "Progressing").await;
    bench.world.connect_with(&bench.world.pve.token(), NOTHING_IS_ALLOWED).await;
    is("PolicyDenied", "Degraded").await;
    bench.world.connect().await;
    is("Succeeded", "Healthy").await;
    bench.put(&with("suspend", json!(true))).await;
    is("Suspended", "Suspended").await;
    bench.put(&with("managementPolicy", json!("Observe"))).await;
    is("Observed", "Healthy").await;
    if let Some(Need { name, spec, reason, .. }) = bench.table.needs.first() {
        bench.world.object(bench.table.kind, name, &flow(spec)).await;
        bench.world.reason(bench.table.kind, name, reason).await;
        let waiting = bench.world.get_object(bench.table.kind, name).await.expect("the object");
        shows(&waiting, "Progressing").await;
    }
    bench.world.kill_operator();
    bench.put(&bench.table.spec(|_| Choice::Two)).await;
    shows_as_not_seen(&bench.object().await).await;
    bench.delete().await;
    shows_as_going(&bench.object().await).await;
}

pub async fn argo_cd_sees_no_difference_when_it_is_ready(table: Table) {
    let bench = Bench::new(table).await;
    let ways =
        [(Apply::ClientSide, Choice::One), (Apply::ServerSide, Choice::Empty), (Apply::ServerSide, Choice::Unset)];
    for (apply, choice) in ways {
        let mut spec = bench.table.spec(|field| choice.where_possible(field));
        insert(&mut spec, "connectionRef", json!({"name": "pve"}));
        let object = json!({
            "apiVersion": "proxmox-identity.dev/v1alpha1", "kind": bench.table.kind,
            "metadata": {"name": bench.table.name, "labels": {"team": "a"}, "annotations": {"note": "b"}}, "spec": spec,
        });
        Git::new(&bench.world, vec![object]).becomes_healthy(apply).await;
    }
}
