//! From a connection's spec, its Secrets and ConfigMaps to the settings of a client.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::future::join_all;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret as SecretObject;
use url::Url;

use crate::api::connection::{Auth, CaBundleRef, ConnectionSpec, Tls};
use crate::api::refs::KeyRef;
use crate::api::status::SecretVersion;
use crate::api::{ISSUE, Reason};
use crate::controller::kubernetes::{Kubernetes, KubernetesError};
use crate::core::ids::UserId;
use crate::core::object::Refusal;
use crate::core::secret::Secret;
use crate::core::wants::SecretValue;
use crate::https::settings::{Fingerprint, SettingsError, TlsSettings};
use crate::pve::config::{self, Settings};

/// Reads what a connection refers to.
///
/// # Errors
/// What is missing or malformed, as the connection's status will say it.
pub async fn settings(kubernetes: &Kubernetes, namespace: &str, spec: &ConnectionSpec) -> Result<Settings, Refusal> {
    let auth = match &spec.auth {
        Auth { token: Some(token), ticket: None } => {
            let key = KeyRef { name: token.secret_ref.name.clone(), key: token.secret_ref.key().to_owned() };
            let text = secret(kubernetes, namespace, &key).await?;
            config::Auth::token(text.expose()).map_err(|error| {
                Refusal::new(Reason::InvalidSpec, format!("key {} of Secret {}: {error}", key.key, key.name))
            })?
        }
        Auth { token: None, ticket: Some(ticket) } => config::Auth::Ticket {
            user: UserId::parse(&ticket.user_name)?,
            password: secret(kubernetes, namespace, &ticket.password_secret_ref).await?,
        },
        Auth { .. } => return Err(Refusal::new(Reason::InvalidSpec, "auth is exactly one of token and ticket")),
    };
    let url = |text: &String| {
        Url::parse(text).map_err(|error| Refusal::new(Reason::InvalidSpec, format!("{text} is no URL: {error}")))
    };
    Ok(Settings {
        endpoints: spec.endpoints.iter().map(url).collect::<Result<_, _>>()?,
        auth,
        tls: tls(kubernetes, namespace, &spec.tls.clone().unwrap_or_default()).await?,
        proxy: spec.proxy_url.as_ref().map(|_| proxy(spec)).transpose()?,
        request_timeout: spec.request_timeout(),
        replica: None,
    })
}

/// Somebody may have put a password into it, so its text is not repeated.
fn proxy(spec: &ConnectionSpec) -> Result<Url, Refusal> {
    let text = spec.proxy_url.as_deref().unwrap_or_default();
    Url::parse(text).map_err(|error| Refusal::new(Reason::InvalidSpec, format!("proxyUrl is no URL: {error}")))
}

pub(super) async fn tls(kubernetes: &Kubernetes, namespace: &str, tls: &Tls) -> Result<TlsSettings, Refusal> {
    let Tls { ca_bundle, ca_bundle_ref, fingerprints, server_name } = tls;
    let ca_pem = match (ca_bundle, ca_bundle_ref) {
        (Some(pem), _) => Some(pem.clone()),
        (None, Some(CaBundleRef { secret_key_ref: Some(key), config_map_key_ref: None })) => {
            Some(secret(kubernetes, namespace, key).await?.expose().to_owned())
        }
        (None, Some(CaBundleRef { config_map_key_ref: Some(key), secret_key_ref: None })) => {
            let data = kubernetes
                .config_map(namespace, &key.name)
                .await
                .map_err(|error| unread("ConfigMap", &key.name, &error))?;
            let mut data = data.ok_or_else(|| absent("ConfigMap", namespace, key))?;
            let text = data.remove(&key.key).filter(|text| !text.trim().is_empty());
            Some(text.ok_or_else(|| missing("ConfigMap", namespace, key))?)
        }
        (None, Some(CaBundleRef { .. })) => {
            return Err(Refusal::new(
                Reason::InvalidSpec,
                "caBundleRef is exactly one of configMapKeyRef and secretKeyRef",
            ));
        }
        (None, None) => None,
    };
    let fingerprints = fingerprints.iter().map(|text| Fingerprint::parse(text)).collect::<Result<_, _>>()?;
    Ok(TlsSettings { ca_pem, fingerprints, server_name: server_name.clone() })
}

