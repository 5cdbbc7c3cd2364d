//! Requests to Proxmox VE that fail, at every endpoint that the operator reads or writes.

mod endpoints;
pub mod life;
