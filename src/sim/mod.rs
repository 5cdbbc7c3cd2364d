//! What tests, the demo and trying things out run on: simulators of the remote systems, and a real control plane.
//!
//! The simulators share their TLS listener, certificates, faults, journal of requests, and the file that keeps their
//! state; each has a folder of its own for the rest.

pub mod browser;
mod certificates;
pub mod child;
mod clock;
pub mod control_plane;
mod controls;
mod faults;
mod https;
mod journal;
pub mod ldap;
mod listener;
mod lock;
pub mod pocket_id;
pub mod pve;
mod secrets;
mod state_file;

pub use faults::{ANY_REQUEST, Fault};
pub use journal::{Count, Requests, Write};
