//! The pure heart: from claims and a snapshot to ordered steps, without I/O, clock or client.

pub mod failure;
pub mod ids;
pub mod permissions;
pub mod secret;
pub mod snapshot;
pub mod write;
