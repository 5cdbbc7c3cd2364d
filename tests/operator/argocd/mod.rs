//! What Argo CD makes of the operator's objects, by Argo CD's own code.

mod examples;
pub mod health;
pub mod reading;
mod waves;

use kube::api::DynamicObject;
use proxmox_identity::api::{FIELD_MANAGER, GROUP};
use serde_json::{Value, json};

use crate::argocd_program::{application, ask, config_map};
use crate::support::control_plane;
use crate::world::World;

/// How an Application applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apply {
    /// With the option `ServerSideApply`, as the example does.
    ServerSide,
    /// As Argo CD does by itself.
    ClientSide,
}

/// The example's Application in a world, with objects in Git.
pub struct Git<'a> {
    world: &'a World,
    pub config_map: Value,
    pub application: Value,
    project: Value,
    pub objects: Vec<Value>,
}

impl<'a> Git<'a> {
    pub fn new(world: &'a World, objects: Vec<Value>) -> Self {
        let (application, project) = application("applications/configuration.yaml", &world.namespace);
        Self { world, config_map: config_map(), application, project, objects }
    }

    fn question(&self, apply: Apply) -> Value {
        let mut application = self.application.clone();
        if apply == Apply::ClientSide {
            let options = application["spec"]["syncPolicy"]["syncOptions"].as_array_mut().expect("options");
            options.retain(|option| option != "ServerSideApply=true");
        }
        json!({
            "configMap": self.config_map, "application": application, "project": self.project, "objects": self.objects,
        })
    }

    /// Syncs until that ends, or nothing has happened for so many seconds.
    pub async fn sync(&self, apply: Apply, seconds: u64, healthy: bool) -> Value {
        let mut question = self.question(apply);
        question["prune"] = true.into();
        question["healthy"] = healthy.into();
        question["seconds"] = seconds.into();
        ask(Some(control_plane().await), "sync", &question).await
    }

    /// Syncs until all is healthy, and then nothing differs.
    pub async fn becomes_healthy(&self, apply: Apply) -> Value {
        let said = self.sync(apply, 120, true).await;
        assert_eq!(said["phase"], "Succeeded", "{said:#}");
        let health = said["health"].as_object().expect("a map");
        assert!(health.len() == self.objects.len() && health.values().all(|it| it == "Healthy"), "{said:#}");
        self.nothing_differs(apply, &said["comparison"]).await;
        said
    }

    /// Argo CD sees no difference in any of the ways to compare; and the operator owns nothing but finalizers and status.
    async fn nothing_differs(&self, apply: Apply, comparison: &Value) {
        let ways = match apply {
            Apply::ServerSide => ["structured-merge", "server-side"],
            Apply::ClientSide => ["three-way", "server-side"],
        };
        let none: [Value; 0] = [];
        let expected = json!({"ways": ways, "objects": self.objects.len(), "different": none});
        assert_eq!(*comparison, expected, "{comparison:#}");
        for object in &self.objects {
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
            let live = self.world.get_object(&kind, &name).await.expect("the object");
            let mut fields = operators_fields(&live);
            fields.retain(|field| field != "f:status");
            let finalizers = ["f:metadata", "f:metadata.f:finalizers"];
            assert!(fields.iter().all(|field| finalizers.contains(&field.as_str())), "{kind} {name}: {fields:?}");
        }
    }
}

/// What of an object the operator owns, down to two levels.
fn operators_fields(object: &Value) -> Vec<String> {
    let entries = object["metadata"]["managedFields"].as_array().expect("managed fields").iter();
    let mut fields = Vec::new();
    for entry in entries.filter(|entry| entry["manager"] == FIELD_MANAGER) {
        for (name, below) in entry["fieldsV1"].as_object().expect("fields") {
            fields.push(name.clone());
            if name != "f:status" {
                fields.extend(below.as_object().expect("fields").keys().map(|key| format!("{name}.{key}")));
            }
        }
    }
    assert!(fields.iter().any(|field| field == "f:status"), "the operator wrote a status: {object:#}");
    fields
}

/// Those of some objects that are ours.
pub fn ours<'a>(objects: impl IntoIterator<Item = &'a DynamicObject>) -> Vec<Value> {
    let objects = objects.into_iter().map(|object| serde_json::to_value(object).expect("JSON"));
    objects.filter(|object| object["apiVersion"].as_str().is_some_and(|it| it.starts_with(GROUP))).collect()
}
