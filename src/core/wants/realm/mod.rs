//! What a realm wants.

mod directory;
mod openid;
mod options;
mod roster;
mod tfa;

use options::Options;
pub use roster::source_of_realm;

use super::{References, Wants, client};
use crate::api::realm::{PamRealm, ProxmoxRealmSpec, PveRealm};
use crate::api::refs::KeyRef;
use crate::api::{Object as _, ProxmoxRealm, Reason};
use crate::core::claim::{Content, Thing, Wanted};
use crate::core::ids::{IdError, JobId, RealmId};
use crate::core::object::Refusal;
use crate::core::realm::RealmContent;

/// The Secret keys that a realm needs.
pub fn secrets_of_realm(realm: &ProxmoxRealm, references: &References<'_>) -> Vec<KeyRef> {
    let ProxmoxRealmSpec { openid, ldap, ad, tfa, .. } = &realm.spec;
    let openid = openid.iter().flat_map(|openid| [&openid.client_id_secret_ref, &openid.client_key_secret_ref]);
    let directories = ldap.iter().map(|ldap| &ldap.directory).chain(ad.iter().map(|ad| &ad.directory));
    let yubico = tfa.iter().filter_map(|tfa| tfa.yubico.as_ref());
    openid
        .flatten()
        .chain(directories.filter_map(|directory| directory.bind_password_secret_ref.as_ref()))
        .chain(yubico.map(|yubico| &yubico.api_key_secret_ref))
        .cloned()
        .chain(client::keys_of(realm, references))
        .collect()
}

/// What a realm wants.
pub fn of_realm(realm: &ProxmoxRealm, references: &References<'_>) -> Wants {
    let ProxmoxRealmSpec { management: _, realm: _, openid, ldap, ad, pam, pve, comment, default, tfa, sync_jobs } =
        &realm.spec;
    let id = match realm_id(realm) {
        Ok(id) => id,
        Err(error) => return Wants::refused(error.into()),
    };
    let external_id = Some(id.as_str().to_owned());
    let mut options = Options::default();
    options.text("comment", comment.as_deref());
    options.flag("default", *default);
    if let Some(tfa) = tfa {
        options.tfa(tfa, references);
    }
    let kind = match (openid, ldap, ad, pam, pve) {
        (Some(openid), None, None, None, None) => {
            options.openid(openid, references);
            "openid"
        }
        (None, Some(ldap), None, None, None) => {
            options.ldap(ldap, references);
            "ldap"
        }
        (None, None, Some(ad), None, None) => {
            options.ad(ad, references);
            "ad"
        }
        (None, None, None, Some(PamRealm {}), None) => "pam",
        (None, None, None, None, Some(PveRealm {})) => "pve",
        _ => {
            let message = "a realm is exactly one of openid, ldap, ad, pam and pve";
            return Wants::refused(Refusal::new(Reason::InvalidSpec, message));
        }
    };
    let roster = roster::of_realm(realm, &id, references);
    let Options { values, refusals, hidden, check_connection } = options;
    if !refusals.is_empty() {
        return Wants { external_id, refusals, unsure: true, roster, ..Wants::default() };
    }
    let content = Content::Realm(RealmContent { kind, options: values, check_connection });
    let mut wants = Wants::one(Thing::Realm(id.clone()), content, Vec::new());
    wants.roster = roster;
    for wanted in &mut wants.wanted {
        wanted.hidden.clone_from(&hidden);
    }
    for job in sync_jobs {
        match JobId::parse(&job.id) {
            Ok(job_id) => {
                let content = Content::Fields(directory::job(job, &id));
                wants.wanted.push(Wanted::new(Thing::SyncJob(job_id), content));
            }
            Err(error) => {
                wants.unsure = true;
                wants.refusals.push(error.into());
            }
        }
    }
    wants
}

/// The id of a realm in PVE.
///
/// # Errors
/// When it is none.
pub fn realm_id(realm: &ProxmoxRealm) -> Result<RealmId, IdError> {
    RealmId::parse(realm.spec.realm.as_deref().unwrap_or(realm.name()))
}
