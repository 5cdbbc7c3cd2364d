//! The operator's process on a real control plane, against a simulated Proxmox VE.

mod attacks;
mod crash;
mod failures;
mod identity;
mod kinds;
mod lifecycle;
mod ownership;
mod rights;
mod scale;
mod secrets;
#[path = "../support/mod.rs"]
mod support;
mod world;
