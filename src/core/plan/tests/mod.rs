//! Behaviour of the plan, as sentences.

mod deprovisioning;
mod fixtures;
mod ownership;
mod properties;
mod realms;
mod steps;
