//! The pure heart for Pocket ID: from what objects want and what stands there to ordered requests.

pub mod ids;
pub mod snapshot;
pub mod version;
pub mod write;
