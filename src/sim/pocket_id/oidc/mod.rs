//! The OpenID Connect provider: what it says of itself, its keys, authorization codes, tokens and claims.

pub mod authorize;
pub mod callback;
mod claims;
pub mod discovery;
pub mod jwt;
pub mod preview;
pub mod token;
pub mod userinfo;
