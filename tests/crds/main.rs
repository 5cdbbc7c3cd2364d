//! The CRDs on a real apiserver: what they take, what they refuse, and with which words.

#[path = "../support/mod.rs"]
mod support;

mod access_check;
mod acl;
mod connection;
mod examples;
mod group;
mod ids;
mod pocket_id;
mod pool;
mod realm;
mod role;
mod shared;
mod token;
mod user;
mod verdict;

/// A client for the control plane, for the runtime of the calling test.
async fn client() -> kube::Client {
    support::control_plane().await.client().await.expect("a client")
}
