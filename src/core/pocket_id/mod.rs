//! The pure heart for Pocket ID: from what objects want and what stands there to ordered requests.

pub mod audience;
pub mod claim;
pub mod ids;
pub mod object;
pub mod plan;
pub mod secret;
pub mod snapshot;
pub mod version;
pub mod wants;
pub mod write;
