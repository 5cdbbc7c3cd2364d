//! Secrets of clients on their way from Pocket ID's answer into Kubernetes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use k8s_openapi::ByteString;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use super::{PocketIdObject, Worker};
use crate::api::pocket_id_client::ClientSecretStatus;
use crate::api::status::SecretState;
use crate::api::{Object as _, PocketIdClient, ProxmoxRealm};
use crate::controller::managed::Managed;
use crate::controller::parcel::{self, Contents, InHand, Parcel};
use crate::core::object::Mode;
use crate::core::pocket_id::ids::SecretId;
use crate::core::pocket_id::secret::{CLIENT_ID, CLIENT_SECRET, ClientSecret, ISSUER_URL, Secrecy};
use crate::core::pocket_id::wants::{client_id, overlap_of, secret_name, wish_of};
use crate::core::secret::Secret;
use crate::core::token::{Issued, Kept, Token};

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
            let status = self.reporter.latest(any).client_secret;
            let issued = status.as_ref().map(as_issued);
            let delivered_to =
                status.as_ref().filter(|it| it.secret_state == SecretState::Delivered).map(|it| it.secret_name.clone());
            let mut parcel = Parcel {
                former: delivered_to.filter(|name| name != secret_name(client)),
                ..self.parcel(client, issuer_url)
            };
            let delivered = issued.as_ref().is_none_or(|issued| issued.state != SecretState::Pending);
            let mut kept = parcel.kept(&self.context.kubernetes, &self.permit, delivered).await;
            if parcel.former.is_some() && matches!(kept, Kept::Ours { .. }) {
                // It has moved: which of the secrets it holds is read where it is now.
                kept = parcel.kept(&self.context.kubernetes, &self.permit, delivered).await;
            }
            let mut current = parcel.secret_id();
            if let (Some(InHand { issue, secret }), Kept::Absent | Kept::Ours { .. }) =
                (self.in_hand.get(any.uid()), &kept)
                && parcel.deliver(&self.context.kubernetes, &self.permit, issue, secret).await
            {
                kept = Kept::Ours { issue: issue.number, holds: true };
                current.clone_from(&issue.id);
                self.in_hand.remove(any.uid());
            }
            let in_hand = self.in_hand.contains_key(any.uid());
            let realms_have_it = issued.as_ref().and_then(|issued| realms_have(&realms, client.name(), issued.issue));
            let token = Token { wish: wish_of(client), issued, kept, in_hand, now: Timestamp::now().as_second() };
            let secret = ClientSecret {
                token,
                others: status.iter().flat_map(|it| &it.others).map(|id| SecretId::observed(id)).collect(),
                retiring: status.as_ref().is_some_and(|it| it.retiring),
                current: current.map(|id| SecretId::observed(&id)),
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
            owner: parcel::owner(&crate::controller::kubernetes::Target::of(client)),
            namespace: self.namespace().to_owned(),
            name: secret_name(client).to_owned(),
            labels: template.labels,
            annotations: template.annotations,
            type_: "Opaque",
            former: None,
            contents: ClientContents { id: client_id(client).to_owned(), issuer: issuer.to_owned() },
            standing: None,
        }
    }

    /// Takes the finalizer off; `left` is what stays in Pocket ID.
    pub(super) async fn let_go(&mut self, any: &PocketIdObject, left: &[impl std::fmt::Display]) {
        // The Secret of a client that stays must not be collected with its object: nobody could read it again.
        if let (PocketIdObject::Client(client), false) = (any, left.is_empty())
            && let Err(error) = {
                let (kubernetes, permit) = (&self.context.kubernetes, &self.permit);
                parcel::leave(kubernetes, permit, client.namespace(), secret_name(client), client.uid()).await
            }
        {
            tracing::warn!(object = %any.key(), %error, "its Secret could not be released; tried again");
            return;
        }
        self.reporter.let_go(any, left).await;
    }
}

/// Whether all realms that refer to a client have a secret of this number or a later one; `None` when none refers to it.
fn realms_have(realms: &[ProxmoxRealm], client: &str, issue: i64) -> Option<bool> {
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
    let reference = realm.spec.openid.as_ref().and_then(|openid| openid.client_ref.as_ref());
    reference.is_some_and(|reference| reference.name == client)
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
    let lost = issued.state == SecretState::Delivered && !matches!(token.kept, Kept::Ours { holds: true, .. });
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
