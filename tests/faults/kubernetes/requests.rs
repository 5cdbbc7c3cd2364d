//! Each request to kube-apiserver fails in each way: afterwards all is as without, nothing was made twice, and nothing
//! removed that should stay.

use std::collections::BTreeSet;

use crate::deeds::{Struck, are_made_up_for, tried};
use crate::lived::Lived;
use crate::proxmox::life::Life;
use crate::proxy::{Asked, Deed, Forged, Proxy};

/// What goes wrong.
fn deeds() -> [(&'static str, Deed); 13] {
    let status = |code, reason| Deed::Answer(Forged::status(code, reason));
    let page = |status| Deed::Answer(Forged::page(status));
    [
        ("a conflict", status(409, "Conflict")),
        ("too many requests", status(429, "TooManyRequests")),
        ("an inner error", status(500, "InternalError")),
        ("a timeout", status(504, "Timeout")),
        ("an old version", status(410, "Expired")),
        ("a proxy cannot reach it", page(502)),
        ("no such page at a proxy", page(404)),
        ("a page instead of an answer", page(200)),
        ("nothing instead of an answer", Deed::Answer(Forged { status: 200, headers: Vec::new(), body: Vec::new() })),
        ("the request is lost", Deed::Reset),
        ("the answer is lost", Deed::Lost),
        ("the answer ends in the middle", Deed::Cut),
        ("a success is answered with a failure", Deed::Instead(Forged::page(502))),
    ]
}

/// What an endpoint is called: the kind, and whether it is about one object, its status, a list or a watch.
fn endpoint(asked: &Asked) -> String {
    let mut words: Vec<&str> = asked.path.trim_start_matches('/').split('/').collect();
    if let Some(at) = words.iter().position(|word| *word == "namespaces")
        && words.len() > at + 1
    {
        words.drain(at..=at + 1);
    }
    let groups = if words[0] == "api" { 2 } else { 3 };
    if words.len() > groups + 1 {
        words[groups + 1] = "{name}";
    }
    let watches = if asked.is_watch() { " (watch)" } else { "" };
    format!("{} {}{watches}", asked.method, words.join("/"))
}

/// A life in which this happens once to every endpoint of kube-apiserver in each of its parts.
async fn life(deed: &Deed) -> (Lived, BTreeSet<String>) {
    let life = Life::begin().await;
    let (proxy, through) = Proxy::before_apiserver(life.world.kubeconfig()).await;
    let mut endpoints = BTreeSet::new();
    let arm = || Struck::arm(&proxy, deed, endpoint);
    let struck = arm();
    life.world.start_operator_with(&[&through], &[]);
    let made = life.make().await;
    endpoints.extend(struck.endpoints());
    let struck = arm();
    proxy.end_connections();
    let changed = life.change().await;
    endpoints.extend(struck.endpoints());
    let struck = arm();
    let removed = life.remove().await;
    endpoints.extend(struck.endpoints());
    (life.lived([made, changed, removed]), endpoints)
}

#[tokio::test]
async fn whatever_kubernetes_refuses_or_loses_once_is_made_up_for_and_nothing_is_made_or_removed_beside() {
    let (expected, endpoints) = life(&Deed::Pass).await;
    are_made_up_for(tried(deeds()), (&expected, &endpoints), life).await;
}
