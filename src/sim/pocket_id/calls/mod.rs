//! The calls of the admin API, by kind of object.

pub mod about;
pub mod api_keys;
pub mod claims;
pub mod clients;
pub mod groups;
pub mod logos;
pub mod secrets;
pub mod sign_in;
pub mod users;
