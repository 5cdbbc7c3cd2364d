//! What a group wants.

use super::{References, Wants, missing};
use crate::api::group::{OidcGroup, ProxmoxGroupSpec};
use crate::api::refs::ObjectRef;
use crate::api::{Object as _, ProxmoxGroup, ProxmoxRealm, Reason};
use crate::core::claim::{Claim, Content};
use crate::core::ids::{GroupId, RealmId};
use crate::core::object::{ObjectKey, Refusal};
use crate::core::wants::realm::realm_id;

/// What a group wants.
pub fn of_group(group: &ProxmoxGroup, references: &References<'_>) -> Wants {
    let ProxmoxGroupSpec { management: _, group_id: _, oidc, comment } = &group.spec;
    let needs = oidc.iter().filter_map(|oidc| realm_key(group, oidc.realm_ref.as_ref()?).into()).collect();
    match group_id(group, references) {
        Ok(id) => Wants::one(id.clone().as_str(), Claim::Group(id), Content::Group { comment: comment.clone() }, needs),
        Err(refusal) => Wants::refused(refusal),
    }
}

fn realm_key(group: &ProxmoxGroup, realm: &ObjectRef) -> ObjectKey {
    ObjectKey { kind: ProxmoxRealm::KIND, namespace: group.namespace().to_owned(), name: realm.name.clone() }
}

/// The id of a group in PVE: as written, computed as PVE does at login, or the object's name.
pub(super) fn group_id(group: &ProxmoxGroup, references: &References<'_>) -> Result<GroupId, Refusal> {
    let text = match (&group.spec.group_id, &group.spec.oidc) {
        (Some(id), _) => id.clone(),
        (None, Some(OidcGroup { group: claim, realm: Some(realm), .. })) => {
            format!("{claim}-{}", RealmId::parse(realm)?)
        }
        (None, Some(OidcGroup { group: claim, realm: None, realm_ref: Some(reference) })) => {
            let realm =
                references.realms.get(reference.name.as_str()).ok_or_else(|| missing(ProxmoxRealm::KIND, reference))?;
            format!("{claim}-{}", realm_id(realm)?)
        }
        (None, Some(OidcGroup { realm: None, realm_ref: None, .. })) => {
            return Err(Refusal::new(Reason::InvalidSpec, "oidc needs realm or realmRef"));
        }
        (None, None) => group.name().to_owned(),
    };
    Ok(GroupId::parse(&text)?)
}
