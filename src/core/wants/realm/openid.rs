//! The options of a realm of type openid.

use super::options::Options;
use crate::api::openid::{OpenIdGroups, OpenIdRealm, OpenIdUsers};
use crate::api::refs::ObjectRef;
use crate::core::wants::References;
use crate::core::wants::client::ClientKeys;

impl Options {
    /// Issuer, id and secret from a client of Pocket ID.
    fn client(&mut self, reference: &ObjectRef, references: &References<'_>) {
        match references.client(reference) {
            Ok(ClientKeys { issuer, id, secret }) => {
                self.secret("issuer-url", &issuer, references, true);
                self.secret("client-id", &id, references, true);
                self.secret("client-key", &secret, references, false);
            }
            Err(refusal) => self.refusals.push(refusal),
        }
    }

    pub fn openid(&mut self, openid: &OpenIdRealm, references: &References<'_>) {
        let OpenIdRealm {
            issuer_url,
            client_ref,
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
            audiences,
        } = openid;
        if let Some(reference) = client_ref {
            self.client(reference, references);
        }
        self.text("issuer-url", issuer_url.as_deref());
        self.text("client-id", client_id.as_deref());
        if let Some(reference) = client_id_secret_ref {
            self.secret("client-id", reference, references, true);
        }
        if let Some(reference) = client_key_secret_ref {
            self.secret("client-key", reference, references, false);
        }
        self.text("username-claim", username_claim.as_deref());
        if let Some(OpenIdUsers { auto_create, on_removal: _, source: _, provision: _, samples: _ }) = users {
            self.flag("autocreate", *auto_create);
        }
        if let Some(OpenIdGroups { claim, auto_create, overwrite }) = groups {
            self.text("groups-claim", claim.as_deref());
            self.flag("groups-autocreate", *auto_create);
            self.flag("groups-overwrite", *overwrite);
        }
        self.words("scopes", scopes.as_ref());
        self.text("acr-values", acr_values.as_ref().map(|values| values.join(",")).as_deref());
        self.text("audiences", audiences.as_ref().map(|values| values.join(",")).as_deref());
        self.text("prompt", prompt.as_deref());
        self.flag("query-userinfo", *query_userinfo);
    }
}
