//! Users that are gone from the source of their realm.

mod done;
mod left;

use std::collections::{BTreeMap, BTreeSet};

use super::fixtures::*;
use crate::api::openid::OnRemoval;
use crate::core::claim::{Content, Entry, Origin, Progress, Scope, Thing, Wanted};
use crate::core::ids::{GroupId, RealmId, TokenId, UserId};
use crate::core::object::Mode;
use crate::core::plan::*;
use crate::core::realm::RealmContent;
use crate::core::roster::{Present, Roster};
use crate::core::snapshot::{Credential, Realm};

/// The realm with these users in its source, and the object that holds it.
pub fn realm(on_removal: OnRemoval, present: &str) -> Object {
    let id = RealmId::observed("oid");
    let content = Content::Realm(RealmContent { kind: "openid", options: BTreeMap::new(), check_connection: false });
    let claim = Claim::Thing(Thing::Realm(id.clone()));
    let unusable = |error: crate::core::roster::RosterError| Refusal::new(Reason::SourceUnusable, error.to_string());
    let present = Present::parse(present, &id).map_err(unusable);
    Object {
        ledger: [(claim.clone(), Entry { origin: Origin::Created, progress: Progress::Applied })].into(),
        roster: Some(Roster { realm: id, on_removal, present, asked_in: None, confirmed: None, provision: None }),
        wanted: vec![Wanted::new(claim, content)],
        ..object("realm", [])
    }
}

/// A realm with these users, and one of another realm in the same group.
pub fn pve(users: &[&str]) -> Snapshot {
    let mut snapshot = empty();
    let options = Some(Ok(BTreeMap::new()));
    let oid = Realm { kind: "openid".to_owned(), default: false, options };
    snapshot.realms.as_mut().expect("read").realms.insert(RealmId::observed("oid"), oid);
    let claims = users.iter().flat_map(|user| [member("g", user), member("h", user)]);
    with(snapshot, claims.chain([member("g", "other@pve")]))
}

fn enabled(snapshot: &Snapshot) -> Vec<String> {
    let users = snapshot.users.as_ref().expect("read").iter();
    users.filter(|(_, user)| user.enabled).map(|(id, _)| id.to_string()).collect()
}

fn members(snapshot: &Snapshot, group: &str) -> Vec<String> {
    let users = snapshot.users.as_ref().expect("read").iter();
    let group = GroupId::observed(group);
    users.filter(|(_, user)| user.groups.contains(&group)).map(|(id, _)| id.to_string()).collect()
}

fn warning(plan: &Plan) -> Option<(Reason, String)> {
    let warning = plan.verdicts[0].warning.as_ref()?;
    Some((warning.reason, warning.message.clone()))
}

fn warned(plan: &Plan, reason: Reason, says: &[&str]) {
    let (told, message) = warning(plan).expect("a warning");
    assert_eq!(told, reason, "{message}");
    for words in says {
        assert!(message.contains(words), "{message}\nlacks: {words}");
    }
}

/// An object for one user, as a ProxmoxUser is.
fn own_object(name: &str, claims: impl IntoIterator<Item = Claim>) -> Object {
    let mut object = object(name, claims);
    object.key.kind = "ProxmoxUser";
    object
}
