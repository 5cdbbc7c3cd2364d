//! What must be read beside the lists to judge objects.

use crate::core::claim::{Claim, Membership, Scope, Thing};
use crate::core::object::Object;
use crate::pve::read::SnapshotScope;

/// What must be read beside the lists to judge these objects.
pub(super) fn scope(objects: &[Object]) -> SnapshotScope {
    let mut scope = SnapshotScope::default();
    for claim in objects.iter().flat_map(|object| object.wanted.iter().map(|wanted| &wanted.claim)) {
        match claim {
            Claim::Thing(Thing::Realm(id)) => {
                scope.realms.insert(id.clone());
            }
            // Its realm may overwrite it at each login.
            Claim::Member(Membership { group, user }) => {
                scope.jobs |= group.may_be_synced(&user.realm());
                scope.realms.insert(user.realm());
            }
            Claim::PoolMember(pool, item) => {
                scope.members.insert((pool.clone(), item.clone()));
                scope.pools.insert(pool.clone());
            }
            Claim::Thing(Thing::SyncJob(_)) => scope.jobs = true,
            Claim::Thing(_) | Claim::Acl(_) => {}
        }
    }
    for object in objects {
        for exact in &object.exact {
            // Whoever is in it beside those declared may be of any realm.
            scope.every_realm |= matches!(exact, Scope::Members(_) | Scope::AnyMembers | Scope::Groups(_));
            scope.jobs |= matches!(exact, Scope::Members(group) if group.as_str().contains('-'));
        }
        scope.pools.extend(object.exact.iter().filter_map(|exact| match exact {
            Scope::Pool(pool) => Some(pool.clone()),
            _ => None,
        }));
        scope.jobs |= object.ledger.keys().any(|claim| matches!(claim, Claim::Thing(Thing::SyncJob(_))));
        // A pool goes only when it is empty, and nothing goes out of it that is not in it.
        scope.pools.extend(object.ledger.keys().filter_map(|claim| match claim {
            Claim::Thing(Thing::Pool(pool)) if !object.mode.is_live() => Some(pool.clone()),
            Claim::PoolMember(pool, _) => Some(pool.clone()),
            _ => None,
        }));
    }
    scope
}
