//! The client of Proxmox VE: reads its state into a [`Snapshot`](crate::core::snapshot::Snapshot) and carries
//! out one [`Write`](crate::core::write::Write) at a time.
//!
//! [`client::Client`] picks an endpoint at the start of a pass and gives a [`session::Session`], which stays
//! on it. Every request goes through `transport`, and there over [`crate::https`]; every failure is classified in `error`
//! by what Proxmox VE really answers.

mod answer;
pub mod client;
pub mod config;
mod error;
mod issuer;
mod login;
mod pools;
pub mod read;
pub mod realms;
mod request;
pub mod session;
pub mod sync;
mod transport;
mod wire;
mod write;

#[cfg(test)]
mod tests;
