//! The operator's process while something around it fails: Kubernetes, Proxmox VE, Pocket ID, and the ways to them.
//! `docs/reliability.md` says which of these tests proves what.

#[allow(dead_code, reason = "written for the tests of the operator, which use all of it")]
#[path = "../support/account.rs"]
mod account;
#[allow(dead_code, reason = "written for the tests of the operator, which use all of it")]
#[path = "../support/both.rs"]
mod both;
#[allow(dead_code, reason = "written for the tests of the operator, which use all of it")]
#[path = "../support/built.rs"]
mod built;
mod deeds;
#[allow(dead_code, reason = "written for the tests of the operator, which use all of it")]
#[path = "../support/helm.rs"]
mod helm;
mod kubernetes;
mod lived;
mod pocket_id;
mod proxmox;
#[path = "../support/proxy/mod.rs"]
mod proxy;
#[allow(dead_code, reason = "written for the tests of the operator, which use all of it")]
#[path = "../support/mod.rs"]
mod support;
mod witness;
#[allow(dead_code, reason = "written for the tests of the operator, which use all of it")]
#[path = "../support/world/mod.rs"]
mod world;
