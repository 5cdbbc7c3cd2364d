//! Which privileges the objects of a connection need, and which of them its credential lacks.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::claim::{Claim, Thing};
use crate::core::ids::AclPath;
use crate::core::object::{Mode, Object};
use crate::core::roster::Roster;
use crate::core::visibility::View;

/// A privilege, and where it is needed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Where.
    pub path: AclPath,
    /// What.
    pub privilege: &'static str,
}

/// What the objects need to be written and removed, each with the kinds that need it.
pub fn of<'a>(objects: impl IntoIterator<Item = &'a Object>) -> BTreeMap<Need, BTreeSet<&'static str>> {
    let mut needs: BTreeMap<Need, BTreeSet<&'static str>> = BTreeMap::new();
    for object in objects {
        let mut last = None;
        for claim in object.wanted.iter().map(|wanted| &wanted.claim).chain(object.ledger.keys()) {
            // An object may have very many entries on one path, which all need the same.
            let path = if let Claim::Acl(key) = claim { Some(&key.path) } else { None };
            if path.is_some() && std::mem::replace(&mut last, path) == path {
                continue;
            }
            for need in of_claim(claim) {
                needs.entry(need).or_default().insert(object.key.kind);
            }
        }
        if object.roster.as_ref().is_some_and(Roster::writes) {
            let need = Need { path: AclPath::observed("/access/groups"), privilege: "User.Modify" };
            needs.entry(need).or_default().insert(object.key.kind);
        }
    }
    needs
}

/// What the managed objects need and the credential certainly lacks: what cannot be told is not said.
pub fn missing(objects: &[Object], view: &View<'_>) -> BTreeMap<Need, BTreeSet<&'static str>> {
    let written = objects.iter().filter(|object| matches!(object.mode, Mode::Manage | Mode::Deleting));
    let mut needs = of(written);
    needs.retain(|Need { path, privilege }, _| {
        let mut enough = vec![*privilege];
        enough.extend(instead(path, privilege));
        view.holds(path, &enough) == Some(false)
    });
    needs
}

/// Whether a credential that lacks these privileges could not write a claim.
pub fn is_lacked(claim: &Claim, missing: &BTreeSet<(&str, &str)>) -> bool {
    of_claim(claim).iter().any(|Need { path, privilege }| missing.contains(&(*privilege, path.as_str())))
}

/// The facts: `operator-token`, `users-limited`, `jobs-limited`, `pools-limited`, `acl-limited`.
fn of_claim(claim: &Claim) -> Vec<Need> {
    let need = |path: &str, privilege| Need { path: AclPath::observed(path), privilege };
    match claim {
        Claim::Thing(Thing::Realm(_)) => vec![need("/access/realm", "Realm.Allocate")],
        Claim::Thing(Thing::SyncJob(_)) => vec![
            need("/", "Sys.Audit"),
            need("/", "Sys.Modify"),
            need("/access/groups", "User.Modify"),
            need("/access/realm", "Realm.AllocateUser"),
        ],
        Claim::Thing(Thing::Role(_)) => vec![need("/access", "Sys.Modify")],
        Claim::Thing(Thing::Group(_)) => vec![need("/access/groups", "Group.Allocate")],
        Claim::Thing(Thing::User(id)) => vec![
            need("/access/groups", "User.Modify"),
            need(&format!("/access/realm/{}", id.realm()), "Realm.AllocateUser"),
        ],
        Claim::Thing(Thing::Token(_)) | Claim::Member(_) => vec![need("/access/groups", "User.Modify")],
        Claim::Thing(Thing::Pool(id)) | Claim::PoolMember(id, _) => {
            ["Pool.Allocate", "Pool.Audit"].map(|privilege| Need { path: id.acl_path(), privilege }).to_vec()
        }
        Claim::Acl(key) => vec![Need { path: key.path.clone(), privilege: "Permissions.Modify" }],
    }
}

/// What serves as well, for roles that hold nothing more than the credential itself (FACTS 57).
fn instead(path: &AclPath, privilege: &str) -> Option<&'static str> {
    let below = |top: &str| path.as_str().starts_with(top);
    match privilege {
        "Permissions.Modify" if below("/vms/") => Some("VM.Allocate"),
        "Permissions.Modify" if below("/storage/") => Some("Datastore.Allocate"),
        "Permissions.Modify" if below("/pool/") => Some("Pool.Allocate"),
        _ => None,
    }
}
