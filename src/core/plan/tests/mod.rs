//! Behaviour of the plan, as sentences.

pub(in crate::core) mod fixtures;
mod ownership;
mod properties;
mod realms;
mod steps;
