//! Behaviour of the plan, as sentences.

mod deprovisioning;
mod exact;
pub(in crate::core) mod fixtures;
mod ownership;
mod policy;
mod properties;
mod realms;
mod secrets;
mod steps;
mod tokens;
mod unsure;
