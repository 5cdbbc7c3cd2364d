//! The operator's process on a real control plane, against a simulated Proxmox VE.

#[path = "../support/account.rs"]
mod account;
mod argocd;
#[path = "../support/argocd.rs"]
mod argocd_program;
mod attacks;
mod audit;
#[path = "../support/both.rs"]
mod both;
#[path = "../support/built.rs"]
mod built;
#[path = "../support/canary.rs"]
mod canary;
mod checks;
mod deprovisioning;
mod failures;
mod guides;
#[path = "../support/helm.rs"]
mod helm;
mod identity;
mod kinds;
mod lifecycle;
mod ownership;
#[path = "../support/parameters.rs"]
mod parameters;
mod peers;
mod pocket_id;
mod referred;
mod replicas;
mod report;
mod rights;
mod scale;
mod secrets;
#[path = "../support/mod.rs"]
mod support;
mod tenants;
#[expect(dead_code, reason = "shared with the rigs, which use more of it")]
#[path = "../support/world/mod.rs"]
mod world;
