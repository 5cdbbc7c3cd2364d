//! What a realm wants.

use std::collections::BTreeMap;

use super::{References, SecretValue, Wants};
use crate::api::openid::{OpenIdGroups, OpenIdRealm, OpenIdUsers};
use crate::api::realm::{PamRealm, ProxmoxRealmSpec, PveRealm};
use crate::api::refs::KeyRef;
use crate::api::{Object as _, ProxmoxRealm, Reason};
use crate::core::claim::{Content, Thing};
use crate::core::ids::{IdError, RealmId};
use crate::core::object::Refusal;
use crate::core::realm::RealmContent;
use crate::core::snapshot::OptionValue;

/// The Secret keys that a realm needs.
pub fn secrets_of_realm(realm: &ProxmoxRealm) -> impl Iterator<Item = &KeyRef> {
    let openid = realm.spec.openid.as_ref();
    openid.into_iter().flat_map(|openid| [&openid.client_id_secret_ref, &openid.client_key_secret_ref]).flatten()
}

/// What a realm wants.
pub fn of_realm(realm: &ProxmoxRealm, references: &References<'_>) -> Wants {
    let ProxmoxRealmSpec { management: _, realm: _, openid, pam, pve, comment, default } = &realm.spec;
    let id = match realm_id(realm) {
        Ok(id) => id,
        Err(error) => return Wants::refused(error.into()),
    };
    let external_id = Some(id.as_str().to_owned());
    let mut options = Options::default();
    options.text("comment", comment.as_deref());
    options.flag("default", *default);
    let kind = match (openid, pam, pve) {
        (Some(openid), None, None) => {
            options.openid(openid, references);
            "openid"
        }
        (None, Some(PamRealm {}), None) => "pam",
        (None, None, Some(PveRealm {})) => "pve",
        _ => return Wants::refused(Refusal::new(Reason::InvalidSpec, "a realm is exactly one of openid, pam and pve")),
    };
    let Options { options, refusals } = options;
    if !refusals.is_empty() {
        return Wants { external_id, refusals, unsure: true, ..Wants::default() };
    }
    Wants::one(Thing::Realm(id), Content::Realm(RealmContent { kind, options }), Vec::new())
}

pub(super) fn realm_id(realm: &ProxmoxRealm) -> Result<RealmId, IdError> {
    RealmId::parse(realm.spec.realm.as_deref().unwrap_or(realm.name()))
}

/// Options in the making: an unset field is not managed, an empty one removes the option.
#[derive(Default)]
struct Options {
    options: BTreeMap<String, Option<OptionValue>>,
    refusals: Vec<Refusal>,
}

impl Options {
    fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            let value = (!value.trim().is_empty()).then(|| OptionValue::Plain(value.to_owned()));
            self.options.insert(name.to_owned(), value);
        }
    }

    fn flag(&mut self, name: &str, value: Option<bool>) {
        self.text(name, value.map(|value| if value { "1" } else { "0" }));
    }

    fn words(&mut self, name: &str, value: Option<&Vec<String>>) {
        self.text(name, value.map(|words| words.join(" ")).as_deref());
    }

    fn secret(&mut self, name: &str, reference: &KeyRef, references: &References<'_>, show: bool) {
        match references.secret(reference) {
            Ok(SecretValue { value, version: _ }) => {
                let value = if show {
                    OptionValue::Plain(value.expose().to_owned())
                } else {
                    OptionValue::Secret(value.clone())
                };
                self.options.insert(name.to_owned(), Some(value));
            }
            Err(refusal) => self.refusals.push(refusal),
        }
    }

    fn openid(&mut self, openid: &OpenIdRealm, references: &References<'_>) {
        let OpenIdRealm {
            issuer_url,
            client_id,
            client_id_secret_ref,
            client_key_secret_ref,
            username_claim,
            users,
            groups,
            scopes,
            acr_values,
            prompt,
            query_userinfo,
        } = openid;
        self.text("issuer-url", Some(issuer_url));
        self.text("client-id", client_id.as_deref());
        if let Some(reference) = client_id_secret_ref {
            self.secret("client-id", reference, references, true);
        }
        if let Some(reference) = client_key_secret_ref {
            self.secret("client-key", reference, references, false);
        }
        self.text("username-claim", username_claim.as_deref());
        if let Some(OpenIdUsers { auto_create }) = users {
            self.flag("autocreate", *auto_create);
        }
        if let Some(OpenIdGroups { claim, auto_create, overwrite }) = groups {
            self.text("groups-claim", claim.as_deref());
            self.flag("groups-autocreate", *auto_create);
            self.flag("groups-overwrite", *overwrite);
        }
        self.words("scopes", scopes.as_ref());
        self.text("acr-values", acr_values.as_ref().map(|values| values.join(",")).as_deref());
        self.text("prompt", prompt.as_deref());
        self.flag("query-userinfo", *query_userinfo);
    }
}
