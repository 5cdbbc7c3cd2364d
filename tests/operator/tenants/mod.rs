//! Connections that are offered to other namespaces, on a control plane of their own: one operator for all of it.

pub mod health;
mod offered;
mod page;
mod pocket_id;
mod policy;

pub use page::PAGE;

use std::path::Path;

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{Patch, PatchParams};
use proxmox_identity::sim::child::GuardedChild;
use proxmox_identity::sim::control_plane::ControlPlane;
use proxmox_identity::sim::pve::Options;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::account::{self, Reach};
use crate::support::cluster;
use crate::world::{World, manifest};

static PLANE: OnceCell<ControlPlane> = OnceCell::const_new();
static OPERATOR: OnceCell<GuardedChild> = OnceCell::const_new();

/// Where the operator and the Secrets of its connections are.
const HOME: &str = "default";

/// The control plane that is watched in all its namespaces; it ends with the process.
async fn plane() -> &'static ControlPlane {
    PLANE
        .get_or_init(async || {
            let plane = ControlPlane::start().await.unwrap_or_else(|error| panic!("no control plane: {error}"));
            cluster::install_crds(&plane.client().await.expect("a client")).await;
            plane
        })
        .await
}

/// The namespace of a tenant and a Proxmox VE, with the one operator at work.
async fn tenant() -> World {
    let plane = plane().await;
    let operator = OPERATOR
        .get_or_init(async || {
            let client = plane.client().await.expect("a client");
            let kubeconfig = account::kubeconfig(plane, &client, HOME, Reach::Cluster).await;
            let words = [
                &format!("KUBECONFIG={}", kubeconfig.display()),
                "RUST_LOG=trace",
                env!("CARGO_BIN_EXE_proxmox-identity"),
                "run",
                "--listen=127.0.0.1:0",
                &format!("--namespace={HOME}"),
            ];
            let words = words.map(str::to_owned).to_vec();
            GuardedChild::start(Path::new("/usr/bin/env"), |_| Ok(words)).expect("the operator starts")
        })
        .await;
    let mut world = World::on(plane, Options { time_scale: 0.02, ..Options::default() }).await;
    world.share(operator);
    world
}

impl World {
    /// A tenant beside this one, of the same Proxmox VE.
    async fn neighbour(&self) -> String {
        cluster::namespace(&self.client).await
    }

    /// The connection of this world: its name, which no other test uses.
    fn offer(&self) -> String {
        format!("offer-{}", self.namespace)
    }

    /// Offers a connection with these fields of its spec.
    async fn offered(&self, fields: &Value) {
        let (name, url, fingerprint) = (self.offer(), self.pve.url(), self.pve.fingerprint());
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"token": self.pve.token()},
        });
        let params = PatchParams::apply("test").force();
        self.api_in("Secret", HOME).patch(&name, &params, &Patch::Apply(&secret)).await.expect("a Secret");
        let mut spec = json!({
            "endpoints": [url], "auth": {"token": {"secretRef": {"name": name}}},
            "tls": {"fingerprints": [fingerprint]}, "resyncInterval": "1s",
        });
        for (field, value) in fields.as_object().expect("fields") {
            spec[field] = value.clone();
        }
        let connection = json!({
            "apiVersion": "proxmox-identity.dev/v1alpha1", "kind": "ClusterProxmoxConnection",
            "metadata": {"name": name}, "spec": spec,
        });
        self.put(&serde_json::from_value(connection).expect("an object")).await;
    }

    /// An object of this tenant that uses the offer: `spec` is YAML flow without the connection.
    async fn uses(&self, kind: &str, name: &str, spec: &str) {
        self.apply(&self.of_offer(kind, name, spec)).await;
    }

    fn of_offer(&self, kind: &str, name: &str, spec: &str) -> String {
        let reference = format!("{{kind: ClusterProxmoxConnection, name: {}}}", self.offer());
        manifest(kind, name, spec).replace("{name: pve}", &reference)
    }

    /// Sets the labels of a namespace.
    async fn label(&self, labels: &Value) {
        let namespaces = Api::<Namespace>::all(self.client.clone());
        let patch = Patch::Merge(json!({"metadata": {"labels": labels}}));
        namespaces.patch(&self.namespace, &PatchParams::default(), &patch).await.expect("labels");
    }
}
