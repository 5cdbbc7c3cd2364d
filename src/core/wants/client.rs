//! The client of Pocket ID that a realm refers to: its issuer, id and secret are in the Secret of the PocketIdClient.

use super::References;
use crate::api::refs::{KeyRef, ObjectRef};
use crate::api::status::{ClientInUse, SecretState};
use crate::api::{ProxmoxRealm, Reason};
use crate::core::object::Refusal;
use crate::core::pocket_id::secret::{CLIENT_ID, CLIENT_SECRET, ISSUER_URL};

/// The keys in the Secret of a client.
pub(super) struct ClientKeys {
    pub issuer: KeyRef,
    pub id: KeyRef,
    pub secret: KeyRef,
}

impl References<'_> {
    /// Where issuer, id and secret of a client are.
    ///
    /// # Errors
    /// When it is not there, or its secret is not known.
    pub(super) fn client(&self, reference: &ObjectRef) -> Result<ClientKeys, Refusal> {
        let refuse = |message| Err(Refusal::new(Reason::DependencyNotReady, message));
        let name = &reference.name;
        let Some(client) = self.clients.get(name) else {
            return refuse(format!(
                "PocketIdClient {name} does not exist in this namespace; create it or correct clientRef"
            ));
        };
        // Not the one that the spec names: it may be somebody else's.
        match client.status.as_ref().and_then(|status| status.client_secret.as_ref()) {
            Some(secret) if secret.secret_state == SecretState::Delivered => Ok(keys(&secret.secret_name)),
            Some(secret) if secret.secret_state == SecretState::Unknown => refuse(format!(
                "PocketIdClient {name} was taken over, and its secret is not known; give it a new one with the annotation {}, \
                     or write issuerUrl, clientId and clientKeySecretRef instead of clientRef",
                crate::api::ROTATE_REQUESTED_AT
            )),
            // While a new one is on its way the old one stays where it is.
            Some(secret) if secret.issue > 1 => Ok(keys(&secret.secret_name)),
            Some(_) | None => refuse(format!("PocketIdClient {name} has no secret yet; see its status")),
        }
    }
}

fn keys(secret: &str) -> ClientKeys {
    let key = |key: &str| KeyRef { name: secret.to_owned(), key: key.to_owned() };
    ClientKeys { issuer: key(ISSUER_URL), id: key(CLIENT_ID), secret: key(CLIENT_SECRET) }
}

/// The keys of the Secret that a realm needs for its client.
pub(super) fn keys_of<'a>(
    realm: &ProxmoxRealm,
    references: &'a References<'_>,
) -> impl Iterator<Item = KeyRef> + use<'a> {
    let keys = realm.client_ref().and_then(|reference| references.client(reference).ok());
    keys.into_iter().flat_map(|ClientKeys { issuer, id, secret }| [issuer, id, secret])
}

/// Which secret of its client stands in a realm that is as it should be.
pub fn client_in_use(realm: &ProxmoxRealm, references: &References<'_>) -> Option<ClientInUse> {
    let reference = realm.client_ref()?;
    let ClientKeys { issuer: _, id: _, secret } = references.client(reference).ok()?;
    let issue = references.secret(&secret).ok()?.issue?;
    Some(ClientInUse { name: reference.name.clone(), issue })
}
