//! Behaviour of the plan, as sentences.

mod deprovisioning;
pub(in crate::core) mod fixtures;
mod ownership;
mod policy;
mod properties;
mod realms;
mod steps;
mod tokens;
