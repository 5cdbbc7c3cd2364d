//! Events that are missed: the watch ends in the middle of one, or is too old to go on, so that what lies between is never
//! seen.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::proxmox::life::Life;
use crate::proxy::watching::Fate;
use crate::proxy::{Asked, Proxy};
use crate::world::World;

/// The class of an event: the kind, and what it says.
fn class(asked: &Asked, event: &Value) -> String {
    format!("{} {}", asked.path.rsplit('/').next().unwrap_or_default(), event["type"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_watch_that_ends_at_any_event_goes_on_and_nothing_is_missed() {
    let mut lives = Vec::new();
    for fate in [Fate::Show, Fate::Cut, Fate::Expire] {
        let life = Life::begin().await;
        let (proxy, through) = Proxy::before_apiserver(life.world.kubeconfig()).await;
        let (mut met, ended) = (BTreeSet::new(), Arc::new(Mutex::new(0)));
        let counted = Arc::clone(&ended);
        proxy.watching().judge(move |asked, event| {
            if !met.insert(class(asked, event)) {
                return Fate::Show;
            }
            *counted.lock().expect("no panic") += 1;
            fate
        });
        life.world.start_operator_with(&[&through], &[]);
        let stood = [life.make().await, life.change().await, life.remove().await];
        let ended = *ended.lock().expect("no panic");
        assert!(ended > 10, "{ended} classes of events are too few for all kinds");
        lives.push(life.lived(stood));
    }
    for life in &lives[1..] {
        life.is_as(&lives[0], "a watch that ends");
    }
}

/// The class of an event, and which state of the spec it tells of: what people change comes after what we write ourselves.
fn news(asked: &Asked, event: &Value) -> String {
    format!("{} {}", class(asked, event), event["object"]["metadata"]["generation"])
}

#[tokio::test]
async fn what_no_event_tells_of_is_found_at_the_next_review() {
    let mut lives = Vec::new();
    for fate in [Fate::Show, Fate::Drop] {
        let life = Life::begin().await;
        let (proxy, through) = Proxy::before_apiserver(life.world.kubeconfig()).await;
        let (mut met, dropped) = (BTreeSet::new(), Arc::new(Mutex::new(0)));
        let counted = Arc::clone(&dropped);
        proxy.watching().judge(move |asked, event| {
            let is_new = met.insert(news(asked, event));
            if is_new && fate == Fate::Drop {
                *counted.lock().expect("no panic") += 1;
            }
            if is_new { fate } else { Fate::Show }
        });
        life.world.start_operator_with(&[&through], &["--watch-review=1s"]);
        let stood = [life.make().await, life.change().await, life.remove().await];
        if fate == Fate::Drop {
            let dropped = *dropped.lock().expect("no panic");
            assert!(dropped > 20, "{dropped} events are too few for all kinds");
            assert!(life.world.log().contains("the watch has missed changes"));
        }
        lives.push(life.lived(stood));
    }
    lives[1].is_as(&lives[0], "events that are never sent");
}

#[tokio::test]
async fn an_object_that_was_deleted_and_made_anew_unseen_is_another_one() {
    let world = World::new().await;
    let (proxy, through) = Proxy::before_apiserver(world.kubeconfig()).await;
    world.start_operator_with(&[&through], &[]).connect().await;
    world.object("ProxmoxGroup", "g", "comment: first").await;
    world.object("ProxmoxGroup", "late", "groupId: elsewhere, comment: first").await;
    for name in ["g", "late"] {
        world.ready("ProxmoxGroup", name).await;
    }
    // Everything from here on is kept back, and then lost: only the list that follows shows what there is.
    proxy.watching().hold(&["proxmoxgroups"]);
    for (name, spec) in [("g", "comment: second"), ("late", "groupId: here, comment: second")] {
        without_finalizer(&world, name).await;
        world.delete("ProxmoxGroup", name).await;
        world.gone("ProxmoxGroup", name).await;
        world.object("ProxmoxGroup", name, spec).await;
    }
    proxy.watching().judge(|_, _| Fate::Expire);
    proxy.watching().release();
    // What stands was made for another object, and says something else.
    world.reason("ProxmoxGroup", "g", "AlreadyExists").await;
    proxy.watching().judge(|_, _| Fate::Show);
    world.ready("ProxmoxGroup", "late").await;
    assert_eq!(world.groups().await, ["elsewhere", "g", "here"]);
    assert_eq!(world.pve_get("/access/groups/g").await["comment"], "first");
}

/// Takes our finalizer off by force, as people do with an object that does not go.
pub async fn without_finalizer(world: &World, name: &str) {
    let patch = kube::api::Patch::Merge(json!({"metadata": {"finalizers": null}}));
    world.api("ProxmoxGroup").patch(name, &kube::api::PatchParams::default(), &patch).await.expect("patched");
}
