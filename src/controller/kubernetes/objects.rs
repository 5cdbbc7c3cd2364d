//! Objects of our kinds: their finalizers and statuses, and how they stand now.

use std::collections::HashMap;

use hyper::Request;
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams};
use kube::core::{DynamicObject, ObjectMeta, request};
use kube::discovery::ApiResource;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Does, Kubernetes, KubernetesError, Target};
use crate::api::{FIELD_MANAGER, FINALIZER};
use crate::permit::Permit;

/// Objects of one page of a list.
const PAGE: u32 = 500;

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

impl Kubernetes {
    /// Puts our finalizer on an object; answers with the resource version that has it.
    ///
    /// # Errors
    /// When it is gone, or the apiserver cannot be reached.
    pub async fn add_finalizer(&self, permit: &Permit, target: &Target) -> Result<u64, KubernetesError> {
        let written = self.apply(permit, target, json!({ "uid": target.uid, "finalizers": [FINALIZER] })).await?;
        Ok(number(written.metadata.resource_version.as_deref()))
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
        self.write(permit, target.does("PATCH"), self.api(target).patch(&target.name, &PatchParams::default(), &patch))
            .await
            .map(drop)
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
        let applied = || self.send(request.patch(&target.name, &params, &patch));
        self.write_again(permit, target.does("PATCH"), applied).await
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
        let written = self.write_again(permit, target.does("PATCH status of"), patched).await?;
        Ok(number(written.metadata.resource_version.as_deref()))
    }

    fn request(&self, target: &Target) -> request::Request {
        request::Request::new(self.api(target).resource_url())
    }

    fn api(&self, target: &Target) -> Api<DynamicObject> {
        self.api_of(&target.resource, target.namespace.as_deref())
    }

    fn api_of(&self, resource: &ApiResource, namespace: Option<&str>) -> Api<DynamicObject> {
        match namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, resource),
            None => Api::all_with(self.client.clone(), resource),
        }
    }

    /// The metadata of objects of a kind as they stand now, by their names: of all, or of one alone.
    ///
    /// # Errors
    /// When the apiserver refuses or cannot be reached.
    pub async fn standing(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        only: Option<&str>,
    ) -> Result<HashMap<String, ObjectMeta>, KubernetesError> {
        let does = Does { verb: "GET", kind: &resource.plural, name: only.unwrap_or_default() };
        let (api, mut standing) = (self.api_of(resource, namespace), HashMap::new());
        let mut params = ListParams::default().limit(PAGE);
        if let Some(name) = only {
            params = params.fields(&format!("metadata.name={name}"));
        }
        loop {
            let page = self.read(does, api.list_metadata(&params)).await?;
            standing.extend(
                page.items.into_iter().filter_map(|object| Some((object.metadata.name.clone()?, object.metadata))),
            );
            let Some(token) = page.metadata.continue_.filter(|token| !token.is_empty()) else {
                return Ok(standing);
            };
            params = params.continue_token(&token);
        }
    }
}

/// The resource version as a number: later ones of one object are greater.
pub fn resource_version(meta: &ObjectMeta) -> u64 {
    number(meta.resource_version.as_deref())
}

/// Whether our finalizer is on an object.
pub fn is_held(meta: &ObjectMeta) -> bool {
    meta.finalizers.iter().flatten().any(|finalizer| finalizer == FINALIZER)
}

fn number(version: Option<&str>) -> u64 {
    version.and_then(|version| version.parse().ok()).unwrap_or_default()
}
