//! Users, tokens, roles, and who or what is in which set.

mod directory;
mod entries;
mod issuers;
mod members;
mod namespace;
mod pools;
mod realms;
mod roles;
mod tokens;
mod users;
