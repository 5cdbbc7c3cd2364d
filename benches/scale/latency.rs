//! From a change of one object to Ready, among many others.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures::StreamExt;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::runtime::watcher::{Config, Event, watcher};
use serde_json::{Value, json};

use crate::Scale;
use crate::apiserver::Writes;
use crate::figures::{Figures, count};
use crate::fleet::{Fleet, GROUPS, Layout, is_ready, name, recorded};
use crate::world::World;

/// How many objects are there.
const OBJECTS: usize = 10_000;

/// Measures new and changed objects in turn, among those that are made or among as many.
pub async fn measure(scale: Scale, made: Option<Fleet>, figures: &mut Figures) {
    let (objects, samples) = if scale == Scale::Smoke { (10, 4) } else { (OBJECTS, 200) };
    let fleet = match made {
        Some(fleet) => fleet,
        None => settled(objects).await,
    };
    let world = &fleet.world;
    world.resync_each("1m").await;
    let mut times = Vec::new();
    for sample in 0..samples {
        times.push(if sample % 2 == 0 {
            let entry = format!("new-{sample}");
            let spec = entry_spec("pve", &format!("/storage/new{sample}"), sample % GROUPS);
            until_ready(world, &entry, spec).await
        } else {
            // As if somebody changed their mind about one of the many.
            let number = sample * 37 % objects;
            until_ready(world, &name(number), json!({"propagate": false})).await
        });
    }
    percentiles(figures, "", times);
}

async fn settled(objects: usize) -> Fleet {
    let mut fleet = Fleet::new(recorded(), Layout::Standing).await;
    fleet.grow_to(objects).await;
    fleet.start_operator().await;
    fleet.all_ready().await;
    Writes::settled(&fleet.world.client).await;
    fleet
}

/// The spec of a claim to one entry.
pub fn entry_spec(connection: &str, path: &str, group: usize) -> Value {
    json!({
        "connectionRef": {"name": connection},
        "path": path,
        "roles": [{"role": "PVEVMUser"}],
        "subjects": [{"group": format!("g{group}")}],
    })
}

/// Makes or changes an object; answers with how long it takes until it is Ready as changed.
pub async fn until_ready(world: &World, name: &str, spec: Value) -> Duration {
    let api = world.api("ProxmoxAcl");
    let mut events = pin!(watcher(api.clone(), Config::default().fields(&format!("metadata.name={name}"))));
    let mut generation = 0;
    loop {
        match events.next().await.expect("it does not end").expect("a watch") {
            Event::InitApply(object) => generation = object.metadata.generation.unwrap_or_default(),
            Event::InitDone => break,
            Event::Init | Event::Apply(_) | Event::Delete(_) => {}
        }
    }
    let begun = Instant::now();
    if generation == 0 {
        let object: DynamicObject = serde_json::from_value(json!({
            "apiVersion": "proxmox-identity.dev/v1alpha1", "kind": "ProxmoxAcl",
            "metadata": {"name": name}, "spec": spec,
        }))
        .expect("an object");
        api.create(&kube::api::PostParams::default(), &object).await.expect("made");
    } else {
        let patch = Patch::Merge(json!({"spec": spec}));
        api.patch(name, &PatchParams::default(), &patch).await.expect("patched");
    }
    while let Some(event) = events.next().await {
        if let Event::Apply(object) = event.expect("a watch")
            && object.metadata.generation > Some(generation)
            && is_ready(&object)
        {
            break;
        }
    }
    begun.elapsed()
}

/// The middle and the worst of some times, in milliseconds.
pub struct Percentiles {
    /// Half of them take no longer.
    pub middle: f64,
    /// All but a hundredth of them take no longer.
    pub worst: f64,
}

/// Notes the middle and the worst of some times.
pub fn percentiles(figures: &mut Figures, prefix: &str, mut times: Vec<Duration>) -> Percentiles {
    times.sort();
    let ms = |time: &Duration| time.as_secs_f64() * 1000.0;
    let at = |percent: usize| times.get((times.len() * percent).div_ceil(100).saturating_sub(1)).map_or(0.0, ms);
    let of = Percentiles { middle: at(50), worst: at(99) };
    figures.set(format!("{prefix}samples"), count(times.len()));
    figures.set(format!("{prefix}p50_ms"), of.middle);
    figures.set(format!("{prefix}p99_ms"), of.worst);
    figures.set(format!("{prefix}max_ms"), at(100));
    of
}
