//! Behaviour of the plan, as sentences.

mod fixtures;
mod ownership;
mod properties;
mod realms;
mod steps;
