//! The client of Pocket ID: reads its state into a [`Snapshot`](crate::core::pocket_id::snapshot::Snapshot) and carries
//! out one [`Write`](crate::core::pocket_id::write::Write) at a time.
//!
//! [`client::Client`] asks at the start of a pass what answers and gives a [`session::Session`]. Every request goes
//! through `transport`, which keeps to the rate limit, and there over [`crate::https`]; what an answer means is told in
//! `meaning`.

mod audience;
pub mod client;
pub mod config;
pub mod details;
mod form;
mod list;
mod meaning;
mod pace;
mod preview;
mod read;
mod request;
mod server;
pub mod session;
mod transport;
mod wire;
mod write;

pub use preview::{Claims, Preview};

#[cfg(test)]
mod tests;
