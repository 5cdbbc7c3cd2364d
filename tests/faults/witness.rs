//! Sees every status that the operator ever writes in a world.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use kube::api::DynamicObject;
use kube::runtime::watcher;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::world::{World, condition};

/// The kinds with a status of ours.
pub const KINDS: [&str; 12] = [
    "ProxmoxConnection",
    "ProxmoxRealm",
    "ProxmoxGroup",
    "ProxmoxUser",
    "ProxmoxToken",
    "ProxmoxRole",
    "ProxmoxAcl",
    "ProxmoxPool",
    "ProxmoxAccessCheck",
    "PocketIdConnection",
    "PocketIdGroup",
    "PocketIdClient",
];

/// Watches all objects of a world for statuses that claim what was not judged.
pub struct Witness {
    seen: Arc<Mutex<Seen>>,
    _watches: JoinSet<()>,
}

/// What it has seen.
#[derive(Default)]
struct Seen {
    lies: Vec<String>,
    /// How many statuses, by kind.
    statuses: BTreeMap<&'static str, usize>,
}

impl Witness {
    /// Sees every status from now on.
    pub fn of(world: &World) -> Self {
        let (seen, mut watches) = (Arc::<Mutex<Seen>>::default(), JoinSet::new());
        for kind in KINDS {
            let (seen, events) = (Arc::clone(&seen), watcher(world.api(kind), watcher::Config::default()));
            watches.spawn(async move {
                let mut events = std::pin::pin!(events);
                while let Some(event) = events.next().await {
                    if let Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object)) = event {
                        let mut seen = seen.lock().expect("no panic");
                        if object.data["status"]["conditions"].is_array() {
                            *seen.statuses.entry(kind).or_default() += 1;
                        }
                        seen.lies.extend(lie(kind, &object));
                    }
                }
            });
        }
        Self { seen, _watches: watches }
    }

    /// Whatever was seen claims no more than was judged, and of each of these kinds something was.
    pub fn saw_no_lie(&self, kinds: &[&str]) {
        let Seen { lies, statuses } = &*self.seen.lock().expect("no panic");
        assert!(lies.is_empty(), "{lies:#?}");
        assert!(kinds.iter().all(|kind| statuses.contains_key(kind)), "of {kinds:?} only {statuses:?} were seen");
    }
}

/// How a status claims a generation that it did not judge, if it does.
fn lie(kind: &str, object: &DynamicObject) -> Option<String> {
    let value: Value = serde_json::to_value(object).expect("JSON");
    let ready = condition(&value, "Ready")?;
    let of = |of: &Value| of.as_i64().unwrap_or(-1);
    let (judged, said) = (of(&value["status"]["observedGeneration"]), of(&ready["observedGeneration"]));
    let is_honest = judged <= of(&value["metadata"]["generation"]) && (ready["status"] != "True" || said == judged);
    (!is_honest).then(|| format!("{kind} {:?}: {value:#}", object.metadata.name))
}
