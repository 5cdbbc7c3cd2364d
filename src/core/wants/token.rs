//! What a token wants.

use super::{References, Wants, found, key_of};
use crate::api::object::System;
use crate::api::token::{OnLostSecret, ProxmoxTokenSpec, Rotation};
use crate::api::{Object as _, ProxmoxToken, ProxmoxUser, ROTATE_REQUESTED_AT, Reason};
use crate::core::claim::{Content, Thing};
use crate::core::fields::Wishes;
use crate::core::ids::{TokenId, UserId};
use crate::core::object::{ObjectKey, Refusal};
use crate::core::secret::Secret;
use crate::core::token::Wish;
use crate::core::token::template::{Contents, render};
use crate::core::wants::user::{expiry, user_id};

/// What a token wants, but for the time when its present secret expires.
pub fn of_token(token: &ProxmoxToken, references: &References<'_>) -> Wants {
    let ProxmoxTokenSpec {
        management: _,
        user: _,
        user_ref: _,
        token_id: _,
        privilege_separation,
        expires_at,
        lifetime: _,
        comment,
        secret_template,
        rotation: _,
    } = &token.spec;
    let (id, need) = match token_and_user(token, references) {
        Ok(named) => named,
        Err(refusal) => return Wants::refused(refusal),
    };
    let template = secret_template.clone().unwrap_or_default();
    if let Err(error) = render(&template, &Contents { token: &id, secret: &Secret::new(""), endpoint: "" }) {
        let refusal = Refusal::new(Reason::InvalidSpec, error.to_string());
        return Wants { external_id: Some(id.to_string()), ..Wants::refused(refusal) };
    }
    let mut wishes = Wishes::default();
    wishes.flag("privsep", Some(*privilege_separation));
    wishes.text("comment", comment.as_deref());
    match expires_at.as_deref().map(expiry).transpose() {
        Ok(expire) => expire.into_iter().for_each(|expire| wishes.value("expire", expire.to_string())),
        Err(refusal) => return Wants { external_id: Some(id.to_string()), ..Wants::refused(refusal) },
    }
    Wants::one(Thing::Token(id), Content::Fields(wishes), need.into_iter().collect())
}

/// The id of a token in PVE.
///
/// # Errors
/// When it is none, or its user is not known yet.
pub fn token_id(token: &ProxmoxToken, references: &References<'_>) -> Result<TokenId, Refusal> {
    token_and_user(token, references).map(|(id, _)| id)
}

fn token_and_user(token: &ProxmoxToken, references: &References<'_>) -> Result<(TokenId, Option<ObjectKey>), Refusal> {
    let (user, need) = match (&token.spec.user, &token.spec.user_ref) {
        (Some(user), None) => (UserId::parse(user)?, None),
        (None, Some(reference)) => {
            let user = user_id(found(&references.users, reference)?, references)?;
            (user, Some(key_of::<ProxmoxUser>(token.namespace(), reference)))
        }
        _ => return Err(Refusal::new(Reason::InvalidSpec, "a token has exactly one of user and userRef")),
    };
    Ok((TokenId::of(&user, token.spec.token_id.as_deref().unwrap_or(token.name()))?, need))
}

/// The name of the Secret that a token is written into.
pub fn secret_name(token: &ProxmoxToken) -> &str {
    token.spec.secret_template.as_ref().and_then(|template| template.name.as_deref()).unwrap_or(token.name())
}

/// What a token's spec says of its secret.
pub fn wish_of(token: &ProxmoxToken) -> Wish {
    let seconds = |duration: &Option<kube::core::Duration>| {
        duration.map(|duration| i64::try_from(std::time::Duration::from(duration).as_secs()).unwrap_or(i64::MAX))
    };
    let lifetime = seconds(&token.spec.lifetime);
    let (mut replace_after, mut rotate_lost) = (None, false);
    if let Some(Rotation { interval, before_expiry, on_lost_secret }) = &token.spec.rotation {
        let before_end = lifetime.map(|lifetime| lifetime - seconds(before_expiry).unwrap_or(lifetime / 3));
        replace_after = [seconds(interval), before_end].into_iter().flatten().min();
        rotate_lost = on_lost_secret.unwrap_or_default() == OnLostSecret::Rotate;
    }
    let annotations = token.metadata.annotations.as_ref();
    let requested = annotations.and_then(|annotations| annotations.get(ROTATE_REQUESTED_AT).cloned());
    Wish {
        lifetime,
        replace_after,
        rotate_lost,
        requested,
        secret_name: secret_name(token).to_owned(),
        system: System::ProxmoxVe,
    }
}
