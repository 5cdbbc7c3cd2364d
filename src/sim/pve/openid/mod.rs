//! Signing in with OpenID Connect, as Proxmox VE does it: PKCE with S256 always, the signature, issuer, audience, nonce
//! and end of the ID token checked, and then the claims made a user and its groups by the options of the realm.
//!
//! [`realm`] reads the options, [`provider`] talks to the provider, [`person`] says who the claims are of and
//! [`entry`] lets that person in.

mod entry;
mod person;
mod provider;
mod realm;
mod refusal;
mod sign_ins;

pub use person::Person;
pub use provider::{Http, Provider};
pub use realm::{Realm, Rules};
pub use refusal::Refusal;
pub use sign_ins::SignIns;
