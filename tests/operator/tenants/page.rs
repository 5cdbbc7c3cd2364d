//! The page of the kind does as it says.

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::{HOME, tenant};
use crate::guides::page::{Deed, read};
use crate::guides::parsed;

/// The page.
pub const PAGE: &str = "clusterproxmoxconnection.md";

#[tokio::test]
async fn its_page_is_done_from_top_to_bottom() {
    let world = tenant().await;
    let params = PatchParams::apply("test").force();
    let team = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}});
    let namespaces = Api::<Namespace>::all(world.client.clone());
    namespaces.patch("team-a", &params, &Patch::Apply(&team)).await.expect("a namespace");
    let deeds = read(&format!("docs/kinds/{PAGE}"));
    let manifests = deeds.iter().filter_map(|deed| match deed {
        Deed::Apply(manifests) => Some(manifests),
        Deed::Run(..) | Deed::SignIn(_) => None,
    });
    let mut used = Vec::new();
    for mut object in manifests.flat_map(|manifests| parsed(&world, manifests)) {
        let kind = object.types.as_ref().expect("a kind").kind.clone();
        let name = object.metadata.name.clone().expect("a name");
        let api = match object.metadata.namespace.as_deref() {
            Some("proxmox-identity") => {
                object.metadata.namespace = Some(HOME.to_owned());
                world.api_in(&kind, HOME)
            }
            Some(namespace) => {
                used.push((kind.clone(), name.clone(), namespace.to_owned()));
                world.api_in(&kind, namespace)
            }
            None => world.api(&kind),
        };
        api.patch(&name, &params, &Patch::Apply(&object)).await.expect("taken");
    }
    assert!(used.len() > 2);
    for (kind, name, namespace) in used {
        let ready = async || {
            let object = world.api_in(&kind, &namespace).get(&name).await.ok()?;
            object.data["status"]["conditions"].as_array()?.iter().find(|it| it["reason"] == "Succeeded").map(drop)
        };
        world.until(&format!("{kind} {name} is ready"), ready).await;
    }
}
