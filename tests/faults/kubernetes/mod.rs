//! Kubernetes that fails, shows things late, or forgets.

mod events;
mod late;
mod namespaces;
mod requests;
mod resets;
mod restart;
mod schemas;
