//! Simulators of the remote systems: for the tests, for the demo and for trying things out.

pub mod pve;
