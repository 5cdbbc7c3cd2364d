//! The operator's process while something around it fails: Kubernetes, Proxmox VE, Pocket ID, and the ways to them.
//! `docs/reliability.md` says which of these tests proves what.

#[path = "../support/account.rs"]
mod account;
#[expect(dead_code, reason = "only a part of it is used here")]
#[path = "../support/both.rs"]
mod both;
#[path = "../support/built.rs"]
mod built;
mod deeds;
#[path = "../support/helm.rs"]
mod helm;
mod kubernetes;
mod lived;
mod pocket_id;
mod proxmox;
#[path = "../support/proxy/mod.rs"]
mod proxy;
#[path = "../support/mod.rs"]
mod support;
mod witness;
#[expect(dead_code, reason = "only a part of it is used here")]
#[path = "../support/world/mod.rs"]
mod world;
