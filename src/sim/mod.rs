//! The Proxmox VE simulator.

pub mod child;
pub mod control_plane;
