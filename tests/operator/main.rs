//! The operator's process on a real control plane, against a simulated Proxmox VE.

mod attacks;
mod checks;
mod crash;
mod failures;
mod guides;
mod identity;
mod kinds;
mod lifecycle;
mod ownership;
#[path = "../support/parameters.rs"]
mod parameters;
mod rights;
mod scale;
mod secrets;
#[path = "../support/mod.rs"]
mod support;
mod world;
