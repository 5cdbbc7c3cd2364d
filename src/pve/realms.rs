//! The options of realms, read again only when their file has changed.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use futures::future::{join, join_all};

use crate::core::failure::Failure;
use crate::core::ids::RealmId;
use crate::core::secret::Secret;
use crate::core::snapshot::{Listing, OptionValue, Realm, RealmOptions, Realms};
use crate::pve::error::{About, Noun};
use crate::pve::read::SnapshotScope;
use crate::pve::request::Request;
use crate::pve::session::Session;
use crate::pve::wire;

/// Always there, so its details tell the digest of the file (FACTS 60, 67).
const BUILT_IN: &str = "pam";

/// Options of realms by the digest of the file that they were read from.
#[derive(Debug, Default)]
pub struct RealmCache(Mutex<Option<Cached>>);

#[derive(Debug)]
struct Cached {
    digest: String,
    options: BTreeMap<RealmId, RealmOptions>,
}

impl RealmCache {
    fn get(&self, digest: &str, realm: &RealmId) -> Option<RealmOptions> {
        let cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cached.as_ref().filter(|cached| cached.digest == digest)?.options.get(realm).cloned()
    }

    fn put(&self, digest: &str, realm: &RealmId, options: &RealmOptions) {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.as_ref().is_none_or(|cached| cached.digest != digest) {
            *cached = Some(Cached { digest: digest.to_owned(), options: BTreeMap::new() });
        }
        if let Some(cached) = cached.as_mut() {
            cached.options.insert(realm.clone(), options.clone());
        }
    }
}

/// One realm as it was read.
pub(crate) struct Details {
    pub(crate) digest: Option<String>,
    pub(crate) options: RealmOptions,
}

impl Session {
    pub(crate) async fn realms(&self, scope: &SnapshotScope, cache: &RealmCache) -> Listing<Realms> {
        let built_in = RealmId::observed(BUILT_IN);
        let list = Request::get("/access/domains");
        let (list, details) = join(self.get::<Vec<wire::Realm>>(&list), self.realm(&built_in)).await;
        let mut realms: BTreeMap<RealmId, Realm> = list?
            .into_iter()
            .map(|realm| {
                let kind = realm.kind.0;
                (RealmId::observed(&realm.id.0), Realm { kind, default: realm.default.0, options: None })
            })
            .collect();
        let wanted = |realm: &&RealmId| scope.every_realm || scope.realms.contains(*realm);
        let asked: Vec<RealmId> = realms.keys().filter(wanted).cloned().collect();
        let digest = details.as_ref().ok().and_then(|details| details.digest.clone());
        let read = asked.iter().map(|realm| self.options(realm, &built_in, &details, cache));
        for (realm, options) in asked.iter().zip(join_all(read).await) {
            if let Some(realm) = realms.get_mut(realm) {
                realm.options = Some(options);
            }
        }
        Ok(Realms { digest, realms })
    }

    /// The options of one realm. When the digest cannot be read for lack of rights, no realm can be (FACTS 74).
    async fn options(
        &self,
        realm: &RealmId,
        built_in: &RealmId,
        details: &Result<Details, Failure>,
        cache: &RealmCache,
    ) -> Listing<RealmOptions> {
        let details = details.as_ref().map_err(Clone::clone)?;
        if realm == built_in {
            return Ok(details.options.clone());
        }
        let digest = details.digest.as_deref().unwrap_or_default();
        if let Some(options) = cache.get(digest, realm) {
            return Ok(options);
        }
        let read = self.realm(realm).await?;
        // Somebody changed the file between the two reads: these options belong to another digest.
        if read.digest.as_deref() == Some(digest) {
            cache.put(digest, realm, &read.options);
        }
        Ok(read.options)
    }

    /// Reads one realm.
    pub(crate) async fn realm(&self, realm: &RealmId) -> Result<Details, Failure> {
        let about = About::Thing(Noun::Realm, realm.as_str().to_owned());
        let request = Request::get("/access/domains/{realm}").id(realm.as_str()).about(about);
        let mut fields: wire::RealmFields = self.get(&request).await?;
        let digest = fields.remove("digest").and_then(|digest| scalar(&digest));
        for not_an_option in ["type", "plugin", "realm"] {
            fields.remove(not_an_option);
        }
        let options =
            fields.iter().filter_map(|(name, value)| Some((name.clone(), option(name, scalar(value)?)))).collect();
        Ok(Details { digest, options })
    }
}

/// The value of an option; `None` for one that counts as unset.
fn scalar(value: &serde_json::Value) -> Option<String> {
    let wire::Text(text) = serde::Deserialize::deserialize(value).ok()?;
    Some(text).filter(|text| !text.is_empty())
}

fn option(name: &str, text: String) -> OptionValue {
    // The settings of Yubico's second factor hold its API key.
    let secret = matches!(name, "client-key" | "password") || (name == "tfa" && text.contains("key="));
    if secret { OptionValue::Secret(Secret::new(text)) } else { OptionValue::Plain(text) }
}
