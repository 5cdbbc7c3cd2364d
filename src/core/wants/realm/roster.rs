//! Who of a realm's users is still there, as its source says.

use crate::api::openid::{OpenIdUsers, UserSource};
use crate::api::refs::KeyRef;
use crate::api::{CONFIRM_REMOVALS, ProxmoxRealm, Reason};
use crate::core::ids::RealmId;
use crate::core::object::Refusal;
use crate::core::roster::{Present, Roster};
use crate::core::wants::References;

/// The ConfigMap key that has the users of a realm.
pub fn source_of_realm(realm: &ProxmoxRealm) -> Option<&KeyRef> {
    realm.spec.openid.as_ref()?.users.as_ref()?.source.as_ref()?.config_map_ref.as_ref()
}

/// What a realm knows of its users, where it has a source.
pub(super) fn of_realm(realm: &ProxmoxRealm, id: &RealmId, references: &References<'_>) -> Option<Roster> {
    let OpenIdUsers { auto_create: _, on_removal, source } = realm.spec.openid.as_ref()?.users.as_ref()?;
    let UserSource { config_map_ref } = source.as_ref()?;
    let present = match config_map_ref {
        Some(key) => read(key, id, references),
        None => Err("a source is exactly one of its fields; set configMapRef".to_owned()),
    };
    let unusable = |why| Refusal::new(Reason::SourceUnusable, format!("users of realm {id} stay as they are: {why}"));
    Some(Roster {
        realm: id.clone(),
        on_removal: on_removal.unwrap_or_default(),
        present: present.map_err(unusable),
        confirmed: realm.metadata.annotations.as_ref().and_then(|all| all.get(CONFIRM_REMOVALS)).cloned(),
    })
}

fn read(key: &KeyRef, realm: &RealmId, references: &References<'_>) -> Result<Present, String> {
    match references.config_maps.get(key) {
        Some(Ok(text)) => Present::parse(text, realm)
            .map_err(|error| format!("key {} of ConfigMap {}, their source, {error}", key.key, key.name)),
        Some(Err(refusal)) => Err(refusal.message.clone()),
        None => Err(format!("ConfigMap {} was not read in this pass", key.name)),
    }
}
