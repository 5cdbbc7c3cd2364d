//! The Helm chart: what it renders, that a real apiserver takes it, and that its rights are enough and not more.

#[expect(dead_code, reason = "only a part of it is used here")]
#[path = "../support/account.rs"]
mod account;
mod argocd;
#[path = "../support/argocd.rs"]
mod argocd_program;
#[path = "../support/built.rs"]
mod built;
mod deployed;
mod helm;
mod life;
mod manifests;
mod metrics;
#[path = "../operator/guides/page.rs"]
#[expect(dead_code, reason = "nobody signs in here")]
mod page;
mod people;
mod protection;
mod quickstart;
mod release;
mod rights;
#[path = "../support/mod.rs"]
mod support;
mod taken;
mod values;
#[expect(dead_code, reason = "only a part of it is used here")]
#[path = "../support/world/mod.rs"]
mod world;
