//! The pages of the documentation are done as they say, from top to bottom.

mod commands;
pub mod page;
mod place;
mod sign_in;

use std::collections::BTreeMap;

use kube::api::DynamicObject;

use crate::argocd::{Apply, Git, ours};
use crate::world::World;
use page::Deed;
pub use place::Place;

/// A page that is read for what it shows of one kind: all its objects stand at the same time.
macro_rules! kinds {
    ($($kind:ident,)*) => {
        $(
            #[tokio::test]
            async fn $kind() {
                super::all_at_once(concat!("docs/kinds/", stringify!($kind), ".md")).await;
            }
        )*

        /// The pages that are tried here.
        pub const PAGES: &[&str] = &[$(concat!(stringify!($kind), ".md")),*];
    };
}

mod of_kind {
    kinds! {
        proxmoxconnection, proxmoxrealm, proxmoxgroup, proxmoxuser, proxmoxtoken, proxmoxrole, proxmoxacl, proxmoxpool,
        proxmoxaccesscheck, pocketidconnection, pocketidgroup, pocketidclient,
    }
}

#[test]
fn the_page_of_every_kind_is_tried() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/kinds");
    let mut pages: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    pages.sort();
    let mut tried = of_kind::PAGES.to_vec();
    // On a control plane of its own.
    tried.push(crate::tenants::PAGE);
    tried.sort_unstable();
    assert_eq!(pages, tried);
}

#[tokio::test]
async fn everything_that_fog_does_is_done_here() {
    in_order(&Place::new().await, "docs/from-fog.md").await;
}

#[tokio::test]
async fn everything_that_the_terraform_provider_does_is_done_here() {
    in_order(&Place::new().await, "docs/from-terraform.md").await;
}

#[tokio::test]
async fn everything_that_pveum_does_is_done_here() {
    in_order(&Place::new().await, "docs/from-pveum.md").await;
}

#[tokio::test]
async fn the_access_rules_hold_and_catch_a_mistake() {
    in_order(&Place::new().await, "examples/access-rules/README.md").await;
}

#[tokio::test]
async fn what_is_lost_comes_back_as_the_page_on_recovery_says() {
    in_order(&Place::new().await, "docs/recovery.md").await;
}

#[tokio::test]
async fn the_recipes_for_tokens_work() {
    all_at_once("docs/token-recipes.md").await;
}

async fn all_at_once(name: &str) {
    let place = Place::new().await;
    let world = &place.world;
    let mut objects: BTreeMap<(String, String), DynamicObject> = BTreeMap::new();
    for deed in page::read(name) {
        if let Deed::Apply(manifests) = deed {
            for object in place.parsed(&manifests) {
                objects.insert(id(&object), object);
            }
        }
    }
    for object in objects.values() {
        world.put(object).await;
    }
    for (kind, name) in objects.keys() {
        settled(world, kind, name).await;
    }
    // Argo CD takes them over, and has nothing to change.
    Git::new(world, ours(objects.values())).becomes_healthy(Apply::ServerSide).await;
}

async fn in_order(place: &Place, name: &str) {
    let world = &place.world;
    let mut applied = Vec::new();
    for deed in page::read(name) {
        match deed {
            Deed::Apply(manifests) => {
                for object in place.parsed(&manifests) {
                    world.put(&object).await;
                    applied.push(id(&object));
                }
            }
            Deed::Run(command, printed) => commands::run(place, &command, &printed).await,
            Deed::SignIn(visit) => sign_in::visit(place, &visit).await,
        }
        if world.has_operator() {
            for (kind, name) in std::mem::take(&mut applied) {
                settled(world, &kind, &name).await;
            }
        }
    }
}

/// The manifests of a page, for this world.
pub fn parsed(world: &World, manifests: &str) -> Vec<DynamicObject> {
    let text = page::personal(manifests, &world.pve);
    serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn id(object: &DynamicObject) -> (String, String) {
    let kind = object.types.as_ref().expect("a kind").kind.clone();
    (kind, object.metadata.name.clone().expect("a name"))
}

/// Waits until an object of ours is as it says.
async fn settled(world: &World, kind: &str, name: &str) {
    if matches!(kind, "Secret" | "ConfigMap") {
        return;
    }
    let observes = world.get_object(kind, name).await.is_some_and(|it| it["spec"]["managementPolicy"] == "Observe");
    world.reason(kind, name, if observes { "Observed" } else { "Succeeded" }).await;
}
