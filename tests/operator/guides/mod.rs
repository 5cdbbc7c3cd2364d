//! The pages of the documentation are done as they say, from top to bottom.

pub mod page;

use std::collections::BTreeMap;

use kube::api::DynamicObject;
use serde_json::Value;

use crate::argocd::{Apply, Git, ours};
use crate::support::control_plane;
use crate::world::World;
use page::Deed;

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
        proxmoxaccesscheck,
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
    in_order("docs/from-fog.md").await;
}

#[tokio::test]
async fn everything_that_the_terraform_provider_does_is_done_here() {
    in_order("docs/from-terraform.md").await;
}

#[tokio::test]
async fn everything_that_pveum_does_is_done_here() {
    in_order("docs/from-pveum.md").await;
}

#[tokio::test]
async fn the_access_rules_hold_and_catch_a_mistake() {
    in_order("examples/access-rules/README.md").await;
}

#[tokio::test]
async fn what_is_lost_comes_back_as_the_page_on_recovery_says() {
    in_order("docs/recovery.md").await;
}

#[tokio::test]
async fn the_recipes_for_tokens_work() {
    all_at_once("docs/token-recipes.md").await;
}

/// An operator with the connection that the pages speak of.
async fn world() -> World {
    let world = World::new().await;
    world.start_operator().connect_as("proxmox", "proxmox", &world.pve.token(), "").await;
    world
}

async fn all_at_once(name: &str) {
    let world = world().await;
    let mut objects: BTreeMap<(String, String), DynamicObject> = BTreeMap::new();
    for deed in page::read(name) {
        if let Deed::Apply(manifests) = deed {
            for object in parsed(&world, &manifests) {
                objects.insert(id(&object), object);
            }
        }
    }
    for object in objects.values() {
        world.put(object).await;
    }
    for (kind, name) in objects.keys() {
        settled(&world, kind, name).await;
    }
    // Argo CD takes them over, and has nothing to change.
    Git::new(&world, ours(objects.values())).becomes_healthy(Apply::ServerSide).await;
}

async fn in_order(name: &str) {
    let world = world().await;
    for deed in page::read(name) {
        match deed {
            Deed::Apply(manifests) => {
                let objects = parsed(&world, &manifests);
                for object in &objects {
                    world.put(object).await;
                }
                for (kind, name) in objects.iter().map(id) {
                    settled(&world, &kind, &name).await;
                }
            }
            Deed::Run(command, printed) => {
                let pvesh = command.strip_prefix("pvesh get ");
                match (pvesh, command.strip_prefix("kubectl scale deployment proxmox-identity ")) {
                    (Some(path), _) => {
                        shows(&world, path.split(' ').next().unwrap_or(path), &printed.join("\n")).await;
                    }
                    // No pods run here: the operator is a process of ours.
                    (None, Some(rest)) if rest.ends_with("--replicas 0") => world.kill_operator(),
                    (None, Some(_)) => drop(world.start_operator()),
                    (None, None) => run(&world, &command, &printed).await,
                }
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
    if !kind.starts_with("Proxmox") {
        return;
    }
    let observes = world.get_object(kind, name).await.is_some_and(|it| it["spec"]["managementPolicy"] == "Observe");
    world.reason(kind, name, if observes { "Observed" } else { "Succeeded" }).await;
}

/// Waits until Proxmox VE shows this.
async fn shows(world: &World, path: &str, expected: &str) {
    let what = format!("{path} shows {expected}");
    if expected == "(gone)" {
        return world.until(&what, async || world.pve_find(path).await.is_none().then_some(())).await;
    }
    let expected: Value = serde_json::from_str(expected).unwrap_or_else(|error| panic!("{path}: {error}: {expected}"));
    world
        .until(&what, async || {
            let shown = world.pve_find(path).await?;
            let fits = contains(&shown, &expected);
            if !fits {
                println!("{path} shows {shown}");
            }
            fits.then_some(())
        })
        .await;
}

/// True when all of `part` is in `whole`; the order of lists does not count.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|whole| contains(whole, value)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            part.iter().all(|part| whole.iter().any(|whole| contains(whole, part)))
        }
        (whole, part) => whole == part,
    }
}

/// Runs a command with kubectl, as a shell does it, until it prints these lines.
async fn run(world: &World, command: &str, printed: &[String]) {
    let kubectl = control_plane().await.kubectl();
    let program = kubectl.get_program().to_owned();
    let script = format!("kubectl() {{ {} -n {} \"$@\"; }}; {command}", program.display(), world.namespace);
    world
        .until(&format!("{command} prints {printed:#?}"), async || {
            let mut shell = tokio::process::Command::new("sh");
            shell.args(["-c", &script]).envs(kubectl.get_envs().filter_map(|(name, value)| Some((name, value?))));
            let output = shell.output().await.expect("a shell");
            let out = String::from_utf8_lossy(&output.stdout);
            let mut lines = out.lines();
            let fits = printed.iter().all(|line| lines.any(|it| fits(it, line)));
            if !output.status.success() || !fits {
                println!("{command}: {out}{}", String::from_utf8_lossy(&output.stderr));
            }
            (output.status.success() && fits).then_some(())
        })
        .await;
}

/// True when all words of `expected` are in a line, in their order.
fn fits(line: &str, expected: &str) -> bool {
    let mut rest = line;
    expected.split_whitespace().all(|word| match rest.split_once(word) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}
