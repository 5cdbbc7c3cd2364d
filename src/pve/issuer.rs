//! Whether Proxmox VE reaches the provider of an OpenID realm.

use std::sync::Arc;

use crate::core::failure::{Failure, FailureKind};
use crate::core::ids::RealmId;
use crate::pve::request::Request;
use crate::pve::session::Session;
use crate::pve::transport::Authorization;

impl Session {
    /// Has Proxmox VE contact the issuer of a realm, as it does when somebody begins to sign in. Nothing is changed and no
    /// credential is sent: the call needs none (recording `openid-calls`). The future holds nothing of the session, since
    /// Proxmox VE may wait long for an issuer. It answers with why the issuer does not work, if it does not; `None` also
    /// when Proxmox VE says nothing about it.
    pub fn issuer_trouble(&self, realm: &RealmId) -> impl Future<Output = Option<String>> + Send + use<> {
        let transport = Arc::clone(&self.transport);
        let request = Request::login("/access/openid/auth-url")
            .form("realm", realm.as_str())
            .form("redirect-url", transport.endpoint());
        async move {
            let answer = transport.send(&request, &Authorization::default()).await;
            let Err(Failure { kind, message }) = answer else { return None };
            // A missing answer is most likely one that Proxmox VE waits for itself.
            matches!(kind, FailureKind::Other | FailureKind::Unreachable).then_some(message)
        }
    }
}
