//! CRDs of another release than the operator's: they are upgraded and rolled back one after the other.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use kube::api::{Patch, PatchParams};
use proxmox_identity::api::crd;
use serde_json::{Value, json};

use super::restart::{OBJECTS, all_ready, stands, world};
use crate::support::cluster;
use crate::world::World;

/// What changes the fields of a part of all kinds.
type Change = fn(&str, &mut BTreeMap<String, JSONSchemaProps>);

/// With fields that this release does not know, one of them with a default.
fn newer(part: &str, fields: &mut BTreeMap<String, JSONSchemaProps>) {
    let mut add = |name: &str, schema: Value| {
        fields.insert(name.to_owned(), serde_json::from_value(schema).expect("a schema"));
    };
    add("unheard", json!({"type": "string"}));
    if part == "spec" {
        add("unheardBefore", json!({"type": "string", "default": "so"}));
    }
}

/// Without fields that this release writes.
fn older(part: &str, fields: &mut BTreeMap<String, JSONSchemaProps>) {
    if part == "status" {
        for name in ["lastChange", "pendingChanges", "lastHandledReconcileAt"] {
            fields.remove(name);
        }
    }
}

/// Installs all CRDs with other fields in spec and status.
async fn install(world: &World, change: Change) {
    let mut crds = crd::all();
    for version in crds.iter_mut().flat_map(|crd| &mut crd.spec.versions) {
        let schema = version.schema.as_mut().and_then(|it| it.open_api_v3_schema.as_mut()).expect("a schema");
        for part in ["spec", "status"] {
            let fields = schema.properties.as_mut().and_then(|it| it.get_mut(part)).expect("a part");
            change(part, fields.properties.as_mut().expect("fields"));
        }
    }
    cluster::install(&world.client, crds).await;
}

/// What each object says of itself: its spec, and what it owns.
async fn said(world: &World) -> Vec<Value> {
    let mut said = Vec::new();
    for (kind, name, _) in OBJECTS {
        let object = world.get_object(kind, name).await.expect("an object");
        let mut spec = object["spec"].clone();
        spec.as_object_mut().expect("a spec").retain(|field, _| !field.starts_with("unheard"));
        let (metadata, status) = (&object["metadata"], &object["status"]);
        said.push(json!([
            kind,
            name,
            metadata["uid"],
            metadata["finalizers"],
            spec,
            status["ledger"],
            status["externalId"]
        ]));
    }
    said
}

#[tokio::test]
async fn crds_of_a_newer_release_or_an_older_one_lose_nothing_and_cost_no_write() {
    let (_, world, proxy) = world().await;
    let (before, writes, saying) = (stands(&world).await, world.pve_writes(), said(&world).await);
    let releases: [(&str, Change); 4] =
        [("newer", newer), ("this one", |_, _| {}), ("older", older), ("this one again", |_, _| {})];
    for (release, change) in releases {
        install(&world, change).await;
        // Once as it runs, and once as it starts.
        for starts in [false, true] {
            if starts {
                world.start_operator_with(&[&proxy.variable()], &[]);
            }
            if release == "newer" {
                let patch = Patch::Merge(json!({"spec": {"unheard": if starts { "later" } else { "first" }}}));
                world.api("ProxmoxGroup").patch("team", &PatchParams::default(), &patch).await.expect("patched");
            }
            world.passes(2).await;
            all_ready(&world).await;
            let now = (stands(&world).await, world.pve_writes(), said(&world).await);
            assert_eq!(now, (before.clone(), writes, saying.clone()), "CRDs of the {release} release");
        }
        if release == "newer" {
            let group = world.get_object("ProxmoxGroup", "team").await.expect("a group");
            assert_eq!(group["spec"]["unheard"], "later", "what the operator does not know is left as it is");
        }
    }
}
