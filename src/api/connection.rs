//! The kind ProxmoxConnection.

use kube::core::Duration;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::connection_status::ConnectionStatus;
use crate::api::management::is_false;
use crate::api::policy::{ConnectionPolicy, UnreachableDeletion};
use crate::api::refs::{KeyRef, TokenSecretRef};
use crate::api::{rules, schema};

/// Which cluster, as whom, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "proxmox-identity.dev",
    version = "v1alpha1",
    kind = "ProxmoxConnection",
    plural = "proxmoxconnections",
    shortname = "pveconn",
    namespaced,
    status = "ConnectionStatus",
    derive = "PartialEq",
    doc = "One cluster of Proxmox VE and the credential for it, for objects of the same namespace."
)]
#[serde(rename_all = "camelCase")]
pub struct ProxmoxConnectionSpec {
    /// Which cluster, as whom, and how.
    #[serde(flatten)]
    pub connection: ConnectionSpec,
}

/// Which cluster, as whom, and how: what both kinds of connections say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionSpec {
    /// The nodes of one cluster, in order of preference, as `https://host:port`. The first that answers is used until it
    /// fails; then the next. Proxmox VE listens on port 8006;
    /// without a port it is 443.
    #[schemars(schema_with = "schema::endpoints")]
    pub endpoints: Vec<String>,
    /// As whom the operator works.
    pub auth: Auth,
    /// How the cluster proves that it is the right one. Unset: by an authority that the operator's system trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// The HTTP proxy to go through, as `http://host:port`. TLS to Proxmox VE goes through it end to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::proxy_url")]
    pub proxy_url: Option<String>,
    /// How long one request may take, by default 30s. Proxmox VE itself may wait 10s for its lock before it answers
    /// a write, so less than 15s cuts writes off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::request_timeout")]
    pub request_timeout: Option<Duration>,
    /// How often Proxmox VE is compared with the objects when nothing happens, by default 1m, at least 1s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::resync_interval")]
    pub resync_interval: Option<Duration>,
    /// Nothing is read or written in Proxmox VE while true, for this connection and all its objects.
    #[serde(default, skip_serializing_if = "is_false")]
    pub suspend: bool,
    /// What the objects of this connection may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<ConnectionPolicy>,
}

impl ConnectionSpec {
    /// How long one request may take.
    pub fn request_timeout(&self) -> std::time::Duration {
        self.request_timeout.map_or(std::time::Duration::from_secs(30), Into::into)
    }

    /// How often Proxmox VE is read when nothing happens.
    pub fn resync_interval(&self) -> std::time::Duration {
        self.resync_interval.map_or(std::time::Duration::from_mins(1), Into::into)
    }

    /// What happens to deleted objects while Proxmox VE cannot be reached.
    pub fn unreachable_deletion(&self) -> UnreachableDeletion {
        self.policy.as_ref().and_then(|policy| policy.unreachable_deletion).unwrap_or_default()
    }
}

/// As whom the operator works: exactly one of the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::exactly_one(&["token", "ticket"]))]
pub struct Auth {
    /// An API token: the usual way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenAuth>,
    /// A user and its password, for the few things that Proxmox VE refuses to tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<TicketAuth>,
}

/// An API token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenAuth {
    /// The Secret that holds the token, as `user@realm!tokenid=uuid`.
    pub secret_ref: TokenSecretRef,
}

/// A user and its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TicketAuth {
    /// The user, `name@realm`.
    #[schemars(schema_with = "schema::user_id")]
    pub user_name: String,
    /// The Secret that holds the password.
    pub password_secret_ref: KeyRef,
}

/// How the server proves that it is the right one, before any credential is sent. There is no way to skip it. At most
/// one of caBundle, caBundleRef and fingerprints; without any of them it is the authorities of the operator's system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::at_most_one(&["caBundle", "caBundleRef", "fingerprints"]))]
pub struct Tls {
    /// Certificates of the authorities to trust, in PEM form; that of Proxmox VE is on a node as
    /// `/etc/pve/pve-root-ca.pem`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::ca_bundle")]
    pub ca_bundle: Option<String>,
    /// Where the certificates of the authorities to trust are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle_ref: Option<CaBundleRef>,
    /// SHA-256 fingerprints of certificates, 32 pairs joined by `:` as Proxmox VE shows them for its nodes: the server's certificate must be
    /// one of these, and then its authority, name and dates do not matter. Give the next one beside the current one
    /// before a certificate is replaced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::fingerprints")]
    pub fingerprints: Vec<String>,
    /// The name that the certificate is for, where it is not the host of the endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::server_name")]
    pub server_name: Option<String>,
}

/// Where certificates are kept: exactly one of the fields. Secrets and ConfigMaps of a ProxmoxConnection are in its own
/// namespace, those of a ClusterProxmoxConnection in the namespace of the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::exactly_one(&["configMapKeyRef", "secretKeyRef"]))]
pub struct CaBundleRef {
    /// A key of a ConfigMap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_key_ref: Option<KeyRef>,
    /// A key of a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<KeyRef>,
}
