//! What a world has in Kubernetes.

use futures::future::join_all;
use kube::Api;
use kube::api::{DynamicObject, ListParams, Patch, PatchParams};
use kube::discovery::ApiResource;
use serde_json::{Value, json};

use crate::seen::Seen;
use crate::stage::{KINDS, Stage};

impl Stage {
    pub(super) async fn put(&self, kind: &str, name: &str, mut object: Value) -> Result<Value, String> {
        let resource = resource(kind);
        object["apiVersion"] = json!(resource.api_version);
        object["kind"] = json!(kind);
        object["metadata"] = json!({"name": name});
        let params = PatchParams::apply("walk").force().validation_strict();
        match self.api(kind).patch(name, &params, &Patch::Apply(&object)).await {
            Ok(object) => Ok(serde_json::to_value(object).expect("JSON")),
            Err(kube::Error::Api(status)) if is_refusal(status.code, &status.message) => Err(status.message.clone()),
            Err(error) => panic!("no answer for {kind} {name}: {error}"),
        }
    }

    pub(super) fn api(&self, kind: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource(kind))
    }

    /// All objects, as they are now.
    pub(super) async fn objects(&self) -> Vec<Seen> {
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

    pub(super) async fn merge(&self, seen: &Seen, patch: Value) {
        let patched = self.api(&seen.kind).patch(&seen.name, &PatchParams::default(), &Patch::Merge(patch)).await;
        if let Err(error) = patched {
            assert!(matches!(&error, kube::Error::Api(status) if status.code == 404), "{error}");
        }
    }
}

/// Whether kube-apiserver says that an object is wrong. A wrong type in what is applied it calls a failure of its own.
fn is_refusal(code: u16, message: &str) -> bool {
    matches!(code, 400 | 409 | 422) || (code == 500 && message.starts_with("failed to create typed patch object"))
}

fn resource(kind: &str) -> ApiResource {
    let (group, version) = if kind == "Secret" { ("", "v1") } else { ("proxmox-identity.dev", "v1alpha1") };
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let (group, version, kind) = (group.to_owned(), version.to_owned(), kind.to_owned());
    let plural = format!("{}s", kind.to_lowercase());
    ApiResource { group, version, api_version, kind, plural }
}