impl From<SettingsError> for Refusal {
    fn from(error: SettingsError) -> Self {
        Self::new(Reason::InvalidSpec, error.to_string())
    }
}

/// Reads keys of Secrets, each Secret once: what belongs together is of one version.
pub async fn secrets(
    kubernetes: &Kubernetes,
    namespace: &str,
    keys: BTreeSet<KeyRef>,
) -> HashMap<KeyRef, Result<SecretValue, Refusal>> {
    let mut by_secret: BTreeMap<String, Vec<KeyRef>> = BTreeMap::new();
    for key in keys {
        by_secret.entry(key.name.clone()).or_default().push(key);
    }
    let read = join_all(by_secret.into_iter().map(async |(name, keys)| {
        let secret = kubernetes.secret(namespace, &name).await;
        let values = keys.into_iter().map(|key| {
            let value = value(namespace, secret.as_ref().map(Option::as_ref), &key);
            (key, value)
        });
        values.collect::<Vec<_>>()
    }));
    read.await.into_iter().flatten().collect()
}

/// Reads a key of a Secret.
pub(super) async fn secret(kubernetes: &Kubernetes, namespace: &str, key: &KeyRef) -> Result<Secret, Refusal> {
    let secret = kubernetes.secret(namespace, &key.name).await;
    let SecretValue { value, version: _, issue: _ } = value(namespace, secret.as_ref().map(Option::as_ref), key)?;
    Ok(value)
}

/// The key of a Secret that was read.
fn value(
    namespace: &str,
    secret: Result<Option<&SecretObject>, &KubernetesError>,
    key: &KeyRef,
) -> Result<SecretValue, Refusal> {
    let secret = secret.map_err(|error| unread("Secret", &key.name, error))?;
    let secret = secret.ok_or_else(|| absent("Secret", namespace, key))?;
    let issue = secret.metadata.annotations.as_ref().and_then(|all| all.get(ISSUE)?.parse().ok());
    let version = SecretVersion {
        name: key.name.clone(),
        uid: secret.metadata.uid.clone().unwrap_or_default(),
        resource_version: secret.metadata.resource_version.clone().unwrap_or_default(),
    };
    let bytes = secret.data.as_ref().and_then(|data| data.get(&key.key));
    let ByteString(bytes) = bytes.ok_or_else(|| missing("Secret", namespace, key))?;
    let text = std::str::from_utf8(bytes).map_err(|_| {
        Refusal::new(Reason::SecretNotFound, format!("key {} of Secret {} is not text", key.key, key.name))
    })?;
    // Everybody makes Secrets with `echo` once: a newline at the end is never part of a credential.
    match text.trim_end_matches(['\n', '\r']) {
        "" => Err(missing("Secret", namespace, key)),
        text => Ok(SecretValue { value: Secret::new(text), version, issue }),
    }
}

fn absent(kind: &str, namespace: &str, key: &KeyRef) -> Refusal {
    let message =
        format!("{kind} {} does not exist in namespace {namespace}; create it, with the key {}", key.name, key.key);
    Refusal::new(Reason::SecretNotFound, message)
}

fn missing(kind: &str, namespace: &str, key: &KeyRef) -> Refusal {
    let message =
        format!("key {} of {kind} {} in namespace {namespace} is missing or empty; add it", key.key, key.name);
    Refusal::new(Reason::SecretNotFound, message)
}

pub(super) fn unread(kind: &str, name: &str, error: &KubernetesError) -> Refusal {
    tracing::warn!(kind, %name, %error, "could not be read");
    let message = match error {
        KubernetesError::Api(kube::Error::Api(status)) if status.code == 403 => {
            format!("the operator may not read {kind} {name} (RBAC); allow it to get it")
        }
        _ => format!("{kind} {name} could not be read from the apiserver; it is tried again"),
    };
    Refusal::new(Reason::SecretNotFound, message)
}
