//! The one place for calls to Kubernetes beside the watches.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret as SecretObject};
use kube::api::{Patch, PatchParams, PostParams};
use kube::core::{DynamicObject, ObjectMeta, Status, request};
use kube::discovery::ApiResource;
use kube::runtime::events::Event;
use kube::{Api, Client, Resource};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::api::refs::KeyRef;
use crate::api::{FIELD_MANAGER, FINALIZER};
use crate::controller::recorder::Recorders;
use crate::outward::Outward;
use crate::permit::{Lapsed, Permit};

/// How long one call may take: the client itself retries for minutes against a sick apiserver.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How often a write is sent that loses against others. The apiserver itself tries five times before it says so.
const ATTEMPTS: usize = 3;

/// An object to write to: its uid goes along, so that a namesake made since is never touched.
#[derive(Debug, Clone)]
pub struct Target {
    /// How Kubernetes calls its kind.
    pub resource: ApiResource,
    /// Its namespace, where its kind has one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

impl Target {
    /// The target of an object.
    pub fn new(resource: ApiResource, meta: &ObjectMeta) -> Self {
        Self {
            resource,
            namespace: meta.namespace.clone(),
            name: meta.name.clone().unwrap_or_default(),
            uid: meta.uid.clone().unwrap_or_default(),
        }
    }

    /// The target of an object of a kind known here.
    pub fn of<K: Resource<DynamicType = ()>>(object: &K) -> Self {
        Self::new(ApiResource::erase::<K>(&()), object.meta())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource, namespace, name, uid: _ } = self;
        match namespace {
            Some(namespace) => write!(f, "{} {namespace}/{name}", resource.kind),
            None => write!(f, "{} {name}", resource.kind),
        }
    }
}

