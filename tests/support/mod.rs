//! What the tests on a real control plane share.

use proxmox_identity::sim::control_plane::ControlPlane;
use tokio::sync::OnceCell;

pub mod cluster;

/// Set once a test asked for it.
pub static CONTROL_PLANE: OnceCell<ControlPlane> = OnceCell::const_new();

/// The control plane of this test binary; it ends with the process.
pub async fn control_plane() -> &'static ControlPlane {
    CONTROL_PLANE
        .get_or_init(async || {
            let plane = ControlPlane::start().await.unwrap_or_else(|error| panic!("no control plane: {error}"));
            cluster::install_crds(&plane.client().await.expect("a client")).await;
            plane
        })
        .await
}
