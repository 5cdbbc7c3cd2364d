//! What tests of clients share.

mod certificates;
pub(crate) mod log;
#[path = "../../../tests/support/mutate.rs"]
pub(crate) mod mutate;
pub(crate) mod server;
