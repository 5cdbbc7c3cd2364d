//! Secrets and ConfigMaps.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret as SecretObject};
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};

use super::error::found;
use super::{Does, Kubernetes, KubernetesError};
use crate::api::FIELD_MANAGER;
use crate::api::refs::KeyRef;
use crate::permit::Permit;

impl Kubernetes {
    /// Reads a Secret; `None` when it does not exist.
    ///
    /// # Errors
    /// When the apiserver refuses or cannot be reached.
    pub async fn secret(&self, namespace: &str, name: &str) -> Result<Option<SecretObject>, KubernetesError> {
        let api = Api::<SecretObject>::namespaced(self.client.clone(), namespace);
        self.read(Does { verb: "GET", kind: "Secret", name }, async { found(api.get(name).await) }).await
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
        let name = secret.metadata.name.as_deref().unwrap_or_default();
        self.write(permit, Does { verb: "POST", kind: "Secret", name }, api.create(&params, secret)).await.map(drop)
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
        self.write(
            permit,
            Does { verb: "PATCH", kind: "Secret", name },
            api.patch(name, &params, &Patch::Merge(change)),
        )
        .await
        .map(drop)
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
        let map =
            self.read(Does { verb: "GET", kind: "ConfigMap", name }, async { found(api.get(name).await) }).await?;
        Ok(map.map(|map| map.data.unwrap_or_default()))
    }

    /// Reads a key of a ConfigMap, of its binaryData or its data; `None` when there is none.
    ///
    /// # Errors
    /// When the apiserver refuses or cannot be reached.
    pub async fn file(&self, namespace: &str, key: &KeyRef) -> Result<Option<Arc<[u8]>>, KubernetesError> {
        let api = Api::<ConfigMap>::namespaced(self.client.clone(), namespace);
        let does = Does { verb: "GET", kind: "ConfigMap", name: &key.name };
        let Some(map) = self.read(does, async { found(api.get(&key.name).await) }).await? else { return Ok(None) };
        let bytes = map.binary_data.and_then(|mut data| data.remove(&key.key)).map(|ByteString(bytes)| bytes);
        let text = || map.data.and_then(|mut data| data.remove(&key.key)).map(String::into_bytes);
        Ok(bytes.or_else(text).map(Arc::from))
    }
}
