//! Asking the apiserver whether it takes an object.

use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::Status;
use kube::{Api, Client, Error, Resource};
use serde_json::{Value, json};

use crate::support;

/// One kind in a namespace of its own.
pub struct Kind {
    pub api: Api<DynamicObject>,
    resource: ApiResource,
}

impl Kind {
    /// `K` in a new namespace.
    pub async fn of<K: Resource<DynamicType = ()>>() -> Self {
        let client = crate::client().await;
        let namespace = support::cluster::namespace(&client).await;
        Self::within::<K>(client, &namespace)
    }

    /// `K` in a namespace that is there.
    pub fn within<K: Resource<DynamicType = ()>>(client: Client, namespace: &str) -> Self {
        let resource = ApiResource::erase::<K>(&());
        let api = match resource.kind.as_str() {
            "ClusterProxmoxConnection" => Api::all_with(client, &resource),
            _ => Api::namespaced_with(client, namespace, &resource),
        };
        Self { api, resource }
    }

    fn object(&self, name: &str, spec: &Value) -> Value {
        json!({
            "apiVersion": self.resource.api_version, "kind": self.resource.kind,
            "metadata": {"name": name}, "spec": spec,
        })
    }

    async fn apply(&self, name: &str, spec: &Value, params: &PatchParams) -> Result<DynamicObject, Box<Status>> {
        match self.api.patch(name, params, &Patch::Apply(self.object(name, spec))).await {
            Ok(object) => Ok(object),
            Err(Error::Api(status)) => Err(status),
            Err(error) => panic!("no answer for {name} {spec}: {error}"),
        }
    }

    /// What the apiserver says to an object, or to the change of one; nothing is stored.
    pub async fn judge(&self, name: &str, spec: &Value) -> Result<DynamicObject, Box<Status>> {
        self.apply(name, spec, &PatchParams::apply("test").validation_strict().dry_run()).await
    }

    /// Stores an object.
    pub async fn store(&self, name: &str, spec: &Value) -> DynamicObject {
        let stored = self.apply(name, spec, &PatchParams::apply("test").validation_strict()).await;
        stored.unwrap_or_else(|status| panic!("{name} {spec} is refused: {}", status.message))
    }

    /// All of these are taken.
    pub async fn takes(&self, name: &str, specs: &[Value]) {
        for spec in specs {
            if let Err(status) = self.judge(name, spec).await {
                panic!("{name} {spec} is refused: {}", status.message);
            }
        }
    }

    /// Each of these is refused with words that contain the given ones.
    pub async fn refuses(&self, name: &str, cases: &[(Value, &str)]) {
        for (spec, words) in cases {
            match self.judge(name, spec).await {
                Ok(_) => panic!("{name} {spec} is taken, which should be refused with: {words}"),
                Err(status) => {
                    assert!(status.message.contains(words), "{name} {spec}:\n{}\nlacks: {words}", status.message);
                }
            }
        }
    }
}

/// A spec with a connection and these fields.
pub fn spec(fields: &Value) -> Value {
    let mut spec = json!({"connectionRef": {"name": "pve"}});
    for (name, value) in fields.as_object().expect("fields") {
        spec[name] = value.clone();
    }
    spec
}
