//! Secrets of clients on their way from Pocket ID's answer into Kubernetes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use k8s_openapi::ByteString;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use super::{PocketIdObject, Worker};
use crate::api::pocket_id_client::ClientSecretStatus;
use crate::api::status::SecretState;
use crate::api::{Object as _, PocketIdClient, ProxmoxRealm};
use crate::controller::kubernetes::Target;
use crate::controller::managed::Managed;
use crate::controller::parcel::{self, Contents, Parcel};
use crate::core::object::Mode;
use crate::core::pocket_id::ids::SecretId;
use crate::core::pocket_id::secret::{CLIENT_ID, CLIENT_SECRET, ClientSecret, ISSUER_URL, Secrecy};
use crate::core::pocket_id::wants::{client_id, overlap_of, secret_name, wish_of};
use crate::core::secret::Secret;
use crate::core::token::Issued;

/// What the Secret of a client holds.
pub(super) struct ClientContents {
    id: String,
    issuer: String,
}

impl Contents for ClientContents {
    fn render(&self, secret: &Secret) -> BTreeMap<String, Secret> {
        let Self { id, issuer } = self;
        let pairs = [
            (CLIENT_ID, Secret::new(id.clone())),
            (CLIENT_SECRET, secret.clone()),
            (ISSUER_URL, Secret::new(issuer.clone())),
        ];
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    fn read_back(&self, data: &BTreeMap<String, ByteString>) -> Option<Secret> {
        let text = |key: &str| data.get(key).and_then(|ByteString(bytes)| std::str::from_utf8(bytes).ok());
        let secret = text(CLIENT_SECRET).filter(|secret| !secret.is_empty())?;
        (text(CLIENT_ID) == Some(self.id.as_str())).then(|| Secret::new(secret))
    }
}

impl Worker {
    /// How it stands with the secret of each client, by uid; what is in hand is delivered first.
    pub(super) async fn secrets(
        &mut self,
        objects: &[PocketIdObject],
        issuer_url: &str,
    ) -> HashMap<String, (ClientSecret, Parcel<ClientContents>)> {
        self.in_hand.retain(|uid, _| objects.iter().any(|any| any.uid() == uid && !any.is_being_deleted()));
        let realms = self.context.index.realms_in(self.namespace());
        let mut secrets = HashMap::new();
        for any in objects.iter().filter(|any| any.mode() == Mode::Manage) {
            let PocketIdObject::Client(client) = any else { continue };
            let status = self.reporter.latest(any).client_secret.clone();
            let issued = status.as_ref().map(as_issued);
            let written_to = status.as_ref().map(|it| it.secret_name.clone());
            let mut parcel = self.parcel(client, issuer_url);
            let realms_have_it = issued.as_ref().and_then(|issued| realms_have(&realms, client.name(), issued.issue));
            let way = (&self.context.kubernetes, &self.permit);
            let token = parcel.settle(way, wish_of(client), issued, written_to, &mut self.in_hand).await;
            let current = parcel.issue.as_ref().and_then(|issue| issue.id.as_deref());
            let secret = ClientSecret {
                token,
                others: status.iter().flat_map(|it| &it.others).map(|id| SecretId::observed(id)).collect(),
                retiring: status.as_ref().is_some_and(|it| it.retiring),
                current: current.map(SecretId::observed),
                realms_have_it,
                overlap: overlap_of(client),
            };
            secrets.insert(any.uid().to_owned(), (secret, parcel));
        }
        secrets
    }

    fn parcel(&self, client: &PocketIdClient, issuer: &str) -> Parcel<ClientContents> {
        let template = client.spec.secret_template.clone().unwrap_or_default();
        Parcel {
            owner: parcel::owner(&Target::of(client)),
            namespace: self.namespace().to_owned(),
            name: secret_name(client).to_owned(),
            labels: template.labels,
            annotations: template.annotations,
            type_: "Opaque",
            former: None,
            contents: ClientContents { id: client_id(client).to_owned(), issuer: issuer.to_owned() },
            standing: None,
            issue: None,
        }
    }

    /// Takes the finalizer off; `left` is what stays in Pocket ID.
    pub(super) async fn let_go(&mut self, any: &PocketIdObject, left: &[impl std::fmt::Display]) {
        // The Secret of a client that stays must not be collected with its object: nobody could read it again.
        if let (PocketIdObject::Client(client), true) = (any, any.leaves_all() || !left.is_empty())
            && let Err(error) = {
                let former = self.reporter.latest(any).client_secret.as_ref().map(|it| it.secret_name.clone());
                let names = [Some(secret_name(client).to_owned()), former];
                let way = (&self.context.kubernetes, &self.permit);
                parcel::leave_all(way, client.namespace(), names.into_iter().flatten(), client.uid()).await
            }
        {
            tracing::warn!(object = %any.key(), %error, "its Secret could not be released; tried again");
            return;
        }
        self.reporter.let_go(any, left).await;
    }
}

/// Whether all realms that refer to a client have a secret of this number or a later one; `None` when none refers to it.
fn realms_have(realms: &[Arc<ProxmoxRealm>], client: &str, issue: i64) -> Option<bool> {
    let mut have = None;
    for realm in realms.iter().filter(|realm| refers(realm, client) && !realm.is_being_deleted()) {
        let in_use = realm.status.as_ref().and_then(|status| status.client_in_use.as_ref());
        let has = in_use.is_some_and(|it| it.name == client && it.issue >= issue);
        have = Some(have.unwrap_or(true) && has);
    }
    have
}

/// Whether a realm refers to a client.
pub(super) fn refers(realm: &ProxmoxRealm, client: &str) -> bool {
    realm.client_ref().is_some_and(|reference| reference.name == client)
}

/// What a status says of a client's secret, as the plan sees it.
fn as_issued(status: &ClientSecretStatus) -> Issued {
    let ClientSecretStatus {
        secret_state,
        secret_name: _,
        issue,
        issued_at,
        next_rotation: _,
        last_handled_rotate_at,
        others: _,
        retiring: _,
    } = status;
    Issued {
        state: *secret_state,
        issue: *issue,
        at: issued_at.as_ref().map(|at| at.0.as_second()),
        handled: last_handled_rotate_at.clone(),
        restoring: Vec::new(),
    }
}

/// What the plan says of a client's secret, as a status. Where it was delivered is kept until it is somewhere else.
pub(super) fn secret_status(
    secret: &ClientSecret,
    Secrecy { issued, others, retiring }: &Secrecy,
    previous: Option<&ClientSecretStatus>,
) -> ClientSecretStatus {
    let token = &secret.token;
    let lost = issued.state == SecretState::Delivered && !token.kept.has(issued);
    let name = previous.filter(|_| lost).map_or(&token.wish.secret_name, |previous| &previous.secret_name);
    let time = |at: i64| Timestamp::from_second(at).ok().map(Time);
    let ids = |ids: &BTreeSet<SecretId>| ids.iter().map(ToString::to_string).collect();
    ClientSecretStatus {
        secret_state: issued.state,
        secret_name: name.clone(),
        issue: issued.issue,
        issued_at: issued.at.and_then(time),
        next_rotation: token.due(issued).and_then(time),
        last_handled_rotate_at: issued.handled.clone(),
        others: ids(others),
        retiring: *retiring,
    }
}
