//! What a group wants.

use super::{References, Wants, found, key_of};
use crate::api::group::{OidcGroup, ProxmoxGroupSpec};
use crate::api::membership::{Member, MembershipPolicy};
use crate::api::{Object as _, ProxmoxGroup, ProxmoxRealm, ProxmoxUser, Reason};
use crate::core::claim::{Claim, Content, Membership, Scope, Thing, Wanted};
use crate::core::fields::Wishes;
use crate::core::ids::{GroupId, RealmId, UserId};
use crate::core::object::{ObjectKey, Refusal};
use crate::core::pocket_id::wants::group_name;
use crate::core::wants::realm::realm_id;
use crate::core::wants::user::user_id;

/// What a group wants.
pub fn of_group(group: &ProxmoxGroup, references: &References<'_>) -> Wants {
    let ProxmoxGroupSpec { management: _, group_id: _, oidc, comment, members, membership_policy } = &group.spec;
    let realm = oidc.iter().filter_map(|oidc| oidc.realm_ref.as_ref());
    let needs = realm.map(|realm| key_of::<ProxmoxRealm>(group.namespace(), realm)).collect();
    let policy = membership_policy.unwrap_or_default();
    let id = match group_id(group, references) {
        Ok(id) => id,
        Err(refusal) => {
            let open = (policy != MembershipPolicy::Ignore).then_some(Scope::AnyMembers).into_iter().collect();
            return Wants { open, ..Wants::refused(refusal) };
        }
    };
    let mut wishes = Wishes::default();
    wishes.text("comment", comment.as_deref());
    let mut wants = Wants::one(Thing::Group(id.clone()), Content::Fields(wishes), needs);
    let scope = Scope::Members(id.clone());
    match policy {
        MembershipPolicy::Ignore => return wants,
        MembershipPolicy::Additive => {}
        MembershipPolicy::Exact => drop(wants.exact.insert(scope.clone())),
    }
    for member in members {
        match member_of(group, member, references) {
            Ok((user, need)) => {
                let membership = Membership { group: id.clone(), user };
                let needs = need.into_iter().collect();
                wants.wanted.push(Wanted { needs, ..Wanted::new(Claim::Member(membership), Content::Member) });
            }
            Err(refusal) => wants.lacks(refusal, &scope, member.user_ref.is_some()),
        }
    }
    wants
}

fn member_of(
    group: &ProxmoxGroup,
    member: &Member,
    references: &References<'_>,
) -> Result<(UserId, Option<ObjectKey>), Refusal> {
    match member {
        Member { user: Some(user), user_ref: None } => Ok((UserId::parse(user)?, None)),
        Member { user: None, user_ref: Some(reference) } => {
            let user = found(&references.users, reference)?;
            Ok((user_id(user, references)?, Some(key_of::<ProxmoxUser>(group.namespace(), reference))))
        }
        Member { .. } => Err(Refusal::new(Reason::InvalidSpec, "a member is exactly one of user and userRef")),
    }
}

/// The id of a group in PVE: as written, computed as PVE does at login, or the object's name.
pub(super) fn group_id(group: &ProxmoxGroup, references: &References<'_>) -> Result<GroupId, Refusal> {
    let text = match (&group.spec.group_id, &group.spec.oidc) {
        (Some(id), _) => id.clone(),
        (None, Some(oidc)) => oidc_group_id(oidc, references)?,
        (None, None) => group.name().to_owned(),
    };
    Ok(GroupId::parse(&text)?)
}

/// The group that PVE puts users into at login: `<value of the claim>-<realm>`.
fn oidc_group_id(oidc: &OidcGroup, references: &References<'_>) -> Result<String, Refusal> {
    let OidcGroup { group, group_ref, realm, realm_ref } = oidc;
    let claim = match (group, group_ref) {
        (Some(group), None) => group.as_str(),
        (None, Some(reference)) => {
            let group = references.pocket_id_groups.get(&reference.name).ok_or_else(|| {
                let name = &reference.name;
                let message =
                    format!("PocketIdGroup {name} does not exist in this namespace; create it or correct groupRef");
                Refusal::new(Reason::DependencyNotReady, message)
            })?;
            group_name(group)
        }
        _ => return Err(Refusal::new(Reason::InvalidSpec, "oidc is exactly one of group and groupRef")),
    };
    let realm = match (realm, realm_ref) {
        (Some(realm), None) => RealmId::parse(realm)?,
        (None, Some(reference)) => realm_id(found(&references.realms, reference)?)?,
        _ => return Err(Refusal::new(Reason::InvalidSpec, "oidc is exactly one of realm and realmRef")),
    };
    Ok(format!("{claim}-{realm}"))
}
