//! Connections of both kinds as one type, and who may use them.

use std::fmt;

use kube::core::{ObjectMeta, Selector, SelectorExt};

use crate::api::cluster_connection::{AllowedNamespaces, ClusterProxmoxConnectionSpec};
use crate::api::connection::{ConnectionSpec, ProxmoxConnectionSpec};
use crate::api::connection_status::ConnectionStatus;
use crate::api::object::System;
use crate::api::refs::{ConnectionKind, ConnectionRef};
use crate::api::{ClusterProxmoxConnection, ProxmoxConnection};
use crate::controller::kubernetes::Target;
use crate::core::object::Admission;

/// Names a connection, also one that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionKey {
    /// The system that it leads to.
    pub system: System,
    /// Its namespace, also that of its objects; a ClusterProxmoxConnection has none.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl ConnectionKey {
    /// The connection that an object in a namespace refers to, for things in this system.
    pub fn referred(system: System, reference: &ConnectionRef, namespace: &str) -> Self {
        let kind = match system {
            System::ProxmoxVe => reference.kind(),
            System::PocketId => return Self::pocket_id(namespace, &reference.name),
        };
        let namespace = match kind {
            ConnectionKind::ProxmoxConnection => Some(namespace.to_owned()),
            ConnectionKind::ClusterProxmoxConnection => None,
        };
        Self { system, namespace, name: reference.name.clone() }
    }

    /// Whether an object in a namespace refers to this connection.
    pub fn is_referred(&self, system: System, reference: &ConnectionRef, namespace: &str) -> bool {
        let has_namespace = match system {
            System::ProxmoxVe => reference.kind() == ConnectionKind::ProxmoxConnection,
            System::PocketId => true,
        };
        self.system == system
            && self.name == reference.name
            && self.namespace.as_deref() == has_namespace.then_some(namespace)
    }

    /// A PocketIdConnection.
    pub fn pocket_id(namespace: &str, name: &str) -> Self {
        Self { system: System::PocketId, namespace: Some(namespace.to_owned()), name: name.to_owned() }
    }

    /// Its kind's name.
    pub fn kind(&self) -> &'static str {
        match self.system {
            System::ProxmoxVe => self.proxmox_kind().as_str(),
            System::PocketId => "PocketIdConnection",
        }
    }

    /// Which kind of connection to Proxmox VE it is.
    pub fn proxmox_kind(&self) -> ConnectionKind {
        match self.namespace {
            Some(_) => ConnectionKind::ProxmoxConnection,
            None => ConnectionKind::ClusterProxmoxConnection,
        }
    }

    /// `Kind name`, for messages to those who use it.
    pub fn short(&self) -> String {
        format!("{} {}", self.kind(), self.name)
    }
}

impl fmt::Display for ConnectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { system, namespace, name } = self;
        // What was there first has the plain name.
        match (system, namespace) {
            (System::ProxmoxVe, Some(namespace)) => write!(f, "{namespace}/{name}"),
            (System::ProxmoxVe, None) => f.write_str(name),
            (System::PocketId, namespace) => write!(f, "pocket-id:{}/{name}", namespace.as_deref().unwrap_or_default()),
        }
    }
}

/// A connection of either kind.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// What both kinds say.
    pub spec: ConnectionSpec,
    /// Its status as Kubernetes has it.
    pub status: Option<ConnectionStatus>,
    /// Where it is written to.
    pub target: Target,
    /// Whose objects may use it.
    pub users: Users,
}

/// Whose objects may use a connection.
#[derive(Debug, Clone)]
pub enum Users {
    /// Those of its own namespace.
    OwnNamespace,
    /// Those of these namespaces.
    Namespaces {
        /// By name.
        names: Vec<String>,
        /// By their labels; one that cannot be understood matches nothing.
        selector: Option<Selector>,
    },
}

impl Users {
    /// Whether objects of a namespace with these labels are among them; the labels may not be known.
    pub fn admission(&self, namespace: &str, labels: impl FnOnce() -> Option<Labels>) -> Admission {
        let Self::Namespaces { names, selector } = self else { return Admission::Allowed };
        if names.iter().any(|name| name == namespace) {
            return Admission::Allowed;
        }
        match selector.as_ref().map(|selector| labels().map(|labels| selector.matches(&labels))) {
            Some(Some(true)) => Admission::Allowed,
            Some(None) => Admission::Unknown,
            None | Some(Some(false)) => Admission::Refused,
        }
    }
}

/// The labels of a namespace.
pub type Labels = std::collections::BTreeMap<String, String>;

impl Connection {
    /// Its name and namespace.
    pub fn key(&self) -> ConnectionKey {
        let ObjectMeta { namespace, name, .. } = &self.metadata;
        ConnectionKey {
            system: System::ProxmoxVe,
            namespace: namespace.clone(),
            name: name.clone().unwrap_or_default(),
        }
    }
}

impl From<&ProxmoxConnection> for Connection {
    fn from(connection: &ProxmoxConnection) -> Self {
        let target = Target::of(connection);
        let ProxmoxConnection { metadata, spec: ProxmoxConnectionSpec { connection: spec }, status } =
            connection.clone();
        Self { metadata, spec, status, target, users: Users::OwnNamespace }
    }
}

impl From<&ClusterProxmoxConnection> for Connection {
    fn from(connection: &ClusterProxmoxConnection) -> Self {
        let target = Target::of(connection);
        let ClusterProxmoxConnection { metadata, spec, status } = connection.clone();
        let ClusterProxmoxConnectionSpec { connection: spec, allowed_namespaces } = spec;
        let AllowedNamespaces { names, selector } = allowed_namespaces.unwrap_or_default();
        let selector = selector.and_then(|selector| Selector::try_from(selector).ok());
        Self { metadata, spec, status, target, users: Users::Namespaces { names, selector } }
    }
}
