//! What tests of clients share.

pub(crate) mod log;
pub(crate) mod server;
