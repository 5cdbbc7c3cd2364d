//! What the clients of Proxmox VE and Pocket ID share: one request is sent over HTTPS to a server that proves who it is,
//! while a permit for it lasts, under the eyes of an observer, and fails without telling a secret. What an answer means
//! each client says itself.

pub(crate) mod endpoint;
pub(crate) mod exchange;
pub(crate) mod message;
pub mod observer;
pub(crate) mod path;
pub mod settings;
pub mod tls;

#[cfg(test)]
pub(crate) mod tests;
