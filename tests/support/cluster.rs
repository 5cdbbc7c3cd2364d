//! What a cluster needs before a test: our CRDs, and a namespace of its own for each test.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, Client, ResourceExt};
use proxmox_identity::api::{FIELD_MANAGER, crd};

/// Installs all CRDs and waits until they are served.
pub async fn install_crds(client: &Client) {
    install(client, crd::all()).await;
}

/// Installs these CRDs and waits until they are served.
pub async fn install(client: &Client, crds: impl IntoIterator<Item = CustomResourceDefinition>) {
    let api = Api::<CustomResourceDefinition>::all(client.clone());
    for crd in crds {
        let name = crd.name_any();
        let applied = api.patch(&name, &PatchParams::apply(FIELD_MANAGER).force(), &Patch::Apply(&crd)).await;
        applied.unwrap_or_else(|error| panic!("{name} is refused: {error}"));
    }
    established(client).await;
}

/// Waits until our CRDs are served.
pub async fn established(client: &Client) {
    let api = Api::<CustomResourceDefinition>::all(client.clone());
    for crd in crd::all() {
        let name = crd.name_any();
        let established = await_condition(api.clone(), &name, conditions::is_crd_established());
        tokio::time::timeout(Duration::from_secs(30), established)
            .await
            .expect("established in time")
            .expect("a watch");
    }
}

/// Makes a namespace that no other test uses.
pub async fn namespace(client: &Client) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("test-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    namespace_called(client, &name).await;
    name
}

/// Makes a namespace of this name.
pub async fn namespace_called(client: &Client, name: &str) {
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..Default::default() };
    let namespace = Namespace { metadata, ..Default::default() };
    let made = Api::all(client.clone()).create(&PostParams::default(), &namespace).await;
    made.unwrap_or_else(|error| panic!("no namespace {name}: {error}"));
}
