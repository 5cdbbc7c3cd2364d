//! What the policy asks for and nobody can see: nothing is allowed on a guess.

use super::super::fixtures::*;
use super::*;
use crate::core::claim::{Origin, PoolItem};
use crate::core::ids::{GuestId, PoolId};
use crate::core::object::{Adoption, Deletion, Mode};

/// Something that is not allowed because of what stands.
struct Unseen {
    name: &'static str,
    claim: Wanted,
    hide: fn(&mut Snapshot),
    /// Takes the limit out of the policy that asks for what is hidden.
    open: fn(&mut ConnectionPolicy),
}

fn paths(policy: &mut ConnectionPolicy) {
    policy.rules[0].paths = None;
}

fn groups(policy: &mut ConnectionPolicy) {
    policy.rules[0].group_ids = None;
}

/// The rules of a tenant alone: what is denied to everybody asks for other lists.
fn rules() -> ConnectionPolicy {
    ConnectionPolicy { denied_privileges: Some(Vec::new()), ..tenant() }
}

fn into_pool(snapshot: &mut Snapshot, pool: &str, guests: Option<Result<&[&str], Failure>>) {
    let items = |guests: &[&str]| guests.iter().map(|id| PoolItem::Guest(GuestId::observed(id))).collect();
    let pool = snapshot.pools.as_mut().expect("read").get_mut(&PoolId::observed(pool)).expect("a pool");
    pool.members = guests.map(|guests| guests.map(items));
}

/// Without the right to see something.
fn without(snapshot: &mut Snapshot, privileges: &[&str]) {
    let rest: Vec<&str> = ALL.iter().copied().filter(|it| !privileges.contains(it)).collect();
    snapshot.permissions = permissions(&["/", "/access", "/access/groups", "/pool"].map(|path| (path, &rest[..])));
}

fn unseen() -> Vec<Unseen> {
    let used = || role_with("TeamUsed", "VM.Audit");
    let on_pool = || grant("/pool/a", "Viewer", "group team-a");
    let realm = || realm_with("own", [("groups-claim", "groups")]);
    let case = |name, claim, open, hide| Unseen { name, claim, hide, open };
    vec![
        case("a role while entries could not be read", used(), paths, |it| it.acl = unread()),
        case("a role while entries are hidden", used(), paths, |it| {
            without(it, &["Sys.Audit", "Permissions.Modify"]);
            it.acl = Ok(BTreeMap::new());
        }),
        case("an entry on a pool while pools could not be read", on_pool(), paths, |it| it.pools = unread()),
        case("an entry on a pool with what is in it unread", on_pool(), paths, |it| {
            into_pool(it, "a", Some(unread()));
        }),
        case("an entry on a pool with nobody asking what is in it", on_pool(), paths, |it| into_pool(it, "a", None)),
        case("an entry on a pool that is hidden", on_pool(), paths, |it| {
            without(it, &["Pool.Audit", "Pool.Allocate"]);
            it.pools = Ok(BTreeMap::new());
        }),
        case("a guest out of a pool with what is in it unread", put("a", "100"), paths, |it| {
            into_pool(it, "other", Some(unread()));
        }),
        case("a realm that fills groups while these could not be read", realm(), groups, |it| it.groups = unread()),
        case("a realm that fills groups while these are hidden", realm(), groups, |it| {
            without(it, &["Sys.Audit", "Group.Allocate", "User.Modify"]);
            it.groups = Ok(BTreeMap::new());
        }),
    ]
}

#[test]
fn what_is_denied_when_it_is_seen_is_not_done_while_it_is_not() {
    for Unseen { name, claim, hide, open } in unseen() {
        let mut snapshot = standing();
        snapshot.roles.as_mut().expect("read").insert(RoleId::observed("TeamUsed"), no_privileges());
        let object = Object { wanted: vec![claim], adoption: Adoption::Always, ..object("tenant", []) };
        let mut policy = rules();
        let seen = planned(&object, &snapshot, &policy);
        assert_eq!(refusal(&seen, 0).0, Reason::PolicyDenied, "{name}: it is denied when it is seen");
        hide(&mut snapshot);
        let plan = planned(&object, &snapshot, &policy);
        assert!(plan.steps.is_empty() && plan.verdicts[0].ledger.is_empty(), "{name}: {:?}", plan.steps);
        let (reason, message) = refusal(&plan, 0);
        assert!(reason != Reason::PolicyDenied && message.contains("the policy of the connection asks"), "{message}");
        open(&mut policy);
        assert!(!planned(&object, &snapshot, &policy).verdicts[0].denied, "{name}: nothing asks for it any more");
    }
}

fn no_privileges() -> Role {
    Role { privileges: [].into(), special: false }
}

#[test]
fn what_can_be_read_again_is_judged_by_it() {
    let object = Object { wanted: vec![grant("/pool/a", "Viewer", "group team-a")], ..object("tenant", []) };
    for (guests, allowed) in [(["100"], true), (["101"], false)] {
        let mut snapshot = standing();
        into_pool(&mut snapshot, "a", Some(unread()));
        assert!(planned(&object, &snapshot, &rules()).steps.is_empty());
        into_pool(&mut snapshot, "a", Some(Ok(&guests)));
        let plan = planned(&object, &snapshot, &rules());
        assert_eq!((plan.steps.len(), plan.verdicts[0].denied), (usize::from(allowed), !allowed), "{guests:?}");
    }
}

/// It would be left for ever, since a list was not read once.
#[test]
fn what_was_taken_over_and_is_to_be_deleted_waits_while_the_policy_cannot_be_judged() {
    let claim = entry("/vms/100", "A", "team-a");
    let snapshot = with(empty(), [group("team-a"), claim.clone()]);
    let policy = ConnectionPolicy { rules: vec![PolicyRule::default()], ..ConnectionPolicy::default() };
    for (deletion, origin, waits) in [
        (Some(Deletion::Delete), Origin::Adopted, true),
        // What was made goes, and what is to stay stays, whatever the policy would say.
        (Some(Deletion::Delete), Origin::Created, false),
        (Some(Deletion::Orphan), Origin::Adopted, false),
        (None, Origin::Adopted, false),
    ] {
        let ledger = [held(claim.clone(), origin)].into();
        let object = Object { mode: Mode::Deleting, deletion, ledger, ..object("o", []) };
        let removes = deletion == Some(Deletion::Delete);
        assert_eq!(planned(&object, &snapshot, &policy).steps.len(), usize::from(removes), "it is allowed");
        let blind = Snapshot { users: unread(), ..snapshot.clone() };
        let plan = planned(&object, &blind, &policy);
        assert_eq!(plan.steps.len(), usize::from(removes && !waits), "{deletion:?} {origin:?}");
        assert_eq!(plan.verdicts[0].left.is_empty(), removes, "{deletion:?} {origin:?}");
        if waits {
            assert_eq!(plan.verdicts[0].ledger, object.ledger, "it stays in the object's hands");
            assert_eq!(refusal(&plan, 0).0, Reason::DeletionBlocked);
        }
    }
}
