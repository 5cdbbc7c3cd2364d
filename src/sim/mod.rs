//! What tests, the demo and trying things out run on: simulators of the remote systems, and a real control plane.

pub mod child;
pub mod control_plane;
pub mod ldap;
pub mod pve;
