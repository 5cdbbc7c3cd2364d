//! A simulator of Pocket ID: HTTPS on loopback, answering as the recordings in `tests/recordings-pocket-id` show the
//! real one to answer. APP_URL, and so the issuer, is its own URL.
//!
//! It keeps tables as Pocket ID does, so that behaviour follows from state and rules. It is 2.9 unless
//! [`Options::release`] says otherwise; what later releases do is known from their sources, not from recordings.
//! Beside the API it answers these paths, without a login:
//!
//! | call | does |
//! |---|---|
//! | `POST /sim/reset` | makes it empty, and clears faults and counters |
//! | `POST /sim/fault` | JSON of a [`Fault`]: lets `skip` writes to `file` pass, then `count` fail |
//! | `GET /sim/requests` | JSON of [`Requests`]: how often each call was made, and the last writes |
//! | `POST /sim/requests/clear` | counts from zero again |
//!
//! `X-Forwarded-For` says whose request it is, as with TRUST_PROXY=true.
//!
//! What it has not: passkeys (users sign in by one-time access tokens), the web interface, email, LDAP, SCIM, sign-up by
//! invitation, settings that can be changed, profile pictures, fetching logos from URLs, the device flow, pushed
//! requests, JWTs in place of client secrets, introspection, the end of sessions, the audit log.

mod answer;
mod auth;
mod call;
mod calls;
mod check;
mod failure;
mod faults;
mod fields;
mod http;
mod limits;
mod listing;
mod oidc;
mod release;
mod routes;
mod server;
mod service;
mod state;
mod tables;

pub use super::{Count, Requests, Write};
pub use faults::{Fault, FaultName};
pub use release::Release;
pub use server::{Options, Simulator};