/// Of the answer to a write, the part that counts: the rest of the object is read over and not kept.
#[derive(Deserialize)]
struct Written {
    metadata: WrittenMeta,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenMeta {
    resource_version: Option<String>,
    #[serde(default)]
    finalizers: Vec<String>,
}

/// As what we apply: what others have is overwritten where we say something of it.
fn apply_params() -> PatchParams {
    PatchParams::apply(FIELD_MANAGER).force()
}

/// Why a call did not work.
#[derive(Debug, thiserror::Error)]
pub enum KubernetesError {
    /// The apiserver or the way to it.
    #[error(transparent)]
    Api(#[from] kube::Error),
    /// No answer in time.
    #[error("the apiserver did not answer in time")]
    Timeout,
    /// This replica may not write any more; nothing was sent.
    #[error(transparent)]
    Lapsed(#[from] Lapsed),
}

impl KubernetesError {
    /// True when the object, or the one of this uid, is not there any more.
    pub fn is_gone(&self) -> bool {
        match self {
            Self::Api(kube::Error::Api(status)) => status.code == 404 || is_for_a_namesake(status),
            Self::Api(_) | Self::Timeout | Self::Lapsed(_) => false,
        }
    }

    /// True when others wrote to the object at the same time, again and again: to be tried once more.
    fn is_contended(&self) -> bool {
        matches!(self, Self::Api(kube::Error::Api(status)) if status.code == 409 && !is_for_a_namesake(status))
    }
}

/// True when the object of the name has another uid (422), or none is there and the write would make one (409, which a
/// write that lost against others gets too; only the words tell them apart).
fn is_for_a_namesake(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    match status.code {
        409 => status.message.contains("uid mismatch"),
        422 => causes.into_iter().any(|cause| cause.field == "metadata.uid"),
        _ => false,
    }
}

/// Calls to Kubernetes: reads, and writes that each need a permit.
#[derive(Clone)]
pub struct Kubernetes {
    client: Client,
    recorders: Recorders,
    outward: Arc<Outward>,
}

impl Kubernetes {
    /// Calls through a client.
    pub fn new(client: Client, outward: Arc<Outward>) -> Self {
        Self { recorders: Recorders::new(client.clone()), client, outward }
    }

    async fn write<T>(
        &self,
        permit: &Permit,
        call: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, KubernetesError> {
        let room = permit.begin(TIMEOUT).await?;
        let number = self.outward.before();
        let result = tokio::time::timeout(room.allowed(), room.hold(call)).await;
        self.outward.after(number);
        Ok(result.ok().flatten().ok_or(KubernetesError::Timeout)??)
    }

    /// The same, again when the write lost against others: what is applied depends on nothing that they wrote.
    async fn write_again<T, F: Future<Output = Result<T, kube::Error>>>(
        &self,
        permit: &Permit,
        call: impl Fn() -> F,
    ) -> Result<T, KubernetesError> {
        for _ in 1..ATTEMPTS {
            match self.write(permit, call()).await {
                Err(error) if error.is_contended() => {}
                result => return result,
            }
        }
        self.write(permit, call()).await
    }

    async fn read<T>(&self, call: impl Future<Output = Result<T, kube::Error>>) -> Result<T, KubernetesError> {
        let number = self.outward.before();
        let result = tokio::time::timeout(TIMEOUT, call).await;
        self.outward.after(number);
        Ok(result.map_err(|_| KubernetesError::Timeout)??)
    }

    /// Puts our finalizer on an object.
    ///
    /// # Errors
    /// When it is gone, or the apiserver cannot be reached.
    pub async fn add_finalizer(&self, permit: &Permit, target: &Target) -> Result<(), KubernetesError> {
        self.apply(permit, target, json!({ "uid": target.uid, "finalizers": [FINALIZER] })).await.map(drop)
    }

    /// Takes our finalizer, and only ours, off an object.
    ///
    /// # Errors
    /// When the apiserver cannot be reached; an object that is gone is no error.
    pub async fn remove_finalizer(&self, permit: &Permit, target: &Target) -> Result<(), KubernetesError> {
        let left = match self.apply(permit, target, json!({ "uid": target.uid, "finalizers": [] })).await {
            Err(error) if error.is_gone() => return Ok(()),
            result => result?,
        };
        let finalizers = left.metadata.finalizers;
        if !finalizers.iter().any(|name| name == FINALIZER) {
            return Ok(());
        }
        // Somebody else's manifest has it too, as after a restore from a backup: then it takes more than our share.
        let others: Vec<&String> = finalizers.iter().filter(|name| *name != FINALIZER).collect();
        let metadata =
            json!({ "uid": target.uid, "resourceVersion": left.metadata.resource_version, "finalizers": others });
        let patch = Patch::Merge(json!({ "metadata": metadata }));
        self.write(permit, self.api(target).patch(&target.name, &PatchParams::default(), &patch)).await.map(drop)
    }

    async fn apply(
        &self,
        permit: &Permit,
        target: &Target,
        metadata: serde_json::Value,
    ) -> Result<Written, KubernetesError> {
        let body = json!({
            "apiVersion": target.resource.api_version, "kind": target.resource.kind, "metadata": metadata,
        });
        let (request, params, patch) = (self.request(target), apply_params(), Patch::Apply(&body));
        self.write_again(permit, || self.send(request.patch(&target.name, &params, &patch))).await
    }

    /// Sends a write of which the answer is the whole object.
    async fn send(&self, request: Result<Request<Vec<u8>>, request::Error>) -> Result<Written, kube::Error> {
        self.client.request(request.map_err(kube::Error::BuildRequest)?).await
    }

    /// Writes a status whole; answers with the resource version.
    ///
    /// # Errors
    /// When the object is gone, or the apiserver cannot be reached.
    pub async fn write_status(
        &self,
        permit: &Permit,
        target: &Target,
        status: &impl Serialize,
    ) -> Result<u64, KubernetesError> {
        let body = json!({
            "apiVersion": target.resource.api_version,
            "kind": target.resource.kind,
            "metadata": { "uid": target.uid },
            "status": status,
        });
        let (request, params, patch) = (self.request(target), apply_params(), Patch::Apply(&body));
        let patched = || self.send(request.patch_subresource("status", &target.name, &params, &patch));
        let written = self.write_again(permit, patched).await?;
        Ok(number(written.metadata.resource_version.as_deref()))
    }

    fn request(&self, target: &Target) -> request::Request {
        request::Request::new(self.api(target).resource_url())
    }

    fn api(&self, target: &Target) -> Api<DynamicObject> {
        match &target.namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &target.resource),
            None => Api::all_with(self.client.clone(), &target.resource),
        }
    }

    /// Reads a Secret; `None` when it does not exist.
    ///
    /// # Errors
    /// When the apiserver refuses or cannot be reached.
    pub async fn secret(&self, namespace: &str, name: &str) -> Result<Option<SecretObject>, KubernetesError> {
        let api = Api::<SecretObject>::namespaced(self.client.clone(), namespace);
        self.read(api.get_opt(name)).await
    }

    /// Makes a Secret.
    ///
    /// # Errors
    /// When one of the name stands there, or the apiserver refuses or cannot be reached.
    pub async fn create_secret(
        &self,
        permit: &Permit,
        namespace: &str,
        secret: &SecretObject,
    ) -> Result<(), KubernetesError> {
        let api = Api::<SecretObject>::namespaced(self.client.clone(), namespace);
        let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        self.write(permit, api.create(&params, secret)).await.map(drop)
    }

    /// Changes a Secret by a merge patch.
    ///
    /// # Errors
    /// When it is not the one that the patch is for, or the apiserver refuses or cannot be reached.
    pub async fn patch_secret(
        &self,
        permit: &Permit,
        namespace: &str,
        name: &str,
        change: &serde_json::Value,
    ) -> Result<(), KubernetesError> {
        let api = Api::<SecretObject>::namespaced(self.client.clone(), namespace);
        let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        self.write(permit, api.patch(name, &params, &Patch::Merge(change))).await.map(drop)
    }

    /// Reads the data of a ConfigMap; `None` when it does not exist.
    ///
    /// # Errors
    /// When the apiserver refuses or cannot be reached.
    pub async fn config_map(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<BTreeMap<String, String>>, KubernetesError> {
        let api = Api::<ConfigMap>::namespaced(self.client.clone(), namespace);
        Ok(self.read(api.get_opt(name)).await?.map(|map| map.data.unwrap_or_default()))
    }

    /// Reads a key of a ConfigMap, of its binaryData or its data; `None` when there is none.
    ///
    /// # Errors
    /// When the apiserver refuses or cannot be reached.
    pub async fn file(&self, namespace: &str, key: &KeyRef) -> Result<Option<Arc<[u8]>>, KubernetesError> {
        let api = Api::<ConfigMap>::namespaced(self.client.clone(), namespace);
        let Some(map) = self.read(api.get_opt(&key.name)).await? else { return Ok(None) };
        let bytes = map.binary_data.and_then(|mut data| data.remove(&key.key)).map(|ByteString(bytes)| bytes);
        let text = || map.data.and_then(|mut data| data.remove(&key.key)).map(String::into_bytes);
        Ok(bytes.or_else(text).map(Arc::from))
    }

    /// Tells of something as an Event of an object. An Event that cannot be written is logged and not missed.
    pub async fn publish(&self, permit: &Permit, target: &Target, event: &Event) {
        let reference = k8s_openapi::api::core::v1::ObjectReference {
            api_version: Some(target.resource.api_version.clone()),
            kind: Some(target.resource.kind.clone()),
            namespace: target.namespace.clone(),
            name: Some(target.name.clone()),
            uid: Some(target.uid.clone()),
            ..Default::default()
        };
        if let Err(error) = self.write(permit, self.recorders.publish(event, &reference)).await {
            tracing::debug!(%error, "an Event could not be written");
        }
    }
}

/// The resource version as a number: later ones of one object are greater.
pub fn resource_version(meta: &ObjectMeta) -> u64 {
    number(meta.resource_version.as_deref())
}

fn number(version: Option<&str>) -> u64 {
    version.and_then(|version| version.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
