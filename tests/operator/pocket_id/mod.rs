//! Pocket ID: its groups, its clients and their secrets, and the realms that take them from there.

mod attacks;
mod clients;
mod faults;
mod groups;
mod keys;
mod life;
mod namespace;
mod outage;
mod people;
mod scale;
mod secrets;
mod sign_in;

pub use crate::both::Both;
