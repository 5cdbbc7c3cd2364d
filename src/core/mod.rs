//! The pure heart: from claims and a snapshot to ordered steps, without I/O, clock or client.

pub mod access;
mod apply;
pub mod batches;
pub mod claim;
pub mod excess;
pub mod failure;
pub mod fields;
pub mod ids;
pub mod inventory;
pub mod ledger;
pub mod needs;
pub mod object;
pub mod permissions;
pub mod plan;
pub mod policy;
mod privileges;
pub mod realm;
mod rights;
pub mod roster;
pub mod secret;
pub mod snapshot;
pub mod text;
pub mod token;
pub mod version;
pub mod visibility;
pub mod wants;
pub mod write;
