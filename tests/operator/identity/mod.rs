//! Users, tokens, roles, and who or what is in which set.

mod directory;
mod entries;
mod members;
mod pools;
mod realms;
mod roles;
mod tokens;
mod users;
