//! Who of a realm's users is there, as its source says.

use crate::api::openid::{OpenIdRealm, OpenIdUsers, UserSource};
use crate::api::refs::{KeyRef, ObjectRef};
use crate::api::{CONFIRM_REMOVALS, ProxmoxRealm, Reason};
use crate::core::fields::Fields;
use crate::core::ids::{GroupId, RealmId};
use crate::core::object::Refusal;
use crate::core::pocket_id::audience::{Audience, Person, is_taken};
use crate::core::roster::{Newcomer, Present, Provision, Roster};
use crate::core::snapshot::OptionValue;
use crate::core::wants::References;

/// The claim in which Pocket ID lists groups.
const GROUPS: &str = "groups";

/// The ConfigMap key that has the users of a realm.
pub fn source_of_realm(realm: &ProxmoxRealm) -> Option<&KeyRef> {
    realm.spec.openid.as_ref()?.users.as_ref()?.source.as_ref()?.config_map_ref.as_ref()
}

/// What a realm knows of its users, where it has a source.
pub(super) fn of_realm(realm: &ProxmoxRealm, id: &RealmId, references: &References<'_>) -> Option<Roster> {
    let openid = realm.spec.openid.as_ref()?;
    let OpenIdUsers { auto_create: _, on_removal, source, provision, samples: _ } = openid.users.as_ref()?;
    let UserSource { config_map_ref, pocket_id_client_ref } = source.as_ref()?;
    let (mut newcomers, mut asked_in) = (None, None);
    let present = match (config_map_ref, pocket_id_client_ref) {
        (Some(key), None) => read(key, id, references),
        (None, Some(client)) => audience(client, references).and_then(|audience| {
            asked_in = Some(audience.asked_in);
            let people = people(&audience.people, openid, id);
            let expected =
                audience.expected.iter().filter_map(|it| it.user_id(openid.username_claim.as_deref(), id).ok());
            let users = people.iter().map(|newcomer| newcomer.user.clone()).chain(expected).collect();
            newcomers = provision.then_some(people);
            Present::of(users).map_err(|error| format!("PocketIdClient {}, their source, {error}", client.name))
        }),
        _ => Err("a source is exactly one of its fields; set configMapRef or pocketIdClientRef".to_owned()),
    };
    let overwrite = openid.groups.as_ref().and_then(|groups| groups.overwrite).unwrap_or_default();
    let unusable = |why| Refusal::new(Reason::SourceUnusable, format!("users of realm {id} stay as they are: {why}"));
    Some(Roster {
        realm: id.clone(),
        on_removal: on_removal.unwrap_or_default(),
        present: present.map_err(unusable),
        asked_in,
        confirmed: realm.metadata.annotations.as_ref().and_then(|all| all.get(CONFIRM_REMOVALS)).cloned(),
        provision: newcomers.map(|people| Provision { people, overwrite }),
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

fn audience<'a>(client: &ObjectRef, references: &'a References<'_>) -> Result<&'a Audience, String> {
    match references.audiences.get(&client.name) {
        Some(Ok(audience)) => Ok(audience),
        Some(Err(why)) => Err(why.clone()),
        None => Err(format!("PocketIdClient {} was not read in this pass", client.name)),
    }
}

/// Whom Proxmox VE takes of those whom a client of Pocket ID lets in.
fn people(people: &[Person], openid: &OpenIdRealm, realm: &RealmId) -> Vec<Newcomer> {
    let told = openid.groups.as_ref().and_then(|groups| groups.claim.as_deref()) == Some(GROUPS);
    let newcomer = |person: &Person| {
        let user = person.user_id(openid.username_claim.as_deref(), realm).ok()?;
        let groups = person.groups.iter().filter(|group| told && is_taken(group));
        let groups = groups.filter_map(|group| GroupId::parse(&format!("{group}-{realm}")).ok()).collect();
        Some(Newcomer { user, fields: fields(person), groups })
    };
    people.iter().filter_map(newcomer).collect()
}

/// What a sign-in would give a new user.
fn fields(person: &Person) -> Fields {
    let Person { subject: _, name: _, email, first_name, last_name, groups: _ } = person;
    // Proxmox VE refuses others, and then the whole user.
    let email = email.as_deref().filter(|email| email.len() <= 254 && email.contains('@') && !email.contains(' '));
    let texts = [("email", email), ("firstname", Some(first_name.as_str())), ("lastname", Some(last_name.as_str()))];
    let set = texts.into_iter().filter_map(|(name, text)| Some((name, text.filter(|text| !text.is_empty())?)));
    set.map(|(name, text)| (name.to_owned(), OptionValue::Plain(text.to_owned()))).collect()
}
