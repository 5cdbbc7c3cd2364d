//! Requests to Pocket ID that fail, at every endpoint that the operator reads or writes.

mod endpoints;
mod life;
