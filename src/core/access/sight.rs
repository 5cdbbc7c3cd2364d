//! Whether the credential sees enough to judge a check: what it cannot see might decide otherwise.

use crate::api::Reason;
use crate::core::access::Check;
use crate::core::claim::{Claim, Thing};
use crate::core::ids::{AclPath, GroupId, Subject, UserId};
use crate::core::object::Refusal;
use crate::core::permissions::may_be_member;
use crate::core::snapshot::Snapshot;
use crate::core::visibility::{Needed, Sight, View, shows, shows_all_entries, shows_pools};

/// Why a check cannot be judged.
pub(super) fn of(check: &Check, snapshot: &Snapshot, view: &View<'_>) -> Result<(), Refusal> {
    let Snapshot { groups, users, roles, acl, .. } = snapshot;
    let failures = [groups.as_ref().err(), users.as_ref().err(), roles.as_ref().err(), acl.as_ref().err()];
    if let Some(failure) = failures.into_iter().flatten().next() {
        return Err(failure.clone().into());
    }
    if !view.sees_all_entries() {
        return Err(hidden("ACL entries", &shows_all_entries()));
    }
    match &check.subject {
        Subject::Group(group) => group_is_seen(group, snapshot, view)?,
        Subject::User(user) => user_is_seen(user, snapshot, view)?,
        Subject::Token(token) => user_is_seen(&token.user(), snapshot, view)?,
    }
    if may_be_member(check.path.as_str()) { pools_are_seen(snapshot, view) } else { Ok(()) }
}

fn group_is_seen(group: &GroupId, snapshot: &Snapshot, view: &View<'_>) -> Result<(), Refusal> {
    let claim = Claim::Thing(Thing::Group(group.clone()));
    let is_shown = snapshot.groups.as_ref().is_ok_and(|groups| groups.contains_key(group));
    if is_shown || view.sight(&claim) == Sight::Clear { Ok(()) } else { Err(hidden("groups", &shows(&claim))) }
}

/// Whether a user is seen, with all groups that it is in.
fn user_is_seen(user: &UserId, snapshot: &Snapshot, view: &View<'_>) -> Result<(), Refusal> {
    let claim = Claim::Thing(Thing::User(user.clone()));
    if view.sight_of_users() != Sight::Clear {
        return Err(hidden("users", &shows(&claim)));
    }
    // A group that is told of by the user alone is there, and its entry in the list of groups is hidden.
    let is_listed = |group: &GroupId| snapshot.groups.as_ref().is_ok_and(|groups| groups.contains_key(group));
    match snapshot.groups_of(user).into_iter().find(|group| !is_listed(group)) {
        Some(group) => Err(hidden("groups", &shows(&Claim::Thing(Thing::Group(group))))),
        None => Ok(()),
    }
}

/// Whether all pools are seen: an entry on a pool may hide it from us alone.
fn pools_are_seen(snapshot: &Snapshot, view: &View<'_>) -> Result<(), Refusal> {
    let top = AclPath::observed("/pool");
    let pools = match &snapshot.pools {
        Ok(pools) => pools,
        Err(failure) => return Err(failure.clone().into()),
    };
    let entries = snapshot.acl.iter().flatten().map(|(key, _)| &key.path).filter(|path| path.is_within(&top));
    for path in std::iter::once(&top).chain(entries) {
        let needed = shows_pools(path.clone());
        if view.sight_by(&needed) != Sight::Clear {
            return Err(hidden("pools", &needed));
        }
    }
    for (id, pool) in pools {
        match &pool.members {
            Some(Ok(_)) => {}
            Some(Err(failure)) => return Err(failure.clone().into()),
            None => {
                let message = format!("the members of pool {id} were not read; it is tried again");
                return Err(Refusal::new(Reason::ProgressingWithRetry, message));
            }
        }
    }
    Ok(())
}

fn hidden(what: &str, needed: &Needed) -> Refusal {
    let message = format!("this cannot be told, since {what} may be hidden from the credential; grant it {needed}");
    Refusal::new(Reason::Forbidden, message)
}
