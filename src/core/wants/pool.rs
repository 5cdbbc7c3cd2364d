//! What a pool wants.

use super::Wants;
use crate::api::pool::ProxmoxPoolSpec;
use crate::api::{Object as _, ProxmoxPool};
use crate::core::claim::{Claim, Content};
use crate::core::ids::PoolId;

/// What a pool wants.
pub fn of_pool(pool: &ProxmoxPool) -> Wants {
    let ProxmoxPoolSpec { management: _, pool_id, comment } = &pool.spec;
    match PoolId::parse(pool_id.as_deref().unwrap_or(pool.name())) {
        Ok(id) => {
            Wants::one(id.clone().as_str(), Claim::Pool(id), Content::Pool { comment: comment.clone() }, Vec::new())
        }
        Err(error) => Wants::refused(error.into()),
    }
}
