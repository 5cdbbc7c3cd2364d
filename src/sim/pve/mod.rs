//! A simulator of the identity part of Proxmox VE: HTTPS on loopback, answering as the recordings in
//! `tests/recordings` show the real one to answer.
//!
//! It holds the real files (`user.cfg`, `domains.cfg`, `jobs.cfg`) as text and parses them after each write, checks
//! parameters against PVE's own schema and permissions with [`crate::core::permissions`], so that behaviour follows
//! from state and rules. Beside the API it answers these paths, without a login:
//!
//! | call | does |
//! |---|---|
//! | `POST /sim/reset` | brings back the recorded first state and clears faults and counters |
//! | `POST /sim/fault` | JSON of a [`Fault`]: lets `skip` writes to `file` pass, then `count` fail; `{"name": "ldap"}` starts the directory on 127.0.0.1:13890 |
//! | `POST /sim/login` | JSON `{"userid", "groups": []}`: leaves what the first OpenID sign-in of a user leaves in a realm with `autocreate`, without a provider; existing `groups` are joined |
//! | `GET /sim/requests` | JSON of [`Requests`]: how often each call was made, and the last writes |
//! | `POST /sim/requests/clear` | counts from zero again |
//!
//! Realms of types ldap and ad talk to their directory over plain LDAP; [`Options::ldap`] starts a small one beside the
//! simulator. Realms of type openid sign people in with their provider, if that is on this machine; discovery of others
//! fails as in the recordings. What it has not: second factors, TLS to directories, guests and storages beyond the
//! recorded list.

mod answer;
mod auth;
mod calendar;
mod calls;
mod certificates;
mod control;
mod directory;
mod faults;
mod formats;
mod guard;
mod http;
mod locks;
mod methods;
mod openid;
mod parameters;
mod property_string;
mod sections;
mod server;
mod service;
mod state;
mod tasks;
mod user_cfg;

pub use super::{Count, Requests, Write};
pub use auth::Ticket;
pub use faults::{Fault, FaultName};
pub use server::{Options, Release, Simulator};
