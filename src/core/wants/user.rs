//! What a user wants.

use std::str::FromStr;

use k8s_openapi::jiff::Timestamp;

use super::{References, Wants, found, key_of};
use crate::api::membership::{GroupOfUser, MembershipPolicy};
use crate::api::refs::KeyRef;
use crate::api::user::ProxmoxUserSpec;
use crate::api::{Object as _, ProxmoxGroup, ProxmoxRealm, ProxmoxUser, Reason};
use crate::core::claim::{Claim, Content, Membership, Scope, Thing, Wanted};
use crate::core::fields::Wishes;
use crate::core::ids::{GroupId, RealmId, UserId};
use crate::core::object::{ObjectKey, Refusal};
use crate::core::snapshot::OptionValue;
use crate::core::wants::group::group_id;
use crate::core::wants::realm::realm_id;

/// The Secret keys that a user needs.
pub fn secrets_of_user(user: &ProxmoxUser) -> impl Iterator<Item = &KeyRef> {
    [&user.spec.password_secret_ref, &user.spec.keys_secret_ref].into_iter().flatten()
}

/// What a user wants.
pub fn of_user(user: &ProxmoxUser, references: &References<'_>) -> Wants {
    let ProxmoxUserSpec {
        management: _,
        user_id: _,
        user_name: _,
        realm: _,
        realm_ref,
        enabled,
        expires_at,
        first_name,
        last_name,
        email,
        comment,
        groups,
        membership_policy,
        password_secret_ref,
        keys_secret_ref,
    } = &user.spec;
    let id = match user_id(user, references) {
        Ok(id) => id,
        Err(refusal) => {
            let open = [Scope::AnyMembers].into();
            return Wants { open, ..Wants::refused(refusal) };
        }
    };
    let mut wishes = Wishes::default();
    wishes.flag("enable", *enabled);
    wishes.text("firstname", first_name.as_deref());
    wishes.text("lastname", last_name.as_deref());
    wishes.text("email", email.as_deref());
    wishes.text("comment", comment.as_deref());
    let needs = realm_ref.iter().map(|realm| key_of::<ProxmoxRealm>(user.namespace(), realm)).collect();
    let thing = Thing::User(id.clone());
    let mut wants = Wants::default();
    match expires_at.as_deref().map(expiry).transpose() {
        Ok(expire) => expire.into_iter().for_each(|expire| wishes.value("expire", expire.to_string())),
        Err(refusal) => wants.refusals.push(refusal),
    }
    match keys_secret_ref.as_ref().map(|reference| references.secret(reference)).transpose() {
        Ok(keys) => keys.into_iter().for_each(|keys| {
            wishes.0.insert("keys", Some(OptionValue::Secret(keys.value.clone())));
        }),
        Err(refusal) => wants.refusals.push(refusal),
    }
    let hidden = match password_secret_ref.as_ref().map(|it| references.hidden("password", it)).transpose() {
        Ok(hidden) => hidden,
        Err(refusal) => {
            wants.refusals.push(refusal);
            None
        }
    };
    if wants.refusals.is_empty() {
        let wanted = Wanted { hidden, needs, ..Wanted::new(thing, Content::Fields(wishes)) };
        wants.wanted.push(wanted);
    } else {
        wants.unsure = true;
    }
    wants.external_id = Some(id.to_string());
    wants.groups_of(user, &id, groups, membership_policy.unwrap_or_default(), references);
    wants
}

impl Wants {
    fn groups_of(
        &mut self,
        user: &ProxmoxUser,
        id: &UserId,
        groups: &[GroupOfUser],
        policy: MembershipPolicy,
        references: &References<'_>,
    ) {
        let scope = Scope::Groups(id.clone());
        match policy {
            MembershipPolicy::Ignore => return,
            MembershipPolicy::Additive => {}
            MembershipPolicy::Exact => drop(self.exact.insert(scope.clone())),
        }
        for group in groups {
            match group_of(user, group, references) {
                Ok((group, need)) => {
                    let membership = Membership { group, user: id.clone() };
                    let needs = need.into_iter().collect();
                    self.wanted.push(Wanted { needs, ..Wanted::new(Claim::Member(membership), Content::Member) });
                }
                Err(refusal) => self.lacks(refusal, &scope, group.group_ref.is_some()),
            }
        }
    }
}

fn group_of(
    user: &ProxmoxUser,
    group: &GroupOfUser,
    references: &References<'_>,
) -> Result<(GroupId, Option<ObjectKey>), Refusal> {
    match group {
        GroupOfUser { group: Some(group), group_ref: None } => Ok((GroupId::parse(group)?, None)),
        GroupOfUser { group: None, group_ref: Some(reference) } => {
            let group = found(&references.groups, reference)?;
            Ok((group_id(group, references)?, Some(key_of::<ProxmoxGroup>(user.namespace(), reference))))
        }
        GroupOfUser { .. } => Err(Refusal::new(Reason::InvalidSpec, "a group is exactly one of group and groupRef")),
    }
}

/// The id of a user in PVE.
pub(super) fn user_id(user: &ProxmoxUser, references: &References<'_>) -> Result<UserId, Refusal> {
    let name = || user.spec.user_name.as_deref().unwrap_or(user.name());
    match (&user.spec.user_id, &user.spec.realm, &user.spec.realm_ref) {
        (Some(id), None, None) => Ok(UserId::parse(id)?),
        (None, Some(realm), None) => Ok(UserId::parse(&format!("{}@{}", name(), RealmId::parse(realm)?))?),
        (None, None, Some(reference)) => {
            let realm = realm_id(found(&references.realms, reference)?)?;
            Ok(UserId::parse(&format!("{}@{realm}", name()))?)
        }
        _ => Err(Refusal::new(Reason::InvalidSpec, "a user has exactly one of userId, realm and realmRef")),
    }
}

/// Seconds since 1970; an empty text is never, which PVE writes as 0.
pub(super) fn expiry(text: &str) -> Result<i64, Refusal> {
    if text.is_empty() {
        return Ok(0);
    }
    Timestamp::from_str(text)
        .map(Timestamp::as_second)
        .map_err(|error| Refusal::new(Reason::InvalidSpec, format!("{text} is no time: {error}")))
}
