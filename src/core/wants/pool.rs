//! What a pool wants.

use super::Wants;
use crate::api::membership::MembershipPolicy;
use crate::api::pool::{PoolMembers, ProxmoxPoolSpec};
use crate::api::{Object as _, ProxmoxPool};
use crate::core::claim::{Claim, Content, PoolItem, Scope, Thing, Wanted};
use crate::core::fields::Wishes;
use crate::core::ids::{GuestId, IdError, PoolId, StorageId};

/// What a pool wants.
pub fn of_pool(pool: &ProxmoxPool) -> Wants {
    let ProxmoxPoolSpec { management: _, pool_id: _, comment, members, membership_policy, allow_move } = &pool.spec;
    let id = match pool_id(pool) {
        Ok(id) => id,
        Err(error) => return Wants::refused(error.into()),
    };
    let mut wishes = Wishes::default();
    wishes.text("comment", comment.as_deref());
    let mut wants = Wants::one(Thing::Pool(id.clone()), Content::Fields(wishes), Vec::new());
    let scope = Scope::Pool(id.clone());
    match membership_policy.unwrap_or_default() {
        MembershipPolicy::Ignore => return wants,
        MembershipPolicy::Additive => {}
        MembershipPolicy::Exact => drop(wants.exact.insert(scope.clone())),
    }
    let PoolMembers { guests, storages } = members.clone().unwrap_or_default();
    let guests = guests.iter().map(|number| GuestId::parse(&number.to_string()).map(PoolItem::Guest));
    let storages = storages.iter().map(|storage| StorageId::parse(storage).map(PoolItem::Storage));
    for item in guests.chain(storages) {
        match item {
            Ok(item) => {
                let content = Content::PoolMember { allow_move: *allow_move };
                wants.wanted.push(Wanted::new(Claim::PoolMember(id.clone(), item), content));
            }
            Err(error) => wants.lacks(error.into(), &scope, false),
        }
    }
    wants
}

pub(super) fn pool_id(pool: &ProxmoxPool) -> Result<PoolId, IdError> {
    PoolId::parse(pool.spec.pool_id.as_deref().unwrap_or(pool.name()))
}
