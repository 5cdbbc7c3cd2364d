//! What the clients of Proxmox VE and Pocket ID share: sending one request over HTTPS to a server that proves who it is,
//! only while it may be sent, watched, and with failures that tell no secret. What an answer means is for each client
//! to say.

pub(crate) mod endpoint;
pub(crate) mod exchange;
pub(crate) mod message;
pub mod observer;
pub(crate) mod path;
pub mod settings;
pub mod tls;

#[cfg(test)]
pub(crate) mod tests;
