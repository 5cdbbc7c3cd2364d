//! Behaviour of the plan, as sentences.

mod deprovisioning;
mod fixtures;
mod ownership;
mod policy;
mod properties;
mod realms;
mod steps;
